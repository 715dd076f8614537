"""What a loss draws by if it is given no candidates."""

from __future__ import annotations

from typing import Optional

import tensorflow as tf

from tf_sampled_compat.core import errors, internals, samplers, seeds, stateless
from tf_sampled_compat.core.samplers import SampledValues


def log_uniform(
    labels: tf.Tensor,
    num_true: int,
    num_sampled: int,
    unique: bool,
    num_classes: int,
    seed: Optional[int] = None,
) -> SampledValues:
    """Draws by TensorFlow's kernel or, as XLA has none of it, by the stateless sampler.

    The classes are distributed alike, but are not the same ones for a seed.
    """
    if internals.in_xla_context():
        return stateless.stateless_log_uniform_candidate_sampler(
            labels, num_true, num_sampled, unique, num_classes, seeds.of_next_step(seed)
        )
    return samplers.log_uniform_candidate_sampler(
        labels, num_true, num_sampled, unique, num_classes, seed=seed
    )


def learned_unigram(
    labels: tf.Tensor,
    num_true: int,
    num_sampled: int,
    unique: bool,
    num_classes: int,
    seed: Optional[int] = None,
) -> SampledValues:
    """Draws by TensorFlow's kernel, which holds what was learned, as nothing does under XLA."""
    if internals.in_xla_context():
        errors.fail(
            "sampled_values",
            "those of a tsc.random.LearnedUnigramSampler, as XLA cannot compile the default "
            "sampler, which learns",
            None,
        )
    return samplers.learned_unigram_candidate_sampler(
        labels, num_true, num_sampled, unique, num_classes, seed=seed
    )
