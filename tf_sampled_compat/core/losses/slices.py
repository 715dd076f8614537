"""The entries of a table's sparse gradient: one for each occurrence of a class, or for each class.

TensorFlow's losses give an entry for each occurrence. `tf.clip_by_global_norm` then takes the norm
of the entries, and Keras 3's Adam takes a step for each entry. With one entry for each class, the
norm is the gradient's own, and each class gets one step.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
from collections.abc import Iterator
from typing import Literal, Optional, cast

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.arguments.checks import described

Slices = Literal["occurrence", "unique"]

ENVIRONMENT_VARIABLE = "TF_SAMPLED_COMPAT_GRADIENT_SLICES"

_of_block: contextvars.ContextVar[Optional[Slices]] = contextvars.ContextVar(
    "tf_sampled_compat_gradient_slices", default=None
)
_of_process: Optional[Slices] = None


@contextlib.contextmanager
def gradient_slices(slices: Optional[Slices]) -> Iterator[None]:
    """Sets the entries of the tables' gradients, for losses called (or traced) inside.

    Args:
      slices: "occurrence" gives an entry of the `IndexedSlices` for each occurrence of a class, the
        labels first, then the candidates, as in TensorFlow's losses. "unique" gives one for each
        class. None gives the function's default ("unique" in Keras, "occurrence" elsewhere).

    Under XLA it is always "occurrence", because shapes must not depend on values there.

    Raises:
      ValueError: For any other value.

    >>> table = tf.Variable(weights)
    >>> with tsc.gradient_slices("unique"), tf.GradientTape() as tape:
    ...     loss = tsc.nn.nce_loss(table, biases, [[3], [3]], inputs, 5, 50)
    >>> ids = tape.gradient(loss, table).indices
    >>> len(ids) == len(set(ids.numpy()))
    True
    """
    token = _of_block.set(checked("slices", slices))
    try:
        yield
    finally:
        _of_block.reset(token)


def set_for_process(slices: Optional[Slices]) -> None:
    """Sets the choice outside any `gradient_slices` block; None for the environment's choice."""
    global _of_process
    _of_process = checked("gradient_slices", slices)


def chosen(default: Slices) -> Slices:
    """Returns the choice of a block, of `install`, of the environment, or the default."""
    by_environment = checked(ENVIRONMENT_VARIABLE, os.environ.get(ENVIRONMENT_VARIABLE) or None)
    return _of_block.get() or _of_process or by_environment or default


def checked(argument: str, slices: Optional[str]) -> Optional[Slices]:
    """Checks a choice and returns it."""
    known = slices is None or (isinstance(slices, str) and slices in ("occurrence", "unique"))
    if not known:
        errors.fail(argument, "'occurrence', 'unique' or None", described(slices))
    return cast(Optional[Slices], slices)
