"""Mirrors `keras.layers`: the output layer for many classes."""

from tf_sampled_compat.keras.family import KERAS, register
from tf_sampled_compat.keras_common import sampled_dense

__all__ = ["SampledDense"]


@register
class SampledDense(sampled_dense.SampledDense, KERAS.layers.Layer):
    r"""A dense output layer over many classes, to train with a sampled loss.

    .. math:: l_{i,c} = w_c \cdot x_i + b_c

    The output is the logits of all classes, `[..., num_classes]`. `predict` and Keras's own losses
    and metrics use them. The losses and metrics of this package do not: a compiled step that uses
    only these skips the logits, so training costs the same at ten thousand classes and ten million.
    (With `run_eagerly=True` the layer always computes the logits.)

    >>> inputs = keras.Input([8])
    >>> logits = tsc.keras.layers.SampledDense(1000)(keras.layers.Dense(16)(inputs))
    >>> model = keras.Model(inputs, logits)
    >>> model.compile("sgd", tsc.keras.losses.SampledSoftmax(num_sampled=64))
    >>> history = model.fit(np.ones([32, 8]), np.arange(32), verbose=0)
    >>> model.predict(np.ones([2, 8]), verbose=0).shape
    (2, 1000)

    Weights tied to an embedding:

    >>> words = keras.layers.Embedding(1000, 16)
    >>> tokens = keras.Input([5], dtype="int32")
    >>> logits = tsc.keras.layers.SampledDense(1000, kernel=words)(words(tokens))
    >>> model = keras.Model(tokens, logits)
    >>> [tuple(weight.shape) for weight in model.weights]
    [(1000, 16), (1000,)]

    Under a mixed precision policy the logits are computed in 16 bits. The losses and metrics of
    this package are computed in float32, from the rows of the float32 kernel.

    A regularizer or constraint of the kernel reads the whole table at each step, as in `Dense`. So
    do most of Keras's optimizers; those of `tf_sampled_compat.keras.optimizers` do not.

    Args:
      num_classes: The number of classes.
      use_bias: Whether each class has a bias.
      kernel_initializer: Initializes the `[num_classes, dim]` kernel, the transpose of `Dense`'s.
      bias_initializer: Initializes the `[num_classes]` bias.
      kernel_regularizer: As for `Dense`.
      bias_regularizer: As for `Dense`.
      kernel_constraint: As for `Dense`.
      bias_constraint: As for `Dense`.
      kernel: The layer whose kernel to share, instead of making a new one: an `Embedding` layer
        that is called before this one. It may have more rows than there are classes. A copy of a
        functional model, or one loaded from a file, shares the kernel too. Another `SampledDense`
        or a variable also works, if only code builds the model.
      **kwargs: `name`, `dtype`, `trainable`: as for any layer.

    Call arguments: `inputs` of shape `[..., dim]`; `training`, which chooses the sampled losses
    (True) or the exact ones (False). If it is None, a recording gradient tape means training.

    Raises:
      ValueError: If `num_classes` is not a positive integer, or `kernel` cannot be used.

    Source: https://keras.io/api/layers/core_layers/dense, whose kernel is transposed.
    """

    _keras = KERAS
