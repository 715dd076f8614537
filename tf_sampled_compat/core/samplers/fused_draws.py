"""The stateless draws in C++: the same classes for the same seed as `unique_draws`, faster."""

from __future__ import annotations

from typing import Callable, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.backends import library, setting
from tf_sampled_compat.core.samplers import inversion, pieces, reach, unique_draws
from tf_sampled_compat.core.samplers.unique_draws import Draws
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import with_shape

# From a `[2]` seed, num_sampled and unique to the draws.
FusedDraw = Callable[[tf.Tensor, int, bool], Draws]


def uniform(range_max: int) -> Optional[FusedDraw]:
    """Returns the op's draws by `inversion.uniform`, or None where the op is not available."""
    return _fused("uniform", range_max)


def log_uniform(range_max: int) -> Optional[FusedDraw]:
    """Returns the op's draws by `inversion.log_uniform`, or None where the op is not available."""
    return _fused("log_uniform", range_max, log2_range=inversion.log2(range_max + 1))


def weighted(cumulative: tf.Tensor, range_max: int) -> Optional[FusedDraw]:
    """Returns the op's draws by `inversion.weighted`, or None where the op is not available."""
    return _fused("weighted", range_max, cumulative=cumulative)


def _fused(
    law: str, range_max: int, *, log2_range: int = 0, cumulative: Optional[tf.Tensor] = None
) -> Optional[FusedDraw]:
    if private.in_xla_context() or private.in_vectorized_map():
        return None
    if setting.default() == "composite" or private.has_remote_devices():
        return None
    if private.is_exported() and setting.default() != "fused":
        return None
    if library.missing() is not None:
        return None

    def draw_by_op(seed: tf.Tensor, num_sampled: int, unique: bool) -> Draws:
        draw = _Draw(seed, law, range_max, log2_range, cumulative)
        if not unique:
            classes = draw.independent(num_sampled)
            tries = tf.constant(num_sampled, tf.int64)
        elif law != "weighted" and reach.fits_one_piece(law, range_max, num_sampled):
            classes, tries = draw.whole(num_sampled, True)
        else:
            classes, tries = draw.unique(num_sampled)
        # An error has been raised if classes are missing, so the draws are complete.
        return Draws(with_shape(classes, [num_sampled]), with_shape(tries, []), None)

    return draw_by_op


class _Draw:
    """The ops' draws by one law and seed."""

    def __init__(
        self,
        seed: tf.Tensor,
        law: str,
        range_max: int,
        log2_range: int,
        cumulative: Optional[tf.Tensor],
    ) -> None:
        self._seed, self._cumulative = seed, cumulative
        self._law = {"law": law, "range_max": range_max, "log2_range": log2_range}
        self._ops = library.load().ops

    def whole(self, num_sampled: int, unique: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Draws by one run of an op, which suffices."""
        return self._ops.sampled_compat_stateless_draws(
            seed=self._seed, num_sampled=num_sampled, unique=unique, **self._law
        )

    def independent(self, num_sampled: int) -> tf.Tensor:
        """Draws classes that may repeat."""
        if num_sampled <= pieces.PIECE and self._cumulative is None:
            return self.whole(num_sampled, False)[0]
        nothing = tf.constant([], tf.int64)

        def draw(first: tf.Tensor, size: int) -> tf.Tensor:
            return self._piece(size, False, nothing, first)[0]

        return pieces.in_pieces(draw, num_sampled)

    def unique(self, num_sampled: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Draws pieces until all classes are found."""

        # Grappler takes the size of `kept` for the size after the loop, and would not begin it. So
        # the number of classes is a variable too.
        def wants_more(found: tf.Tensor, kept: tf.Tensor, tries: tf.Tensor) -> tf.Tensor:
            del kept
            return (found < num_sampled) & (tries < pieces.MOST_TRIES)

        def one_more_piece(
            found: tf.Tensor, kept: tf.Tensor, tries: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            del found
            kept, tries = self._piece(num_sampled, True, kept, tries)
            return tf.size(kept), kept, tries

        found, classes, tries = tf.while_loop(
            wants_more,
            one_more_piece,
            (tf.constant(0), tf.constant([], tf.int64), tf.constant(0, tf.int64)),
            shape_invariants=tuple(map(tf.TensorShape, ([], [None], []))),
            parallel_iterations=1,
        )
        complete = tf.equal(found, num_sampled)
        enough = unique_draws.require(complete, num_sampled, pieces.MOST_TRIES)
        return errors.after(enough, classes), tries

    def _piece(
        self, num_sampled: int, unique: bool, kept: tf.Tensor, tries: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Goes on with a draw by one piece."""
        classes, tries = self._ops.sampled_compat_draws_piece(
            seed=self._seed,
            cumulative=tf.constant([], tf.int64) if self._cumulative is None else self._cumulative,
            kept=kept,
            num_tries=tries,
            num_sampled=num_sampled,
            unique=unique,
            **self._law,
        )
        return with_shape(classes, [None]), with_shape(tries, [])
