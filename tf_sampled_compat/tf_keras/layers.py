"""Mirrors `tf_keras.layers`: the output layer for many classes."""

from tf_sampled_compat.keras_common import in_batch_logits, sampled_dense, sampler_layer, top_k
from tf_sampled_compat.tf_keras.family import KERAS, register

__all__ = ["InBatchLogits", "SampledDense", "Sampler", "TopK"]


@register
class InBatchLogits(in_batch_logits.InBatchLogits, KERAS.layers.Layer):
    """The logits of two towers, in which each row's candidate is a negative of the other rows.

    See `tf_sampled_compat.keras.layers.InBatchLogits`, which has the same arguments.

    >>> user, item = tf_keras.Input([], dtype="int32"), tf_keras.Input([], dtype="int32")
    >>> logits = tsc.tf_keras.layers.InBatchLogits(temperature=0.1)(
    ...     tf_keras.layers.Embedding(50, 8)(user), tf_keras.layers.Embedding(30, 8)(item), item)
    >>> model = tf_keras.Model([user, item], logits)
    >>> model.compile("adam", tsc.tf_keras.losses.InBatchSoftmax())
    >>> users, items = np.arange(32), np.arange(32) % 30
    >>> history = model.fit([users, items], items, batch_size=16, verbose=0)

    Source: `tf_sampled_compat.keras.layers.InBatchLogits`.
    """

    _keras = KERAS


@register
class SampledDense(sampled_dense.SampledDense, KERAS.layers.Layer):
    """A dense output layer over many classes, to train with a sampled loss.

    See `tf_sampled_compat.keras.layers.SampledDense`, which has the same arguments.

    >>> inputs = tf_keras.Input([8])
    >>> logits = tsc.tf_keras.layers.SampledDense(1000)(tf_keras.layers.Dense(16)(inputs))
    >>> model = tf_keras.Model(inputs, logits)
    >>> model.compile("sgd", tsc.tf_keras.losses.SampledSoftmax(num_sampled=64))
    >>> history = model.fit(np.ones([32, 8]), np.arange(32), verbose=0)
    >>> model.predict(np.ones([2, 8]), verbose=0).shape
    (2, 1000)

    Source: `tf_sampled_compat.keras.layers.SampledDense`.
    """

    _keras = KERAS


@register
class Sampler(sampler_layer.Sampler, KERAS.layers.Layer):
    """Holds a sampler in a layer or model of your own, so that Keras's files have its state.

    See `tf_sampled_compat.keras.layers.Sampler`, which has the same arguments.

    >>> sampler = tsc.tf_keras.layers.Sampler(tsc.random.LearnedUnigramSampler(50, seed=1))
    >>> loss = tsc.nn.sampled_softmax_loss(
    ...     weights, biases, labels, inputs, 5, 50, sampler=sampler)

    Source: `tf_sampled_compat.keras.layers.Sampler`.
    """

    _keras = KERAS


@register
class TopK(top_k.TopK, KERAS.layers.Layer):
    """Returns the k classes with the highest logits of a head: a model to serve.

    See `tf_sampled_compat.keras.layers.TopK`, which has the same arguments.

    >>> inputs = tf_keras.Input([8])
    >>> head = tsc.tf_keras.layers.SampledDense(1000)
    >>> server = tf_keras.Model(inputs, tsc.tf_keras.layers.TopK(head, k=10)(inputs))
    >>> logits, ids = server.predict(np.ones([2, 8]), verbose=0)
    >>> ids.shape
    (2, 10)

    Source: `tf_sampled_compat.keras.layers.TopK`.
    """

    _keras = KERAS
