"""The power of the generalised binary cross entropy (gBCE), which undoes overconfidence.

Source: Petrov and Macdonald, "gSASRec: Reducing Overconfidence in Sequential Recommendation Trained
with Negative Sampling" (2023), arXiv:2308.07192.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.losses.description import Sampling
from tf_sampled_compat.core.samplers import default, stateless, tensorflow_kernels

_UNIFORM = (
    None,
    default.uniform,
    tensorflow_kernels.uniform_candidate_sampler,
    stateless.stateless_uniform_candidate_sampler,
)


def power(calibration: Any, sampling: Sampling) -> float:
    """Returns β = α (t (1 - 1/α) + 1/α), with α = S / (C - 1) and t the calibration.

    Raises:
      ArgumentError: If t is not in [0, 1]; if t > 0 and the sampling is not uniform, or S > C - 1.
    """
    t = checks.not_negative("calibration", calibration)
    if t > 1:
        errors.fail("calibration", "a number in [0, 1]", t)
    if t == 0:
        return 1.0
    sampler = sampling.sampler
    if getattr(sampler, "func", sampler) not in _UNIFORM:
        errors.fail("sampler", "a uniform one, which calibration > 0 needs", repr(sampler))
    if sampling.given() is not None:
        counts = tf.get_static_value(tf.convert_to_tensor(checks.three_values(sampling.given())[2]))
        if counts is None or counts.size == 0 or counts.min() != counts.max():
            errors.fail(
                "sampled_values: sampled_expected_count",
                "equal counts that are known while tracing, as calibration > 0 needs uniform "
                "candidates",
                counts,
            )
    size = checks.known_size("num_sampled", sampling.num_sampled)
    classes = checks.known_size("num_classes", sampling.num_classes)
    if size > classes - 1:
        errors.fail("num_sampled", f"at most num_classes - 1 = {classes - 1}", size)
    rate = size / (classes - 1)
    return rate * (t * (1 - 1 / rate) + 1 / rate)
