"""Wrong arguments of every public function: each way to call it refuses in the same words.

Here are mistakes that a graph knows while it is traced: sizes, shapes, dtypes, names. The other
targets have wrong values.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Callable, NamedTuple

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

import tf_sampled_compat as tsc
from tests.fuzz.outcome import Outcome, outcome, same_words
from tests.fuzz.target import Target

C, D, B, S = 7, 3, 2, 4
R = np.random.RandomState(0)
WEIGHTS, BIASES = R.randn(C, D).astype("f"), R.randn(C).astype("f")
INPUTS, LABELS = R.randn(B, D).astype("f"), np.array([[0], [1]])
VALUES = (np.array([1, 2, 3, 6]), np.full([B, 1], 0.5, "f"), np.full(S, 0.25, "f"))

# Words of errors that a trace does not raise: they need the values.
VALUES_ONLY = re.compile(r"class ids in \[|probability: expected pos|counts: expected (fin|at l)")
NAN, INF = float("nan"), float("inf")
# Odd arguments by kind. Each has a name, because it stands in a find.
SIZES = {
    repr(value): value
    for value in (0, -1, 1, 2.0, 1.5, True, None, "3", [3], NAN, INF, 10**30, 2**63, -(2**70), b"1")
} | {
    "np.int32(2)": np.int32(2),
    "np.array([2, 3])": np.array([2, 3]),
    "np.float16(2)": np.float16(2),
    "np.array('a')": np.array("a"),
    "1j": 1j,
    "tf.constant(2)": tf.constant(2),
    "tf.constant([2])": tf.constant([2]),
    "object()": object,
}  # fmt: skip
FLAGS = {repr(value): value for value in (0, 1, None, "no", 2.5, [], [True])} | {
    "np.False_": np.False_,
    "np.array([True, False])": np.array([True, False]),
    "tf.constant(False)": tf.constant(False),
}
STRATEGIES = {repr(value): value for value in ("mod", "", "Div", None, 3, b"div", ["div"])}
NAMES = {repr(value): value for value in (None, "good", "mod", 3, b"x", ["a"])}
SEEDS = {repr(value): value for value in (None, 0, -1, "a", "div", 1.5, True, 2**70, [1], NAN)}
TEMPERATURES = {
    repr(value): value for value in (2, 0.5, 0, -1.0, NAN, INF, None, "hot", [1.0, 2.0], True, 1j)
}


def odd_tensors(good: np.ndarray) -> dict[str, Any]:
    """Returns an array's wrong shapes and dtypes, and what is no array."""
    integer = good.dtype.kind == "i"
    return {
        "scalar": good.reshape(-1)[0],
        "row": good[0],
        "flat": good.reshape(-1),
        "deeper": good[None],
        "shorter": good[:-1],
        "longer": np.concatenate([good, good[:1]]),
        "wider": np.concatenate([good, good], axis=-1),
        "empty": good[:0],
        "no columns": good[..., :0],
        "strings": good.astype(str),
        "complex": good.astype(complex),
        "other kind": good.astype("f" if integer else "i"),
        "bool": good.astype(bool),
        "list": good.tolist(),
        "None": None,
        "'x'": "x",
        "[]": [],
        "{}": {},
        "object": object(),
        "uneven": [[1], [2, 3]],
        "mixed": [good, "x"],
        "sparse": tf.sparse.from_dense(np.atleast_2d(good)),
    }


TABLES = {
    "no pieces": [],
    "an empty piece": [WEIGHTS[:0], WEIGHTS],
    "pieces of two widths": [WEIGHTS[:4], WEIGHTS[4:, :2]],
    "pieces of two dtypes": [WEIGHTS[:4], WEIGHTS[4:].astype("d")],
    "uneven pieces": [WEIGHTS[:1], WEIGHTS[1:]],
}
BIAS_PIECES = {"uneven pieces": [BIASES[:1], BIASES[1:]]}
SAMPLED_VALUES = {
    **{repr(value): value for value in (None, (), 5, "abc", [1, 2, 3], {})},
    "two": VALUES[:2],
    "four": (*VALUES, VALUES[0]),
    "array": np.ones([3, 4]),
    "scalar candidates": (1, *VALUES[1:]),
    "deep candidates": (VALUES[0][None], *VALUES[1:]),
    "fewer candidates": (VALUES[0][:2], VALUES[1], VALUES[2][:2]),
    "strings": (VALUES[0].astype(str), *VALUES[1:]),
    "flat counts": (VALUES[0], VALUES[1][:, 0], VALUES[2]),
    "long counts": (*VALUES[:2], np.full(S + 1, 0.5)),
    "deep counts": (*VALUES[:2], np.ones([1, 1, S])),
    "counts by row": (*VALUES[:2], np.full([B, S], 0.5)),
    "string counts": (VALUES[0], "x", VALUES[2]),
    "complex counts": (*VALUES[:2], VALUES[2].astype(complex)),
    "no counts": (VALUES[0], None, VALUES[2]),
}


class Function(NamedTuple):
    """A public function, a good call, and the odd values of its arguments."""

    call: Callable
    good: dict[str, Any]
    odd: dict[str, dict[str, Any]]
    ours: bool = True  # Else TensorFlow's kernel checks, when it runs; and XLA has none.


