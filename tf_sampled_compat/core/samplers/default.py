"""Samplers used when the caller passes a name or none: TensorFlow's kernels, or ours under XLA.

XLA cannot compile TensorFlow's kernels. There the stateless samplers take their place. They draw
from the same distribution, but not the same classes for a seed.
"""

from __future__ import annotations

from typing import Any, Callable, Optional

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.samplers import seeds, stateless, tensorflow_kernels
from tf_sampled_compat.core.samplers.values import SampledValues
from tf_sampled_compat.core.tf import private

SamplerFunction = Callable[..., SampledValues]


def log_uniform(*sizes: Any, seed: Optional[int] = None) -> SampledValues:
    """See `tf_sampled_compat.random.log_uniform_candidate_sampler`."""
    twin = stateless.stateless_log_uniform_candidate_sampler
    return _kernel_or_twin(tensorflow_kernels.log_uniform_candidate_sampler, twin, sizes, seed)


def uniform(*sizes: Any, seed: Optional[int] = None) -> SampledValues:
    """See `tf_sampled_compat.random.uniform_candidate_sampler`."""
    twin = stateless.stateless_uniform_candidate_sampler
    return _kernel_or_twin(tensorflow_kernels.uniform_candidate_sampler, twin, sizes, seed)


def fixed_unigram(*sizes: Any, seed: Optional[int] = None, **options: Any) -> SampledValues:
    """See `tf_sampled_compat.random.fixed_unigram_candidate_sampler`."""
    twin = stateless.stateless_fixed_unigram_candidate_sampler
    kernel = tensorflow_kernels.fixed_unigram_candidate_sampler
    return _kernel_or_twin(kernel, twin, sizes, seed, **options)


def learned_unigram(*sizes: Any, seed: Optional[int] = None) -> SampledValues:
    """Draws with TensorFlow's kernel, which holds the counts. It has no twin under XLA."""
    if private.in_xla_context():
        errors.fail(
            "sampled_values",
            "those of a tsc.random.LearnedUnigramSampler, as XLA cannot compile the default "
            "sampler, which learns",
            None,
        )
    return tensorflow_kernels.learned_unigram_candidate_sampler(*sizes, seed=seed)


BY_NAME: dict[str, SamplerFunction] = {
    "fixed_unigram": fixed_unigram,
    "learned_unigram": learned_unigram,
    "log_uniform": log_uniform,
    "uniform": uniform,
}
# The names of the samplers that the losses use by default, as TensorFlow's losses do.
FOR_SAMPLED_LOSSES = "log_uniform"
FOR_TAPAS = "learned_unigram"
FOR_BINARY_CROSSENTROPY = "uniform"


def _kernel_or_twin(
    kernel: SamplerFunction,
    twin: SamplerFunction,
    sizes: tuple[Any, ...],
    seed: Optional[int],
    **options: Any,
) -> SampledValues:
    if private.in_xla_context():
        return twin(*sizes, seeds.of_next_step(seed), **options)
    return kernel(*sizes, seed=seed, **options)
