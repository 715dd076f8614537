"""Which implementation was asked for: by the caller, by a `with` block, by the environment."""

from __future__ import annotations

import contextlib
import contextvars
import os
from collections.abc import Iterator
from typing import Optional

from tf_sampled_compat.core.arguments import errors

ENVIRONMENT_VARIABLE = "TF_SAMPLED_COMPAT_IMPLEMENTATION"
NAMES = ("fused", "composite")

_default: contextvars.ContextVar[Optional[str]] = contextvars.ContextVar(
    "tf_sampled_compat_implementation", default=None
)


def default() -> Optional[str]:
    """Returns what calls take that name no implementation: a name, or None if they choose."""
    set_by_hand = os.environ.get(ENVIRONMENT_VARIABLE) or None
    return _default.get() or checked(ENVIRONMENT_VARIABLE, set_by_hand)


@contextlib.contextmanager
def implementation(name: Optional[str]) -> Iterator[None]:
    """Sets the implementation of the calls made (or traced) inside, unless they name one.

    Args:
      name: "fused" (the C++ op), "composite" (public TensorFlow ops), or None to choose.

    Raises:
      ValueError: For any other name.

    >>> with tsc.implementation("composite"):
    ...     loss = tsc.nn.nce_loss(weights, biases, labels, inputs, 5, 50)
    """
    token = _default.set(checked("implementation", name))
    try:
        yield
    finally:
        _default.reset(token)


def checked(argument: str, name: Optional[str]) -> Optional[str]:
    """Checks the name of an implementation."""
    if name is not None and name not in NAMES:
        errors.fail(argument, "'fused', 'composite' or None", repr(name))
    return name
