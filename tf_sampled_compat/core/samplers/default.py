"""What a loss draws by if it is given a name or nothing: TensorFlow's kernels, or under XLA ours.

XLA has none of TensorFlow's kernels. The stateless samplers draw by the same law there, but not the
same classes for a seed.
"""

from __future__ import annotations

from typing import Any, Callable, Optional

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.samplers import seeds, stateless, tensorflow_kernels
from tf_sampled_compat.core.samplers.values import SampledValues
from tf_sampled_compat.core.tf import private

Draw = Callable[..., SampledValues]


def log_uniform(*sizes: Any, seed: Optional[int] = None) -> SampledValues:
    """See `tf_sampled_compat.random.log_uniform_candidate_sampler`."""
    twin = stateless.stateless_log_uniform_candidate_sampler
    return _draw(tensorflow_kernels.log_uniform_candidate_sampler, twin, sizes, seed)


def uniform(*sizes: Any, seed: Optional[int] = None) -> SampledValues:
    """See `tf_sampled_compat.random.uniform_candidate_sampler`."""
    twin = stateless.stateless_uniform_candidate_sampler
    return _draw(tensorflow_kernels.uniform_candidate_sampler, twin, sizes, seed)


def fixed_unigram(*sizes: Any, seed: Optional[int] = None, **options: Any) -> SampledValues:
    """See `tf_sampled_compat.random.fixed_unigram_candidate_sampler`."""
    twin = stateless.stateless_fixed_unigram_candidate_sampler
    return _draw(tensorflow_kernels.fixed_unigram_candidate_sampler, twin, sizes, seed, **options)


def learned_unigram(*sizes: Any, seed: Optional[int] = None) -> SampledValues:
    """Draws by TensorFlow's kernel, which holds what was learned, as nothing does under XLA."""
    if private.in_xla_context():
        errors.fail(
            "sampled_values",
            "those of a tsc.random.LearnedUnigramSampler, as XLA cannot compile the default "
            "sampler, which learns",
            None,
        )
    return tensorflow_kernels.learned_unigram_candidate_sampler(*sizes, seed=seed)


def _draw(
    kernel: Draw, twin: Draw, sizes: tuple[Any, ...], seed: Optional[int], **options: Any
) -> SampledValues:
    if private.in_xla_context():
        return twin(*sizes, seeds.of_next_step(seed), **options)
    return kernel(*sizes, seed=seed, **options)
