"""The expected counts of in-batch candidates, which correct the bias towards frequent ones."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.checks.tensors import kind
from tf_sampled_compat.core.losses import in_batch_arguments
from tf_sampled_compat.core.losses.in_batch_arguments import Tensors
from tf_sampled_compat.core.samplers.frequencies import as_frequencies
from tf_sampled_compat.core.samplers.learned import LearnedUnigramSampler
from tf_sampled_compat.core.tf import private

_PAIR = "(true_expected_count, sampled_expected_count), as a candidate sampler returns them for "
_PAIR += "the labels candidate_ids[:, None]"


class Law(NamedTuple):
    """What the caller says about how often a candidate comes; all may be None.

    Attributes:
      frequencies: See `samplers.frequencies.as_frequencies`: P by id.
      probability: `[N]`: P of each candidate.
      extra_counts: `[B]` and `[K]`: how often each candidate is expected among the extra ones.
    """

    frequencies: Any
    probability: Any
    extra_counts: Any


def expected(
    law: Law, ids: Optional[tf.Tensor], tensors: Tensors, *, learn: bool
) -> tuple[Optional[tf.Tensor], list[tf.Operation]]:
    """Returns the `[N]` float64 expected counts of all candidates, and what learns the ids.

    With B rows of the batch and the counts S of the extra candidates,

        E(k) = B · P(k) + S(k)

    Without S it is P(k), as a factor of all counts changes no loss. Then the extra candidates are
    taken to come as often as those of the batch. Without P there is no correction.
    """
    chance, learned = _chance(law, ids, tensors, learn=learn)
    extra = _extra(law.extra_counts, tensors)
    if chance is None:
        if extra is not None:
            got = "neither: extra_expected_counts do not say how often the batch brings a candidate"
            errors.fail("frequencies, candidate_sampling_probability", "one of the two", got)
        return None, []
    counts = chance
    if extra is not None:
        counts = tf.cast(_batch_size(tensors), tf.float64) * chance + extra
    present = tensors.present()
    if present is not None:
        counts = tf.where(present, counts, tf.ones_like(counts))
    checked = errors.after(_positive(law, counts), counts)
    return errors.nan_unless(lambda: checks.is_count(counts), checked), learned


def _chance(
    law: Law, ids: Optional[tf.Tensor], tensors: Tensors, *, learn: bool
) -> tuple[Optional[tf.Tensor], list[tf.Operation]]:
    """Returns P of each candidate, or None."""
    both = [tensors.candidates] if tensors.extra is None else [tensors.candidates, tensors.extra]
    if law.frequencies is None:
        if law.probability is None:
            return None, []
        shape = "[batch_size]" if tensors.extra is None else "[batch_size + num_extra]"
        name = "candidate_sampling_probability"
        return in_batch_arguments.vector(name, law.probability, shape, both), []
    if law.probability is not None:
        argument = "frequencies, candidate_sampling_probability"
        errors.fail(argument, "one of the two", "both")
    frequencies = as_frequencies(law.frequencies)
    if ids is None or ids.dtype == tf.string:
        got = None if ids is None else "strings"
        errors.fail("candidate_ids", "integers, as frequencies are looked up by id", got)
    known = _in_range(ids, frequencies.num_classes, tensors)
    chance = tf.stop_gradient(frequencies.probability(known))
    if private.in_xla_context() and frequencies.num_classes is not None:
        # XLA raises no error, and clamps positions.
        bad = tf.logical_or(known < 0, known >= frequencies.num_classes)
        chance = tf.where(bad, tf.constant(float("nan"), tf.float64), chance)
    if not (learn and isinstance(frequencies, LearnedUnigramSampler)):
        return chance, []
    own = known[: tf.shape(tensors.queries)[0]]
    with tf.control_dependencies([chance]):
        return chance, frequencies.learn(own, mask=tensors.mask)


def _in_range(ids: tf.Tensor, limit: Optional[int], tensors: Tensors) -> tf.Tensor:
    """Returns the ids, checked to have a frequency; 0 where they are masked."""
    present = tensors.present()
    if present is not None:
        ids = tf.where(present, ids, tf.zeros_like(ids))
    argument = "candidate_ids" if tensors.extra is None else "candidate_ids, extra_ids"
    return errors.after(checks.ids_in_range(argument, ids, limit, None), ids)


def _extra(counts: Any, tensors: Tensors) -> Optional[tf.Tensor]:
    """Returns how often each candidate is expected among the extra ones: `[N]`, or None."""
    if counts is None:
        return None
    if tensors.extra is None:
        errors.fail("extra_expected_counts", "extra_candidates beside them", "no extra_candidates")
    if tf.is_tensor(counts) or not hasattr(counts, "__len__") or len(counts) != 2:
        got = kind(counts) if tf.is_tensor(counts) else repr(counts)
        errors.fail("extra_expected_counts", _PAIR, got)
    of_batch, of_extra = (
        in_batch_arguments.vector("extra_expected_counts", count, shape, [rows])
        for count, shape, rows in zip(
            counts, ("[batch_size]", "[num_extra]"), (tensors.candidates, tensors.extra)
        )
    )
    return tf.concat([of_batch, of_extra], axis=0)


def _batch_size(tensors: Tensors) -> tf.Tensor:
    """Returns the number of rows of the batch that are not masked."""
    if tensors.mask is None:
        return tf.shape(tensors.queries)[0]
    return tf.math.count_nonzero(tensors.mask, dtype=tf.int32)


def _positive(law: Law, counts: tf.Tensor) -> list[tf.Operation]:
    """Checks the counts, whose logarithm is taken."""
    argument, way_out = "candidate_sampling_probability", ""
    if law.frequencies is not None:
        argument, way_out = "frequencies", " of the candidates' ids (for ids never seen, add 1)"
    lowest, highest = tf.reduce_min(counts), tf.reduce_max(counts)
    return errors.require(
        tf.reduce_all(checks.is_count(counts)),
        argument,
        f"positive finite numbers{way_out}",
        tf.where(lowest > 0, highest, lowest),
    )
