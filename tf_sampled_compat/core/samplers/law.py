"""The common part of all stateless samplers: checks a call, draws by a law, returns the counts."""

from __future__ import annotations

import math
from typing import Any, Callable, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.class_ids import as_class_ids
from tf_sampled_compat.core.arguments.typing import TensorLike
from tf_sampled_compat.core.samplers import pieces
from tf_sampled_compat.core.samplers.expected_counts import expected_count
from tf_sampled_compat.core.samplers.fused_draws import FusedDraw
from tf_sampled_compat.core.samplers.inversion import RANGE_LIMIT
from tf_sampled_compat.core.samplers.philox import Stream, checked_seed
from tf_sampled_compat.core.samplers.unique_draws import Draws, draw_unique
from tf_sampled_compat.core.samplers.values import SampledValues
from tf_sampled_compat.core.tf import private

# How many draws to make at once, for each class wanted and at least. With far more classes than
# wanted, a Zipf-like law needs two to three draws per class. Both numbers are even, because a
# stream is read from an even word on.
_DRAWS_PER_CLASS = 4
_SMALLEST_BLOCK = 128
# Outside XLA an op draws no more at once, so that a program can be interrupted.
_LARGEST_BLOCK = 2**20


class Law(NamedTuple):
    """A distribution over classes.

    Attributes:
      invert: From `[N]` random words to `[N]` classes.
      probability: From classes of any shape to P(k), float64.
      possible: Whether num_sampled classes have a positive probability, if only the running graph
        knows.
      fused: Draws by the C++ op. None if the op has no such law, or is not available.
    """

    invert: Callable[[tf.Tensor], tf.Tensor]
    probability: Callable[[tf.Tensor], tf.Tensor]
    possible: Optional[tf.Tensor] = None
    fused: Optional[FusedDraw] = None


class Sizes(NamedTuple):
    """The checked numbers of a call."""

    num_true: int
    num_sampled: int
    range_max: int
    unique: bool


def checked_sizes(num_true: Any, num_sampled: Any, range_max: Any, unique: Any) -> Sizes:
    """Checks the numbers of a call, all of which must be known while it is traced."""
    size = Sizes(
        checks.known_size("num_true", num_true),
        checks.known_size("num_sampled", num_sampled),
        checks.known_size("range_max", range_max),
        checks.flag("unique", unique),
    )
    if size.range_max > RANGE_LIMIT:
        errors.fail("range_max", f"at most {RANGE_LIMIT}", size.range_max)
    pieces.check(size.num_sampled)
    if size.unique and size.num_sampled > size.range_max:
        expected = f"at most range_max = {size.range_max} classes (unique=True)"
        errors.fail("num_sampled", expected, size.num_sampled)
    return size


def sample(law: Law, true_classes: TensorLike, size: Sizes, seed: TensorLike) -> SampledValues:
    """Draws candidates by a law, and states the expected counts."""
    true_ids = as_class_ids(true_classes, "true_classes")
    checked = checked_seed(seed)
    true_ids = _checked_true_classes(true_ids, size)
    if law.fused is not None:
        draws = law.fused(checked, size.num_sampled, size.unique)
    else:
        draws = _composite_draws(law, size, Stream(checked))
    of_true = law.probability(true_ids)
    if private.in_xla_context():  # Elsewhere an id out of range has been an error.
        bad = (true_ids < 0) | (true_ids >= size.range_max)
        of_true = tf.where(bad, tf.constant(math.nan, tf.float64), of_true)
    return SampledValues(
        draws.classes,
        expected_count(of_true, size.num_sampled, draws),
        expected_count(law.probability(draws.classes), size.num_sampled, draws),
    )


def _composite_draws(law: Law, size: Sizes, stream: Stream) -> Draws:
    """Draws with TensorFlow's ops; draw i depends on word i of the stream alone."""
    if not size.unique:
        classes = pieces.in_pieces(
            lambda first, count: law.invert(stream.words(first, count)), size.num_sampled
        )
        return Draws(classes, tf.constant(size.num_sampled, tf.int64), None)
    block_size = max(_DRAWS_PER_CLASS * size.num_sampled, _SMALLEST_BLOCK)
    if not private.in_xla_context():
        block_size = min(block_size, _LARGEST_BLOCK)
    return draw_unique(
        lambda start, count: law.invert(stream.words(start, count)),
        num_sampled=size.num_sampled,
        range_max=size.range_max,
        block_size=block_size,
        largest_block=_LARGEST_BLOCK,
        most_tries=pieces.MOST_TRIES,
        possible=law.possible,
    )


def _checked_true_classes(classes: tf.Tensor, size: Sizes) -> tf.Tensor:
    expected = f"shape [batch_size, {size.num_true}] (num_true = {size.num_true})"
    if not classes.shape.is_compatible_with([None, size.num_true]):
        errors.fail("true_classes", expected, f"shape {classes.shape}")
    assertions = checks.width("true_classes", classes, size.num_true)
    assertions += checks.ids_in_range("true_classes", classes, size.range_max, None)
    return errors.after(assertions, classes)
