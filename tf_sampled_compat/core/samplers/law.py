"""A stateless sampler, given the law it draws by: the checks, the draws and their counts."""

from __future__ import annotations

import math
from typing import Any, Callable, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.class_ids import as_class_ids
from tf_sampled_compat.core.samplers import unique_draws
from tf_sampled_compat.core.samplers.expected_counts import expected_count
from tf_sampled_compat.core.samplers.inversion import RANGE_LIMIT
from tf_sampled_compat.core.samplers.philox import Stream, checked_seed
from tf_sampled_compat.core.samplers.unique_draws import Draws
from tf_sampled_compat.core.samplers.values import SampledValues
from tf_sampled_compat.core.tf import private


class Law(NamedTuple):
    """How classes are distributed.

    Attributes:
      invert: Makes `[N]` classes of `[N]` words.
      probability: P(k), float64, of classes of any shape.
      possible: Whether there are S classes, where only the running graph knows.
      native: Draws as `unique_draws.draw` does from a seed, S and unique, or None to use that.
    """

    invert: Callable[[tf.Tensor], tf.Tensor]
    probability: Callable[[tf.Tensor], tf.Tensor]
    possible: Optional[tf.Tensor] = None
    native: Optional[Callable[[tf.Tensor, int, bool], Draws]] = None


class Sizes(NamedTuple):
    """The checked numbers of a call."""

    num_true: int
    num_sampled: int
    range_max: int
    unique: bool


def sizes(num_true: Any, num_sampled: Any, range_max: Any, unique: Any) -> Sizes:
    """Checks the numbers of a call, all of which must be known while it is traced."""
    known = [
        _known(argument, value)
        for argument, value in (
            ("num_true", num_true),
            ("num_sampled", num_sampled),
            ("range_max", range_max),
        )
    ]
    if known[2] > RANGE_LIMIT:
        errors.fail("range_max", f"at most {RANGE_LIMIT}", known[2])
    if unique and known[1] > known[2]:
        errors.fail(
            "num_sampled", f"at most range_max = {known[2]} classes (unique=True)", known[1]
        )
    return Sizes(*known, bool(unique))


def sample(law: Law, true_classes: Any, size: Sizes, seed: Any) -> SampledValues:
    """Draws by a law, and states its counts."""
    true_classes = as_class_ids(true_classes)
    seed = checked_seed(seed)
    true_classes = _checked_true_classes(true_classes, size)
    if law.native is not None:
        drawn = law.native(seed, size.num_sampled, size.unique)
    else:
        drawn = unique_draws.draw(
            Stream(seed),
            law.invert,
            num_sampled=size.num_sampled,
            range_max=size.range_max,
            unique=size.unique,
            possible=law.possible,
        )
    drawn = unique_draws.check(drawn)
    of_true = law.probability(true_classes)
    if private.in_xla_context():
        bad = (true_classes < 0) | (true_classes >= size.range_max)
        of_true = tf.where(bad, tf.constant(math.nan, tf.float64), of_true)
    return SampledValues(
        drawn.classes,
        expected_count(of_true, size.num_sampled, drawn),
        expected_count(law.probability(drawn.classes), size.num_sampled, drawn),
    )


def _checked_true_classes(classes: tf.Tensor, size: Sizes) -> tf.Tensor:
    expected = f"shape [batch_size, {size.num_true}] (num_true = {size.num_true})"
    if not classes.shape.is_compatible_with([None, size.num_true]):
        errors.fail("true_classes", expected, f"shape {classes.shape}")
    assertions = checks.width("true_classes", classes, size.num_true)
    assertions += checks.ids_in_range("true_classes", classes, size.range_max, None)
    return errors.after(assertions, classes)


def _known(argument: str, value: Any) -> int:
    number = checks.size_attribute(argument, value)
    if number is None:
        errors.fail(argument, "a number that is known while the call is traced", value)
    return number
