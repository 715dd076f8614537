"""The stateless draws in C++: the same classes for the same seed as `unique_draws`, faster."""

from __future__ import annotations

from typing import Callable, Optional

import tensorflow as tf

from tf_sampled_compat.core.backends import library, setting
from tf_sampled_compat.core.samplers import inversion
from tf_sampled_compat.core.samplers.unique_draws import Draws
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import with_shape

# From a `[2]` seed, num_sampled and unique to the draws.
FusedDraw = Callable[[tf.Tensor, int, bool], Draws]


def uniform(range_max: int) -> Optional[FusedDraw]:
    """Returns the op's draws by `inversion.uniform`, or None where the op is not available."""
    return _fused("uniform", range_max, 0)


def log_uniform(range_max: int) -> Optional[FusedDraw]:
    """Returns the op's draws by `inversion.log_uniform`, or None where the op is not available."""
    return _fused("log_uniform", range_max, inversion.log2(range_max + 1))


def _fused(law: str, range_max: int, log2_range: int) -> Optional[FusedDraw]:
    if private.in_xla_context() or private.in_vectorized_map():
        return None
    if setting.default() == "composite" or private.has_remote_devices():
        return None
    if private.is_exported() and setting.default() != "fused":
        return None
    if library.missing() is not None:
        return None

    def draw_by_op(seed: tf.Tensor, num_sampled: int, unique: bool) -> Draws:
        classes, num_tries = library.load().ops.sampled_compat_stateless_draws(
            seed=seed,
            law=law,
            num_sampled=num_sampled,
            unique=unique,
            range_max=range_max,
            log2_range=log2_range,
        )
        # The op fails if it cannot find num_sampled classes, so the draws are complete.
        return Draws(with_shape(classes, [num_sampled]), with_shape(num_tries, []), None)

    return draw_by_op
