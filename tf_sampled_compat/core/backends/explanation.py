"""`tsc.explain`: a record of which backend each call took, and why."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from typing import NamedTuple


class Explanation(NamedTuple):
    """One call.

    Attributes:
      function: The name of the function that was called, as "sampled_softmax_loss".
      implementation: "fused" (the C++ op) or "composite" (TensorFlow's ops).
      reason: Why.
    """

    function: str
    implementation: str
    reason: str

    def __str__(self) -> str:
        """Returns one line."""
        return f"{self.function}: {self.implementation}: {self.reason}"


class Explanations(list[Explanation]):
    """The calls, in their order. Printed, it is a line a call."""

    def __str__(self) -> str:
        """Returns a line for each call."""
        return "\n".join(map(str, self)) or "no call yet"


_open: contextvars.ContextVar[tuple[Explanations, ...]] = contextvars.ContextVar(
    "tf_sampled_compat_explanations", default=()
)


@contextlib.contextmanager
def explain() -> Iterator[Explanations]:
    """Records which implementation the calls inside take, and why.

    A call in a `tf.function` is recorded when it is traced, not each time the function runs. A call
    in Keras's `fit` is recorded so, too.

    >>> with tsc.explain() as calls:
    ...     loss = tsc.nn.nce_loss(weights, biases, labels, inputs, 5, 50,
    ...                            implementation="composite")
    >>> print(calls)
    nce_loss: composite: the argument implementation='composite' asks for it

    Yields:
      A list of `Explanation`s, filled as calls are made: `function`, `implementation`, `reason`.
    """
    calls = Explanations()
    token = _open.set((*_open.get(), calls))
    try:
        yield calls
    finally:
        _open.reset(token)


def note(function: str, implementation: str, reason: str) -> None:
    """Tells every open `explain` of a call."""
    for calls in _open.get():
        calls.append(Explanation(function, implementation, reason))
