"""`tsc.explain`: a record of which backend each call took, and why."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from typing import NamedTuple


class Explanation(NamedTuple):
    """One call.

    Attributes:
      function: The name of the called function, such as "sampled_softmax_loss".
      implementation: "fused" (the C++ op) or "composite" (TensorFlow's ops).
      reason: The reason for this implementation.
    """

    function: str
    implementation: str
    reason: str

    def __str__(self) -> str:
        """Returns one line."""
        return f"{self.function}: {self.implementation}: {self.reason}"


class Explanations(list[Explanation]):
    """The calls, in order. It prints as one line for each call."""

    def __str__(self) -> str:
        """Returns a line for each call."""
        return "\n".join(map(str, self)) or "no call yet"


_open: contextvars.ContextVar[tuple[Explanations, ...]] = contextvars.ContextVar(
    "tf_sampled_compat_explanations", default=()
)


@contextlib.contextmanager
def explain() -> Iterator[Explanations]:
    """Records which implementation the calls inside take, and why.

    A call in a `tf.function`, or in Keras's `fit`, is recorded when it is traced, not each time the
    function runs.

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
    """Records a call in every open `explain`."""
    for calls in _open.get():
        calls.append(Explanation(function, implementation, reason))
