"""The requested implementation: by the caller, by a `with` block, or by the environment."""

from __future__ import annotations

import contextlib
import contextvars
import os
from collections.abc import Iterator
from typing import Optional

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.arguments.checks import described

ENVIRONMENT_VARIABLE = "TF_SAMPLED_COMPAT_IMPLEMENTATION"
NAMES = ("fused", "composite")

_default: contextvars.ContextVar[Optional[str]] = contextvars.ContextVar(
    "tf_sampled_compat_implementation", default=None
)


@contextlib.contextmanager
def implementation(name: Optional[str]) -> Iterator[None]:
    """Sets the implementation of calls made (or traced) inside, unless they name one.

    Args:
      name: "fused" (the C++ op), "composite" (public TensorFlow ops), or None to choose.

    Raises:
      ValueError: For any other name.

    >>> with tsc.implementation("composite"):
    ...     loss = tsc.nn.nce_loss(weights, biases, labels, inputs, 5, 50)
    """
    token = _default.set(_checked("implementation", name))
    try:
        yield
    finally:
        _default.reset(token)


def requested(argument: Optional[str]) -> tuple[Optional[str], str]:
    """Returns the requested implementation, or None, and the source of the request.

    Args:
      argument: The call's argument `implementation`.
    """
    if _checked("implementation", argument):
        return argument, f"the argument implementation={argument!r}"
    if _default.get():
        return _default.get(), f"tsc.implementation({_default.get()!r})"
    set_by_hand = _checked(ENVIRONMENT_VARIABLE, os.environ.get(ENVIRONMENT_VARIABLE) or None)
    return set_by_hand, f"the environment variable {ENVIRONMENT_VARIABLE}"


def default() -> Optional[str]:
    """Returns the implementation of calls that name none, or None to choose for each call."""
    return requested(None)[0]


def _checked(argument: str, name: Optional[str]) -> Optional[str]:
    if name is not None and (not isinstance(name, str) or name not in NAMES):
        errors.fail(argument, "'fused', 'composite' or None", described(name))
    return name
