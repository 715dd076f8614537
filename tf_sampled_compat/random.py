"""Mirrors the candidate samplers of `tf.random`, and adds samplers that TensorFlow lacks.

The samplers under TensorFlow's names call its kernels, and so draw the same classes for a seed:

>>> sampled, true_count, sampled_count = tsc.random.log_uniform_candidate_sampler(
...     true_classes=[[3], [7]], num_true=1, num_sampled=5, unique=True, range_max=50, seed=1)
>>> sampled.shape
TensorShape([5])

The stateless samplers draw from the same distributions. For a seed they draw the same classes in
eager mode, in graphs and under XLA.
"""

from tf_sampled_compat.audit.run import audit
from tf_sampled_compat.core.samplers.learned import LearnedUnigramSampler
from tf_sampled_compat.core.samplers.mixture import InBatchSampler, MixtureSampler
from tf_sampled_compat.core.samplers.seeds import per_replica_seed
from tf_sampled_compat.core.samplers.stateless import (
    stateless_fixed_unigram_candidate_sampler,
    stateless_learned_unigram_candidate_sampler,
    stateless_log_uniform_candidate_sampler,
    stateless_uniform_candidate_sampler,
)
from tf_sampled_compat.core.samplers.tensorflow_kernels import (
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
    "per_replica_seed",
    "stateless_fixed_unigram_candidate_sampler",
    "stateless_learned_unigram_candidate_sampler",
    "stateless_log_uniform_candidate_sampler",
    "stateless_uniform_candidate_sampler",
    "uniform_candidate_sampler",
]
