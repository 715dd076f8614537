"""Exact losses and rankings over all classes, computed block by block."""

from __future__ import annotations

from typing import Optional, Union

import tensorflow as tf

from tf_sampled_compat.core.arguments.typing import ScalarLike, TableLike, TensorLike
from tf_sampled_compat.core.losses import full
from tf_sampled_compat.core.losses.description import Arguments, Composition, Margin
from tf_sampled_compat.nn import in_compile

__all__ = ["full_sigmoid_loss", "full_softmax_loss", "full_top_k"]


@in_compile.use_instead("FullSoftmax()")
def full_softmax_loss(
    weights: TableLike,
    biases: TableLike,
    labels: TensorLike,
    inputs: TensorLike,
    num_classes: Optional[int] = None,
    num_true: int = 1,
    name: Optional[str] = "full_softmax_loss",
    *,
    partition_strategy: str = "div",
    implementation: Optional[str] = None,
    padding_label: Optional[int] = None,
    temperature: Optional[ScalarLike] = None,
    normalize: bool = False,
    margin: Optional[Margin] = None,
    label_weights: Optional[TensorLike] = None,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
) -> tf.Tensor:
    r"""Computes the softmax loss over all classes without a `[batch_size, num_classes]` matrix.

    .. math::
        \ell_i = -\tfrac{1}{T} \sum_t l_{i,t} + \log \sum_c e^{l_{i,c}},
        \quad l_{i,c} = w_c \cdot x_i + b_c

    The evaluation loss for `sampled_softmax_loss`, `sampled_sparse_softmax_loss` and
    `rank_sampled_softmax_loss`, and a training loss. It equals
    `tf.nn.softmax_cross_entropy_with_logits` of the matrix.

    Its gradient is streamed too, and dense. Under a tape, each piece of `weights` is read whole,
    which copies a variable that has had a sparse update; otherwise rows are looked up block by
    block. So in a `tf.function` that trains, let the tape be inside.

    >>> loss = tsc.nn.full_softmax_loss(
    ...     tf.zeros([50, 8]), tf.zeros([50]), labels=[[3], [7]], inputs=tf.ones([2, 8]))
    >>> print(loss.numpy())  # log(50)
    [3.912023 3.912023]

    Args:
      weights: The `[num_rows, dim]` class embeddings; see `sampled_softmax_loss`.
      biases: The `[num_rows]` class biases.
      labels: `[batch_size, num_true]` class ids of the target classes.
      inputs: `[batch_size, dim]` activations: float32, float64, float16 or bfloat16.
      num_classes: The number of classes. Default: the number of rows.
      num_true: The number of target classes of each example, each with probability 1 / num_true.
      name: A name for the operation.
      partition_strategy: "div" or "mod": how ids map to pieces where there are several.
      implementation: "fused", "composite" or None; see `sampled_softmax_loss`.
      padding_label: See `sampled_softmax_loss`.
      temperature: See `sampled_softmax_loss`.
      normalize: See `sampled_softmax_loss`.
      margin: See `sampled_softmax_loss`; for training.
      label_weights: See `sampled_softmax_loss`.
      label_smoothing: See `sampled_softmax_loss`; here m is the mean over all classes.
      z_loss: See `sampled_softmax_loss`; for training. Here Ẑ is the sum over all classes.

    Returns:
      A `[batch_size]` tensor of losses in nats, of the dtype of `inputs`.

    Raises:
      ValueError: See `sampled_softmax_loss`.
      RuntimeError: If `implementation="fused"` and the C++ op cannot compute this call.

    Source: the evaluation branch of
    https://www.tensorflow.org/api_docs/python/tf/nn/sampled_softmax_loss.
    """
    return full.full_loss(
        "softmax",
        Arguments(
            weights=weights,
            biases=biases,
            labels=labels,
            inputs=inputs,
            num_true=num_true,
            padding_label=padding_label,
            partition_strategy=partition_strategy,
            temperature=temperature,
            normalize=normalize,
            label_weights=label_weights,
        ),
        composition=Composition.checked(
            margin=margin,
            normalize=normalize,
            label_smoothing=label_smoothing,
            z_loss=z_loss,
        ),
        num_classes=num_classes,
        implementation=implementation,
        name=name,
    )


