"""Mirrors `keras.layers`: the output layer for many classes."""

from tf_sampled_compat.keras.family import KERAS, register
from tf_sampled_compat.keras_common import sampled_dense

__all__ = ["SampledDense"]


@register
class SampledDense(sampled_dense.SampledDense, KERAS.layers.Layer):
    r"""A dense output layer over many classes, to train with a sampled loss.

    .. math:: l_{i,c} = w_c \cdot x_i + b_c

    Its output is the logits of all classes, `[..., num_classes]`, for `predict`, for any of
    Keras's losses and metrics, and for inference. The losses and metrics of this package do without
    them, and where nobody else reads them a compiled step does not compute them: training costs the
    same at ten thousand classes and ten million. (Uncompiled, with `run_eagerly=True`, the layer
    computes what it returns.)

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

    Under a mixed precision policy the logits are computed in 16 bits, the losses and metrics of
    this package in float32 from the rows of the float32 kernel.

    Regularizers and constraints of the kernel walk the whole table at each step, as in `Dense`; so
    do most of Keras's optimizers.

    Args:
      num_classes: The number of classes.
      use_bias: Whether each class has a bias.
      kernel_initializer: Of the `[num_classes, dim]` kernel (`Dense` has its transpose).
      bias_initializer: Of the `[num_classes]` bias.
      kernel_regularizer: As for `Dense`.
      bias_regularizer: As for `Dense`.
      kernel_constraint: As for `Dense`.
      bias_constraint: As for `Dense`.
      kernel: Whose kernel to share instead of making one: an `Embedding` layer, which must have
        been called by the time this one is; it may have more rows than there are classes. Copies
        of a functional model, and those loaded from a file, share likewise. Another `SampledDense`
        with a kernel of its own, or a variable, serves where the model is made by code only.
      **kwargs: `name`, `dtype`, `trainable`: as for any layer.

    Call arguments: `inputs` of shape `[..., dim]`, `training`, which decides whether the losses
    are the sampled or the exact ones; where nobody says, a gradient tape decides.

    Raises:
      ValueError: If `num_classes` is not a positive integer, or `kernel` of no use.

    Source: https://keras.io/api/layers/core_layers/dense, over which it has the kernel's shape.
    """

    _keras = KERAS
