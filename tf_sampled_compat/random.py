"""Mirrors the candidate samplers of `tf.random`: the same kernels, and so the same draws.

>>> sampled, true_count, sampled_count = tsc.random.log_uniform_candidate_sampler(
...     true_classes=[[3], [7]], num_true=1, num_sampled=5, unique=True, range_max=50, seed=1)
>>> sampled.shape
TensorShape([5])
"""

from tf_sampled_compat.audit.run import audit
from tf_sampled_compat.core.learned import LearnedUnigramSampler
from tf_sampled_compat.core.mixture import InBatchSampler, MixtureSampler
from tf_sampled_compat.core.samplers import (
    all_candidate_sampler,
    fixed_unigram_candidate_sampler,
    learned_unigram_candidate_sampler,
    log_uniform_candidate_sampler,
    uniform_candidate_sampler,
)

__all__ = [
    "InBatchSampler",
    "LearnedUnigramSampler",
    "MixtureSampler",
    "all_candidate_sampler",
    "audit",
    "fixed_unigram_candidate_sampler",
    "learned_unigram_candidate_sampler",
    "log_uniform_candidate_sampler",
    "uniform_candidate_sampler",
]
