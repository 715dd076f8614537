"""Mirrors `tf.nn` of TensorFlow 2.x, with the two losses that were removed with `tf.contrib`.

It adds exact losses and rankings over all classes, for evaluation.
"""

from tf_sampled_compat.core.samplers.tensorflow_kernels import (
    all_candidate_sampler,
    compute_accidental_hits,
    fixed_unigram_candidate_sampler,
    learned_unigram_candidate_sampler,
)
from tf_sampled_compat.nn.binary import sampled_binary_crossentropy
from tf_sampled_compat.nn.full import full_sigmoid_loss, full_softmax_loss, full_top_k
from tf_sampled_compat.nn.in_batch import in_batch_softmax_loss
from tf_sampled_compat.nn.nce import nce_loss
from tf_sampled_compat.nn.sampled import sampled_softmax_loss, sampled_sparse_softmax_loss
from tf_sampled_compat.nn.tapas import rank_sampled_softmax_loss

__all__ = [
    "all_candidate_sampler",
    "compute_accidental_hits",
    "fixed_unigram_candidate_sampler",
    "full_sigmoid_loss",
    "full_softmax_loss",
    "full_top_k",
    "in_batch_softmax_loss",
    "learned_unigram_candidate_sampler",
    "nce_loss",
    "rank_sampled_softmax_loss",
    "sampled_binary_crossentropy",
    "sampled_softmax_loss",
    "sampled_sparse_softmax_loss",
]
