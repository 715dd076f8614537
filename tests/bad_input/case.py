"""A case of bad input: a call, its row of the table "Bad input", and the expected result."""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, NamedTuple, Optional, Union

import numpy as np

SOFTMAX, NCE = "sampled_softmax_loss", "nce_loss"
SPARSE, RANK = "sampled_sparse_softmax_loss", "rank_sampled_softmax_loss"
LOSSES = (SOFTMAX, NCE, SPARSE, RANK)
TWINNED = (SOFTMAX, NCE, SPARSE)  # those whose values TensorFlow 2 still computes

C, DIM, BATCH, NUM_SAMPLED = 50, 8, 4, 5


class LikeTensorFlow(NamedTuple):
    """TensorFlow raises in the same mode; so do we, with an error that its handlers catch."""

    words: tuple[str, ...]


class Raises(NamedTuple):
    """We raise where TensorFlow is silently wrong or never returns; TensorFlow is not called."""

    classes: tuple[str, ...]
    words: tuple[str, ...]


class EqualsTensorFlow(NamedTuple):
    """TensorFlow works in the same mode; losses and gradients are equal."""

    gradients: bool = True


class Works(NamedTuple):
    """TensorFlow has no twin, or it refuses. Our losses are finite except for the rows named."""

    shape: tuple[int, ...]
    nan_rows: tuple[int, ...] = ()


Expectation = Union[LikeTensorFlow, Raises, EqualsTensorFlow, Works]

# Where we choose the class, either handler must catch the error: see `errors.ArgumentError`.
BOTH = ("InvalidArgumentError", "ValueError")
# The error of an assertion in a running graph, for values that were unknown while tracing.
AT_RUN_TIME = ("InvalidArgumentError",)


@dataclasses.dataclass(frozen=True)
class Variable:
    """A leaf of `Case.tensors` that is passed to the call as a `tf.Variable`."""

    value: Any


class Case(NamedTuple):
    """One call.

    Attributes:
      name: Unique; the test's id.
      fact: Its row of the table "Bad input".
      tensors: A structure of arrays (and `Variable`s). Each mode feeds it in its own way: as eager
        tensors, as arguments of a `tf.function`, or by placeholders.
      ours: `(tf_sampled_compat, tensors)` to the result.
      stock: `(tensorflow, tensors)` to TensorFlow's result; None if it is not called.
      expect: The expected result.
      modes: The modes it runs in; None for all of them.
      unknown_tables: Whether weights and biases come without a shape too, where shapes are unknown.
    """

    name: str
    fact: str
    tensors: dict[str, Any]
    ours: Callable[[Any, dict[str, Any]], Any]
    stock: Optional[Callable[[Any, dict[str, Any]], Any]]
    expect: Expectation
    modes: Optional[tuple[str, ...]] = None
    unknown_tables: bool = False


# All losses have the same checks. If a row is for several losses, each runs eagerly, and each other
# mode runs for one of them.
_MODES = {
    SOFTMAX: ("eager", "function_unknown", "graph_unknown"),
    NCE: ("eager", "graph"),
    SPARSE: ("eager", "function"),
    RANK: ("eager", "function"),
}


def arrays(**changes: Any) -> dict[str, Any]:
    """Returns the tensors of a good call, with some changed; None removes one."""
    r = np.random.RandomState(0)
    good = {
        "weights": r.randn(C, DIM).astype(np.float32),
        "biases": r.randn(C).astype(np.float32),
        "labels": np.array([[3], [7], [0], [49]], np.int64),
        "inputs": r.randn(BATCH, DIM).astype(np.float32),
    }
    good.update(changes)
    return {key: value for key, value in good.items() if value is not None}


def fixed(sampled=(1, 4, 7, 3, 40), true=None, counts=None, num_true=1, rows=BATCH):
    """Returns `sampled_values` in which classes 3 and 7 are accidental hits of `arrays()`."""
    r = np.random.RandomState(1)
    true_count = r.uniform(0.1, 1, (rows, num_true)).astype(np.float32)
    sampled_count = r.uniform(0.1, 1, np.shape(sampled)).astype(np.float32)
    return (
        np.asarray(sampled, np.int64),
        true_count if true is None else np.asarray(true, np.float32),
        sampled_count if counts is None else np.asarray(counts, np.float32),
    )


def changed(array: np.ndarray, index: Any, value: Any) -> np.ndarray:
    """Returns a copy of an array with one entry changed."""
    copy = np.array(array)
    copy[index] = value
    return copy


def of_losses(
    name: str,
    fact: str,
    expect: Expectation,
    tensors: dict[str, Any],
    losses: tuple[str, ...] = LOSSES,
    api: str = "nn",
    modes: Optional[tuple[str, ...]] = None,
    unknown_tables: bool = False,
    **options: Any,
) -> list[Case]:
    """Makes a case for each loss: a call by keyword with `tensors` and `options`.

    The options `ours_only` are not passed to TensorFlow.
    """
    ours_only = options.pop("ours_only", {})
    cases = []
    for loss in losses:
        given = {"num_sampled": NUM_SAMPLED, "num_classes": C, **options}
        twin = loss if loss in (SOFTMAX, NCE) else SOFTMAX
        ours = dict(given)
        if loss == SPARSE:
            ours.pop("num_true", None)
        if loss == RANK:
            ours.setdefault("num_resampled", 3)
        for key in ("num_resampled", "resampling_temperature"):
            given.pop(key, None)
        if loss in (SPARSE, RANK) and "remove_accidental_hits" not in given:
            given["remove_accidental_hits"] = True
        cases.append(
            Case(
                name=f"{name}-{loss}" if api == "nn" else f"{name}-{api}.{loss}",
                fact=fact,
                tensors=tensors,
                ours=_caller(api, loss, {**ours, **ours_only}),
                stock=_caller(api, twin, given),
                expect=expect,
                modes=modes or (None if len(losses) == 1 else _MODES[loss]),
                unknown_tables=unknown_tables,
            )
        )
    return cases


def calling(name: str, fact: str, expect: Expectation, call: Callable, tensors: Any, **more: Any):
    """Makes the case of `call(api, tensors)`, the same for us and for TensorFlow."""
    return [Case(name, fact, tensors, call, call, expect, **more)]


def namespace(root: Any, path: str) -> Any:
    """Returns the module at a dotted path, such as "compat.v1.nn" of either package."""
    for part in path.split("."):
        root = getattr(root, part)
    return root


def _caller(api: str, loss: str, options: dict[str, Any]) -> Callable:
    def call(root, tensors):
        return getattr(namespace(root, api), loss)(**{**options, **tensors})

    return call