def functions() -> dict[str, Function]:
    tables = {
        "weights": odd_tensors(WEIGHTS) | TABLES,
        "biases": odd_tensors(BIASES) | BIAS_PIECES,
        "inputs": odd_tensors(INPUTS),
        "partition_strategy": STRATEGIES,
        "name": NAMES,
    }
    given = {"weights": WEIGHTS, "biases": BIASES, "inputs": INPUTS, "partition_strategy": "div"}
    labels = {"labels": odd_tensors(LABELS)}
    sampled = {
        "num_sampled": SIZES,
        "num_classes": SIZES,
        "sampled_values": SAMPLED_VALUES,
        "remove_accidental_hits": FLAGS,
        "seed": SEEDS,
    }
    good = {**given, "labels": LABELS, "num_sampled": S, "num_classes": C}
    good["sampled_values"] = VALUES
    odd = {**tables, **labels, **sampled}
    true = {"num_true": SIZES}
    queries = {"queries": odd_tensors(INPUTS), "candidates": odd_tensors(INPUTS)}
    draws = {
        "true_classes": LABELS,
        "num_true": 1,
        "num_sampled": 3,
        "unique": True,
        "range_max": C,
    }
    odd_draws = {
        "true_classes": odd_tensors(LABELS),
        **dict.fromkeys(("num_true", "num_sampled", "range_max"), SIZES),
    }
    stateless = {**odd_draws, "seed": odd_tensors(np.array([1, 2]))}
    nn, random = tsc.nn, tsc.random
    return {
        "sampled_softmax_loss": Function(nn.sampled_softmax_loss, good, {**odd, **true}),
        "nce_loss": Function(nn.nce_loss, good, {**odd, **true}),
        "sampled_sparse_softmax_loss": Function(nn.sampled_sparse_softmax_loss, good, odd),
        "rank_sampled_softmax_loss": Function(
            nn.rank_sampled_softmax_loss,
            {**good, "num_resampled": 2},
            {**odd, **true, "num_resampled": SIZES, "resampling_temperature": TEMPERATURES},
        ),
        "full_softmax_loss": Function(
            nn.full_softmax_loss,
            {**given, "labels": LABELS},
            {**tables, **labels, **true, "num_classes": SIZES},
        ),
        "full_top_k": Function(
            nn.full_top_k,
            {**given, "k": 2},
            {
                **tables,
                **dict.fromkeys(("k", "num_classes"), SIZES),
                "exclude": odd_tensors(LABELS),
                "allowed": odd_tensors(LABELS[:, 0]),
            },
        ),
        "in_batch_softmax_loss": Function(
            nn.in_batch_softmax_loss,
            {"queries": INPUTS, "candidates": INPUTS, "candidate_ids": LABELS[:, 0]},
            {
                **queries,
                "candidate_ids": odd_tensors(LABELS[:, 0]),
                "candidate_sampling_probability": odd_tensors(np.full(B, 0.5, "f")),
                "mask": odd_tensors(np.ones(B, bool)),
                "extra_candidates": odd_tensors(INPUTS),
                "remove_accidental_hits": FLAGS,
                "temperature": TEMPERATURES,
            },
        ),
        "stateless_uniform": Function(
            random.stateless_uniform_candidate_sampler, {**draws, "seed": [1, 2]}, stateless
        ),
        "stateless_learned_unigram": Function(
            random.stateless_learned_unigram_candidate_sampler,
            {**draws, "seed": [1, 2], "counts": np.arange(1, C + 1)},
            {**stateless, "counts": odd_tensors(np.arange(1, C + 1))},
        ),
        "uniform": Function(
            random.uniform_candidate_sampler, draws, {**odd_draws, "seed": SEEDS}, False
        ),
        "log_uniform": Function(
            random.log_uniform_candidate_sampler, draws, {**odd_draws, "seed": SEEDS}, False
        ),
    }


FUNCTIONS = functions()


class Case(NamedTuple):
    """A call: the names of the arguments that are odd, and of what they are."""

    function: str
    odd: tuple[tuple[str, str], ...]


@st.composite
def cases(draw) -> Case:
    name = draw(st.sampled_from(sorted(FUNCTIONS)))
    pools = FUNCTIONS[name].odd
    chosen = draw(st.lists(st.sampled_from(sorted(pools)), min_size=1, max_size=2, unique=True))
    return Case(name, tuple((a, draw(st.sampled_from(sorted(pools[a])))) for a in chosen))


def check(case: Case) -> None:
    """Compares the words of all ways to call."""
    function = FUNCTIONS[case.function]
    odd = {argument: function.odd[argument][value] for argument, value in case.odd}
    arguments = {**function.good, **odd}

    def call(implementation: Any) -> Any:
        with tsc.implementation(implementation):
            return function.call(**arguments)

    def traced(implementation: Any, jit: bool) -> Any:
        f = functools.partial(call, implementation)
        tf.function(f, jit_compile=jit, autograph=False).get_concrete_function()
        return []

    outcomes: dict[str, Outcome] = {}
    for name in (None, "composite"):
        outcomes[name or "chosen"] = outcome(functools.partial(call, name))
        outcomes[f"{name or 'chosen'}, traced"] = outcome(functools.partial(traced, name, False))
    if function.ours:
        outcomes["XLA"] = outcome(functools.partial(traced, None, True))
    values = [mode for mode, each in outcomes.items() if VALUES_ONLY.search(each.words or "")]
    if values or not function.ours:  # A trace does not see values.
        outcomes = {mode: outcomes[mode] for mode in ("chosen", "composite")}
    words = same_words(outcomes)
    if function.ours and words is not None:
        named = any(argument in words for argument in function.odd)
        assert named, f"no argument is named: {words}"


TARGET = Target(
    "mistakes",
    cases(),
    check,
    kept=(
        # An AttributeError.
        Case("sampled_sparse_softmax_loss", (("weights", "sparse"),)),
        # An eager call named a label, a traced one the biases.
        Case("full_softmax_loss", (("biases", "no columns"),)),
    ),
    examples=150,
)
