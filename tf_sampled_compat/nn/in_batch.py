"""The in-batch softmax loss of two towers: the other rows' candidates are the negatives."""

from __future__ import annotations

from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments.typing import ScalarLike, TensorLike
from tf_sampled_compat.core.losses.description import Composition, Margin
from tf_sampled_compat.core.losses.in_batch import InBatchLoss, in_batch_loss
from tf_sampled_compat.nn import in_compile

__all__ = ["in_batch_softmax_loss"]


@in_compile.use_after_towers
def in_batch_softmax_loss(
    queries: TensorLike,
    candidates: TensorLike,
    candidate_ids: Optional[TensorLike] = None,
    candidate_sampling_probability: Optional[TensorLike] = None,
    remove_accidental_hits: bool = True,
    temperature: ScalarLike = 1.0,
    name: Optional[str] = "in_batch_softmax_loss",
    *,
    frequencies: Any = None,
    extra_candidates: Optional[TensorLike] = None,
    extra_ids: Optional[TensorLike] = None,
    extra_expected_counts: Any = None,
    mask: Optional[TensorLike] = None,
    normalize: bool = False,
    margin: Optional[Margin] = None,
    z_loss: float = 0.0,
    implementation: Optional[str] = None,
) -> tf.Tensor:
    r"""Computes the softmax loss of two towers, with the batch's candidates as negatives.

    .. math::
        \ell_i = -l_{i,i} + \log\Big(e^{l_{i,i}} + \sum_{j \in N_i} e^{l_{i,j}}\Big),
        \quad l_{i,j} = q_i \cdot c_j / \tau - \log E(j)

    The negatives of a query are all candidates, of the batch and extra ones, but those whose id is
    the id of its own candidate. E is how often a candidate's id is expected among the candidates.
    It is subtracted from the own candidate's logit too, as from every true class of a sampled loss.
    Without it, frequent candidates are negatives too often, and are predicted too rarely.

    >>> queries, items = tf.constant([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0]]), tf.eye(3, 2)
    >>> loss = tsc.nn.in_batch_softmax_loss(queries, items, candidate_ids=[7, 3, 3])
    >>> print(loss.numpy().round(3))  # Items 1 and 2 are the same: each has item 0 as negative.
    [0.24  0.127 2.127]

    Candidates are activations: an item tower of any depth computes them, and they get a dense
    gradient. With the C++ op no `[batch_size, batch_size]` matrix is made.

    Args:
      queries: `[batch_size, dim]` activations: float32, float64, float16 or bfloat16.
      candidates: `[batch_size, dim]` activations: the i-th belongs to the i-th query.
      candidate_ids: `[batch_size]` integers or strings: what the candidates are. Without them no
        accidental hit is known.
      candidate_sampling_probability: `[batch_size]` positive numbers, or `[batch_size + num_extra]`
        with extra candidates: the probability that a candidate of the batch has this id. A common
        factor changes nothing, unless there are `extra_expected_counts`.
      remove_accidental_hits: Whether to leave every candidate whose id is that of a query's own out
        of the query's negatives. Its own candidate is never among them.
      temperature: τ, a positive number, tensor or variable.
      name: A name for the operation.
      frequencies: Gives the probability by id, instead of `candidate_sampling_probability`: a
        `[num_items]` array of counts, or a `tsc.random.LearnedUnigramSampler`, which is read and
        then learns the ids of the batch. Default: None, for no correction.
      extra_candidates: `[num_extra, dim]` activations: negatives of all queries.
      extra_ids: `[num_extra]`: what they are; needed where `candidate_ids` are given.
      extra_expected_counts: How often the candidates, the batch's and the extra ones, are expected
        among the extra ones: `(true_expected_count, sampled_expected_count)` from the candidate
        sampler that drew `extra_ids` for the labels `candidate_ids[:, None]`. With P the
        probability, E = batch_size · P + this. Default: the extra candidates are taken to come
        as often as those of the batch, as those of earlier batches do.
      mask: `[batch_size]` booleans: False for a row that is padding. It is no query and no
        candidate, nothing learns it, and its loss is 0.
      normalize: See `sampled_softmax_loss`: the logits are cosines, divided by τ.
      margin: See `sampled_softmax_loss`.
      z_loss: See `sampled_softmax_loss`. (Nobody knows all classes, so there is no smoothing.)
      implementation: "fused" (the C++ op, or a RuntimeError), "composite" (public TensorFlow ops),
        or None to choose.

    Returns:
      A `[batch_size]` tensor of losses in nats, of the dtype of `queries`.

    Raises:
      ValueError: If an argument is invalid. The error is also a `tf.errors.InvalidArgumentError`.
        Invalid values that only the running graph knows raise that error alone.
      RuntimeError: If `implementation="fused"` and the C++ op cannot compute this call. The message
        says why.

    Source: Yi et al., "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item
    Recommendations" (2019), and Yang et al., "Mixed Negative Sampling for Learning Two-tower Neural
    Networks in Recommendations" (2020). The names are those of `tfrs.tasks.Retrieval` of
    https://www.tensorflow.org/recommenders.
    """
    return in_batch_loss(
        InBatchLoss(
            queries=queries,
            candidates=candidates,
            candidate_ids=candidate_ids,
            candidate_sampling_probability=candidate_sampling_probability,
            frequencies=frequencies,
            extra_candidates=extra_candidates,
            extra_ids=extra_ids,
            extra_expected_counts=extra_expected_counts,
            mask=mask,
            remove_accidental_hits=remove_accidental_hits,
            temperature=temperature,
            normalize=normalize,
            composition=Composition.checked(margin=margin, normalize=normalize, z_loss=z_loss),
            implementation=implementation,
            name=name,
        )
    )