@in_compile.use_instead("NCE(num_sampled)")
def full_sigmoid_loss(
    weights: TableLike,
    biases: TableLike,
    labels: TensorLike,
    inputs: TensorLike,
    num_classes: Optional[int] = None,
    num_true: int = 1,
    name: Optional[str] = "full_sigmoid_loss",
    *,
    partition_strategy: str = "div",
    implementation: Optional[str] = None,
    padding_label: Optional[int] = None,
    temperature: Optional[ScalarLike] = None,
    normalize: bool = False,
    label_weights: Optional[TensorLike] = None,
    label_smoothing: float = 0.0,
) -> tf.Tensor:
    r"""Computes the sum of all classes' sigmoid losses without a matrix of logits.

    .. math::
        \ell_i = \sum_c \log(1 + e^{l_{i,c}}) - \tfrac{1}{T} \sum_t l_{i,t},
        \quad l_{i,c} = w_c \cdot x_i + b_c

    The evaluation loss for `nce_loss`. It equals the row sums of
    `tf.nn.sigmoid_cross_entropy_with_logits` with targets of 1 / num_true.

    >>> loss = tsc.nn.full_sigmoid_loss(
    ...     tf.zeros([50, 8]), tf.zeros([50]), labels=[[3], [7]], inputs=tf.ones([2, 8]))
    >>> print(loss.numpy().round(3))  # 50 log(2)
    [34.657 34.657]

    Args:
      weights: The `[num_rows, dim]` class embeddings; see `sampled_softmax_loss`.
      biases: The `[num_rows]` class biases.
      labels: `[batch_size, num_true]` class ids of the target classes.
      inputs: `[batch_size, dim]` activations: float32, float64, float16 or bfloat16.
      num_classes: The number of classes. Default: the number of rows.
      num_true: The number of target classes of each example, each with a target of 1 / num_true.
      name: A name for the operation.
      partition_strategy: "div" or "mod": how ids map to pieces where there are several.
      implementation: "fused", "composite" or None; see `sampled_softmax_loss`.
      padding_label: See `sampled_softmax_loss`.
      temperature: See `nce_loss`.
      normalize: See `nce_loss`.
      label_weights: See `nce_loss`.
      label_smoothing: See `nce_loss`; here all classes have a target.

    Returns:
      A `[batch_size]` tensor of losses in nats, of the dtype of `inputs`.

    Raises:
      ValueError: See `sampled_softmax_loss`.
      RuntimeError: If `implementation="fused"` and the C++ op cannot compute this call.

    Source: the evaluation branch of https://www.tensorflow.org/api_docs/python/tf/nn/nce_loss.
    """
    return full.full_loss(
        "sigmoid",
        Arguments(
            weights=weights,
            biases=biases,
            labels=labels,
            inputs=inputs,
            num_true=num_true,
            padding_label=padding_label,
            partition_strategy=partition_strategy,
            temperature=temperature,
            normalize=normalize,
            label_weights=label_weights,
            most_label_weight=1.0,
        ),
        composition=Composition.checked(label_smoothing=label_smoothing),
        num_classes=num_classes,
        implementation=implementation,
        name=name,
    )


def full_top_k(
    weights: TableLike,
    biases: TableLike,
    inputs: TensorLike,
    k: int = 1,
    num_classes: Optional[int] = None,
    name: Optional[str] = "full_top_k",
    *,
    partition_strategy: str = "div",
    implementation: Optional[str] = None,
    exclude: Optional[Union[TensorLike, tf.RaggedTensor]] = None,
    padding_label: Optional[int] = None,
    allowed: Optional[TensorLike] = None,
    temperature: Optional[ScalarLike] = None,
    normalize: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
    r"""Finds the k classes with the highest logits without a matrix of logits.

    .. math:: \operatorname{top-}k_{c \in A \setminus E_i} \; l_{i,c},
        \quad l_{i,c} = w_c \cdot x_i + b_c

    Equals `tf.math.top_k` of the matrix: the highest logit first and, among equal logits, the
    lower id first. A NaN logit ranks as -∞, so that one NaN row of a table hides no other class.
    No gradient passes through it.

    `exclude` leaves out classes of one input, E, such as what a user has seen; `allowed` keeps
    classes for all inputs, A, such as what is in stock. Neither ranks the classes twice:
    `exclude` finds k + n classes and drops those that are excluded, a list of allowed classes
    reads their rows alone, and a mask reads the biases once more. A place for which no class is
    left has the logit -∞ and the id -1.

    >>> logits, ids = tsc.nn.full_top_k(tf.zeros([3, 2]), [0.0, 2.0, 1.0], tf.ones([1, 2]), k=2)
    >>> print(logits.numpy(), ids.numpy())
    [[2. 1.]] [[1 2]]
    >>> logits, ids = tsc.nn.full_top_k(
    ...     tf.zeros([3, 2]), [0.0, 2.0, 1.0], tf.ones([2, 2]), k=2, exclude=[[1, -1], [0, 2]])
    >>> print(ids.numpy())  # In the second row one class is left.
    [[ 2  0]
     [ 1 -1]]

    Args:
      weights: The `[num_rows, dim]` class embeddings; see `sampled_softmax_loss`.
      biases: The `[num_rows]` class biases.
      inputs: `[batch_size, dim]` activations: float32, float64, float16 or bfloat16.
      k: The number of classes to find.
      num_classes: The number of classes. Default: the number of rows.
      name: A name for the operation.
      partition_strategy: "div" or "mod": how ids map to pieces where there are several.
      implementation: "fused", "composite" or None; see `sampled_softmax_loss`.
      exclude: `[batch_size, n]` class ids, each row's own; or `[n]`, the same for all inputs; or a
        RaggedTensor. An id that is no class, such as -1, excludes nothing.
      padding_label: A class id that in `exclude` stands for nothing, such as 0 where the rows are
        filled up with zeros. Default: only ids that are no classes do.
      allowed: `[m]` ids of the classes to choose from, or a boolean mask `[num_classes]`.
      temperature: See `sampled_softmax_loss`.
      normalize: See `sampled_softmax_loss`.

    Returns:
      `(logits, ids)`: `[batch_size, k]` of the dtype of `inputs`, and `[batch_size, k]` int64.

    Raises:
      ValueError: If k is more than the number of classes; if `exclude` or `allowed` has another
        shape; if `allowed` holds ids that are no classes; and see `sampled_softmax_loss`.
      TypeError: If `exclude` or `allowed` holds no integers.
      RuntimeError: If `implementation="fused"` and the C++ op cannot compute this call.

    Source: https://www.tensorflow.org/api_docs/python/tf/math/top_k.
    """
    return full.full_top_k(
        weights=weights,
        biases=biases,
        inputs=inputs,
        k=k,
        num_classes=num_classes,
        exclude=exclude,
        padding_label=padding_label,
        allowed=allowed,
        partition_strategy=partition_strategy,
        temperature=temperature,
        normalize=normalize,
        implementation=implementation,
        name=name,
    )
