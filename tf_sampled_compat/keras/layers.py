"""Mirrors `keras.layers`: the output layer for many classes."""

from tf_sampled_compat.keras.family import KERAS, register
from tf_sampled_compat.keras_common import in_batch_logits, sampled_dense, sampler_layer, top_k

__all__ = ["InBatchLogits", "SampledDense", "Sampler", "TopK"]


@register
class InBatchLogits(in_batch_logits.InBatchLogits, KERAS.layers.Layer):
    r"""The logits of two towers, in which each row's candidate is a negative of the other rows.

    .. math:: l_{i,j} = q_i \cdot c_j / \tau - \log E(j)

    Train with `tsc.keras.losses.InBatchSoftmax`. The item tower may be a model of any depth.

    >>> user, item = keras.Input([], dtype="int32"), keras.Input([], dtype="int32")
    >>> logits = tsc.keras.layers.InBatchLogits(temperature=0.1)(
    ...     keras.layers.Embedding(50, 8)(user), keras.layers.Embedding(30, 8)(item), item)
    >>> model = keras.Model([user, item], logits)
    >>> model.compile("adam", tsc.keras.losses.InBatchSoftmax())
    >>> users, items = np.arange(32), np.arange(32) % 30
    >>> history = model.fit([users, items], items, batch_size=16, verbose=0)

    Candidates of a query's own id, all copies, are no negatives. E is how often an id is expected
    among the candidates; see `tf_sampled_compat.nn.in_batch_softmax_loss`. The logit of a candidate
    that is no negative of the row is so low that its probability is zero. A compiled step in which
    only `InBatchSoftmax` uses the logits does not compute them.

    A masked row is neither a query nor a candidate.

    Args:
      temperature: τ: a positive number; a variable, which a callback may change, and whose number
        a saved model has; or a `LearningRateSchedule` of Keras, which follows the training steps of
        `InBatchSoftmax`. The layer saves how many there were.
      remove_accidental_hits: Whether to leave every candidate whose id is that of a query's own out
        of the query's negatives.
      frequencies: How often each id is a candidate of the batch: a `[num_items]` array of counts,
        or a `tsc.random.LearnedUnigramSampler`, which `InBatchSoftmax` lets learn the ids in
        training, after it has read them. What it has learned is saved with the model. Default:
        None, for no correction.
      **kwargs: `name`, `dtype`: as for any layer.

    Call arguments: `queries` and `candidates` of shape `[..., dim]`; `candidate_ids` of shape
    `[...]`, integers or strings; `candidate_sampling_probability`, `extra_candidates`, `extra_ids`
    and `extra_expected_counts` as for `in_batch_softmax_loss`; `training`. If it is None, a
    recording gradient tape means training.

    Returns: `[..., num_candidates]` logits: of the rows of the batch, flattened, and the extra
    candidates.

    Raises:
      ValueError: If `temperature` or `frequencies` cannot be used. When called: where
        `tf_sampled_compat.nn.in_batch_softmax_loss` raises.

    Source: `tfrs.tasks.Retrieval` of https://www.tensorflow.org/recommenders.
    """

    _keras = KERAS


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
      kernel_initializer: As for `Dense`: it sees a `[dim, num_classes]` kernel, though the layer
        stores the transpose. So do `kernel_regularizer` and `kernel_constraint`.
      bias_initializer: Initializes the `[num_classes]` bias.
      kernel_regularizer: As for `Dense`.
      bias_regularizer: As for `Dense`.
      kernel_constraint: As for `Dense`.
      bias_constraint: As for `Dense`.
      kernel: The layer whose kernel to share, instead of making a new one: an `Embedding` layer.
        It may have more rows than there are classes. A copy of a
        functional model, or one loaded from a file, shares the kernel too. Another `SampledDense`
        or a variable also works, if only code builds the model.
      temperature: The positive number that divides the logits.
      normalize: Whether inputs and rows of the kernel are divided by their norms, so that w · x is
        a cosine.
      **kwargs: `name`, `dtype`, `trainable`: as for any layer.

    Call arguments: `inputs` of shape `[..., dim]`; `training`, which chooses the sampled losses
    (True) or the exact ones (False). If it is None, a recording gradient tape means training;
    `negatives`, `[..., n]` class ids, each row's own candidates in training instead of classes that
    the loss draws, without a correction for log Q.

    >>> negatives = keras.Input([20], dtype="int32")
    >>> logits = tsc.keras.layers.SampledDense(1000)(inputs, negatives=negatives)
    >>> model = keras.Model([inputs, negatives], logits)
    >>> model.compile("sgd", tsc.keras.losses.SampledSoftmax(num_sampled=64))
    >>> x = [np.ones([32, 8]), np.random.randint(0, 1000, [32, 20])]
    >>> history = model.fit(x, np.arange(32), verbose=0)

    `from_dense` makes a layer from a `Dense` layer, and `to_dense` the reverse.

    Raises:
      ValueError: If `num_classes` is not a positive integer, or `kernel` cannot be used. When
        called: if `negatives` have another shape.
      TypeError: If `negatives` are no integers. For an argument of `Dense` that has another name
        here, or no meaning.

    Source: https://keras.io/api/layers/core_layers/dense, whose kernel is transposed.
    """

    _keras = KERAS


@register
class Sampler(sampler_layer.Sampler, KERAS.layers.Layer):
    """Holds a sampler in a layer or model of your own, so that Keras's files have its state.

    Keras saves the state of layers only, and a sampler is none. The losses of this package save
    their samplers without this layer, and `tf.train.Checkpoint` saves a sampler that is an
    attribute. The layer is called as its sampler is:

    >>> class Table(keras.layers.Layer):
    ...     def __init__(self):
    ...         super().__init__()
    ...         frequencies = tsc.random.LearnedUnigramSampler(50, seed=1)
    ...         self.sampler = tsc.keras.layers.Sampler(frequencies)
    ...     def call(self, inputs):
    ...         return inputs
    >>> table = Table()
    >>> loss = tsc.nn.sampled_softmax_loss(
    ...     weights, biases, labels, inputs, 5, 50, sampler=table.sampler)

    Args:
      sampler: Any sampler; its state is saved if it is one of `tf_sampled_compat.random` with a
        state, a `tf.Module`, or an object with `save_own_variables` and `load_own_variables`.
      **kwargs: `name`: as for any layer.

    Raises:
      TypeError: If `sampler` is no sampler.

    Source: `tf_sampled_compat.random`.
    """

    _keras = KERAS


@register
class TopK(top_k.TopK, KERAS.layers.Layer):
    r"""Returns the k classes with the highest logits of a head: a model to serve.

    .. math:: \operatorname{top-}k_{c \in A \setminus E_i} \; l_{i,c},
        \quad l_{i,c} = w_c \cdot x_i + b_c

    Takes the inputs of the head, not its logits, and makes no `[batch, num_classes]` matrix. The
    head's weights are shared, so that the layer can be made before or after training.

    >>> inputs = keras.Input([8])
    >>> hidden = keras.layers.Dense(16)(inputs)
    >>> head = tsc.keras.layers.SampledDense(1000)
    >>> model = keras.Model(inputs, head(hidden))  # to train
    >>> seen = keras.Input([None], dtype="int64")
    >>> logits, ids = tsc.keras.layers.TopK(head, k=10)(hidden, exclude=seen)
    >>> server = keras.Model([inputs, seen], [logits, ids])
    >>> logits, ids = server.predict([np.ones([2, 8]), np.array([[3, -1], [4, 5]])], verbose=0)
    >>> ids.shape
    (2, 10)

    What `export` and `tf.saved_model.save` write holds TensorFlow's ops alone, and loads where this
    package is not. In `predict`, and outside a graph, the C++ op finds the classes.

    Args:
      head: The `SampledDense` layer.
      k: The number of classes to find.
      padding_label: A class id that in `exclude` stands for nothing, such as 0 where the rows are
        filled up with zeros. An id that is no class, such as -1, always does.
      allowed: `[m]` ids of the classes to choose from, or a boolean mask `[num_classes]`. They are
        part of the layer's config.
      implementation: "fused" (the C++ op, also in what is exported: then the process that loads it
        calls `tsc.load_ops()` first), "composite" (TensorFlow's ops), or None to choose.
      **kwargs: `name`, `dtype`: as for any layer.

    Call arguments: `inputs` of shape `[..., dim]`; `exclude`, `[..., n]` class ids to leave out,
    each row's own; `allowed`, which replaces the layer's.

    Returns `(logits, ids)`, both `[..., k]`: the highest logit first, and among equals the lower id
    first. A place for which no class is left has the logit -∞ and the id -1.

    Raises:
      TypeError: If `head` is no `SampledDense`.
      ValueError: If k is more than the number of classes, or `allowed` has another shape.

    Source: https://www.tensorflow.org/api_docs/python/tf/math/top_k.
    """

    _keras = KERAS
