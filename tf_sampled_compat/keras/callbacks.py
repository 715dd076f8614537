"""Mirrors `keras.callbacks`: a diagnosis at the start of `fit`."""

from tf_sampled_compat.diagnose import callback
from tf_sampled_compat.keras.family import KERAS

__all__ = ["Diagnose"]


class Diagnose(callback.Diagnose, KERAS.callbacks.Callback):
    """Makes the diagnosis of `tf_sampled_compat.keras.diagnose` at the start of `fit`.

    It sees the other callbacks of `fit`, so it says at once if one of them monitors a metric that
    `fit` never updates. After the start it costs nothing. A model that gets its weights in the
    first step is examined after that step.

    >>> model = keras.Sequential([keras.Input([4]), tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.SampledSoftmax(num_sampled=64))
    >>> x, y = np.ones([64, 4]), np.arange(64)
    >>> diagnose = tsc.keras.callbacks.Diagnose(x, y, verbose=0)
    >>> history = model.fit(x, y, callbacks=[diagnose], verbose=0)
    >>> diagnose.report["NaN"].severity
    'ok'

    Args:
      x: Inputs to probe with, as for `tf_sampled_compat.keras.diagnose`: Keras does not show a
        callback the data of `fit`.
      y: Their labels.
      batch_size: The size of a batch, if x is no dataset.
      callbacks: The other callbacks, in case the list that they are in is not found.
      seconds: How long the measurements may take.
      verbose: 0 prints nothing.
      log_dir: Where to write the numbers as scalars for TensorBoard.

    Attributes:
      report: The report, from the start of `fit` on.

    Source: `tf_sampled_compat.keras.diagnose`.
    """

    _keras = KERAS
