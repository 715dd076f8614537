"""The three tensors that every sampler returns."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf


class SampledValues(NamedTuple):
    """Sampled classes and expected counts, in the order in which TensorFlow's samplers return them.

    With P(k) the probability of class k in one draw, the expected count of k is P(k) · num_sampled
    if draws may repeat. If they are unique it is 1 - (1 - P(k)) ** tries, where `tries` is the
    number of draws it took to find `num_sampled` distinct classes.

    Attributes:
      sampled_candidates: `[num_sampled]` int64 class ids.
      true_expected_count: `[batch_size, num_true]` float32: how often each true class is expected
        among the candidates.
      sampled_expected_count: `[num_sampled]` float32: the same for each candidate.
    """

    sampled_candidates: tf.Tensor
    true_expected_count: tf.Tensor
    sampled_expected_count: tf.Tensor
