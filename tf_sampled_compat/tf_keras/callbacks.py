"""Mirrors `tf_keras.callbacks`: a diagnosis at the start of `fit`."""

from tf_sampled_compat.diagnose import callback
from tf_sampled_compat.tf_keras.family import KERAS

__all__ = ["Diagnose"]


class Diagnose(callback.Diagnose, KERAS.callbacks.Callback):
    """Makes the diagnosis of `tf_sampled_compat.tf_keras.diagnose` at the start of `fit`.

    See `tf_sampled_compat.keras.callbacks.Diagnose`, which has the same arguments.

    >>> model = tf_keras.Sequential([tf_keras.Input([4]), tsc.tf_keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.tf_keras.losses.SampledSoftmax(num_sampled=64))
    >>> x, y = np.ones([64, 4]), np.arange(64)
    >>> diagnose = tsc.tf_keras.callbacks.Diagnose(x, y, verbose=0)
    >>> history = model.fit(x, y, callbacks=[diagnose], verbose=0)
    >>> diagnose.report["NaN"].severity
    'ok'

    Source: `tf_sampled_compat.keras.callbacks.Diagnose`.
    """

    _keras = KERAS
