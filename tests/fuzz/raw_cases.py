"""Calls of the raw ops: good ones of which up to three things are then spoilt."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import strategies as st

FLOATS = ("float32", "float64", "float16", "bfloat16")
DTYPES = (*FLOATS, "int32", "int64", "int8", "uint8", "bool", "complex64", "string")
ODD_IDS = (-1, 0, 3, 2**30, 2**31 - 1, -(2**31), 2**31, 2**62, 2**63 - 1, -(2**63))
ODD_FLOATS = ("nan", "inf", "-inf", 0.0, -1.0, 1e30, -1e30, 1e-45, 65504.0)
# Sizes of tensors without elements, which need no memory.
HUGE = (2**31, 2**40, 2**55, 2**62)


class Tensor(NamedTuple):
    """An input: numbers from [low, high), some of which are then replaced."""

    dtype: str
    shape: tuple[int, ...]
    low: float = -1
    high: float = 1
    seed: int = 0
    odd: tuple[tuple[int, Any], ...] = ()


class Call(NamedTuple):
    """A call of an op.

    Attributes:
      op: The name of its wrapper, without the prefix.
      inputs: Its inputs.
      attributes: Its attributes.
      mode: "eager"; or "graph", where a shape is unknown until it runs; or "constants", where all
        shapes are known.
    """

    op: str
    inputs: dict[str, Tensor]
    attributes: dict[str, Any]
    mode: str


def as_call(fields: list) -> Call:
    """Returns the call that JSON has read."""
    op, inputs, attributes, mode = fields
    made = {
        name: Tensor(dtype, tuple(shape), low, high, seed, tuple(map(tuple, odd)))
        for name, (dtype, shape, low, high, seed, odd) in inputs.items()
    }
    return Call(op, made, attributes, mode)


@st.composite
def calls(draw) -> Call:
    name = draw(st.sampled_from(sorted(OPS)))
    seed = draw(st.integers(0, 1000))
    pick = lambda *values: draw(st.sampled_from(values))  # noqa: E731
    inputs, attributes = OPS[name](pick, draw)
    inputs = {key: each._replace(seed=seed + i) for i, (key, each) in enumerate(inputs.items())}
    for _ in range(draw(st.integers(0, 3))):
        if draw(st.integers(0, 3)) == 0 and attributes:
            key = pick(*sorted(attributes))
            attributes[key] = draw(_odd_attribute(key, attributes[key]))
        else:
            key = pick(*sorted(inputs))
            inputs[key] = draw(_spoilt(inputs[key]))
    return Call(name, inputs, attributes, pick("eager", "graph", "constants"))


@st.composite
def _spoilt(draw, tensor: Tensor) -> Tensor:
    """Changes a dtype, a dimension, the rank or a few numbers."""
    shape = list(tensor.shape)
    what = draw(st.sampled_from(["numbers", "numbers", "size", "rank", "dtype"]))
    if what == "numbers":
        pool = ODD_FLOATS if tensor.dtype in FLOATS else ODD_IDS
        one = st.tuples(st.integers(0, 40), st.sampled_from(pool))
        return tensor._replace(odd=tuple(draw(st.lists(one, min_size=1, max_size=2))))
    if what == "dtype":
        return tensor._replace(dtype=draw(st.sampled_from(DTYPES)))
    if what == "rank" or not shape:
        change = draw(st.sampled_from([[], [*shape, 1], [1, *shape], [2, *shape], shape[:-1]]))
        return tensor._replace(shape=tuple(change))
    place = draw(st.integers(0, len(shape) - 1))
    empty = any(size == 0 for i, size in enumerate(shape) if i != place)
    sizes = [0, 1, shape[place] + 1, max(shape[place] - 1, 0), 70, *(HUGE if empty else ())]
    shape[place] = draw(st.sampled_from(sizes))
    return tensor._replace(shape=tuple(shape))


def _odd_attribute(name: str, value: Any) -> st.SearchStrategy:
    if isinstance(value, bool):
        return st.just(not value)
    if isinstance(value, str):
        return st.sampled_from(["", "x", "softmax", "uniform", "log_uniform", "labels", "a" * 300])
    if isinstance(value, int):
        # Nothing between: 2**30 draws are allowed, and take seconds.
        return st.sampled_from([0, -1, 1, 8, 65, 1000, 2**53, 2**62, 2**63 - 1, -(2**63)])
    return st.just(value)


def _compute(pick) -> tuple[str, str, str]:
    """Picks dtypes of inputs, rows and the computation, mostly such that go together."""
    inputs = pick(*FLOATS)
    return inputs, pick(inputs, "float32"), "float64" if inputs == "float64" else "float32"


def _sampled(pick, draw, terms: bool, gradient: bool):
    T, Tr, Tc = _compute(pick)
    B, U, S, N, D = pick(0, 1, 3, 9), pick(1, 4, 20), pick(0, 1, 5, 33), pick(1, 2), pick(1, 3, 17)
    hits = [] if not (B and S) else pick([], [[0, 0]], [[0, S - 1]])
    inputs = {
        "inputs": Tensor(T, (B, D)),
        "rows": Tensor(Tr, (U, D)),
        "biases": Tensor(Tc, (U,)),
        "sampled_positions": Tensor("int32", (S,), 0, U),
        "true_positions": Tensor("int32", (B, N), 0, U),
        "hits": Tensor("int32", (len(hits), 2), 0, 1, 0, tuple(enumerate(hits[0])) if hits else ()),
        "true_offset": Tensor(Tc, (B, N)),
        "sampled_offset": Tensor(Tc, (S,)),
    }
    if gradient:
        inputs |= {"normalizer": Tensor(Tc, (2, B)), "kept": Tensor(Tc, (0,))}
        upstream = ("d_negatives", "d_true_logits") if terms else ("upstream",)
        shapes = (B,), (B, N)
        inputs |= {name: Tensor(Tc, shape) for name, shape in zip(upstream, shapes)}
    attributes: dict[str, Any] = {"kind": pick("softmax", "sigmoid")}
    return inputs, attributes if gradient else {**attributes, "keep": pick(True, False)}


def _row_logits(pick, draw, gradient: bool):
    T, Tr, Tc = _compute(pick)
    B, U, N, D = pick(0, 1, 3, 9), pick(1, 4, 20), pick(0, 1, 5, 33), pick(0, 1, 3, 17)
    inputs = {
        "inputs": Tensor(T, (B, D)),
        "rows": Tensor(Tr, (U, D)),
        "biases": Tensor(Tc, (U,)),
        "positions": Tensor("int32", (B, N), 0, U),
    }
    return inputs | ({"upstream": Tensor(Tc, (B, N))} if gradient else {}), {}


def _full(pick, draw):
    T, Tr, Tc = _compute(pick)
    B, C, D = pick(0, 1, 3, 9), pick(0, 1, 4, 70), pick(0, 1, 3, 17)
    inputs = {
        "inputs": Tensor(T, (B, D)),
        "weights": Tensor(Tr, (C, D)),
        "biases": Tensor(Tc, (C,)),
    }
    return inputs, {"kind": pick("softmax", "sigmoid")}


def _reduce(pick, draw, gradient: bool):
    inputs, attributes = _full(pick, draw)
    Tc, B = inputs["biases"].dtype, inputs["inputs"].shape[0]
    true = B, pick(0, 1, 2)
    inputs |= {"labels": Tensor("int64", true, -1, 9)}
    if gradient:
        inputs |= {"reduced": Tensor(Tc, (B,)), "d_reduced": Tensor(Tc, (B,))}
        inputs |= {"d_true_logits": Tensor(Tc, true)}
    return inputs, attributes


def _top_k(pick, draw):
    inputs, _ = _full(pick, draw)
    Tc, B = inputs["biases"].dtype, inputs["inputs"].shape[0]
    k = pick(0, 1, inputs["weights"].shape[0])
    inputs |= {"k": Tensor("int32", (), k, k + 1), "bar": Tensor(Tc, (B,))}
    return inputs, {}


def _tapas(pick, draw):
    inputs, _ = _full(pick, draw)
    inputs["rows"] = inputs.pop("weights")
    biases = inputs.pop("biases")
    return inputs | {"biases": biases, "temperature": Tensor(biases.dtype, (), 0.5, 2)}, {}


def _plan(pick, draw):
    inputs = {
        "labels": Tensor("int64", (pick(0, 1, 9), pick(1, 2)), 0, 9),
        "sampled": Tensor("int64", (pick(0, 1, 33),), 0, 9),
    }
    return inputs, {"find_hits": pick(True, False), "unique": pick(True, False)}


def _class_ids(pick, draw):
    attributes = {"argument": pick("labels", "sampled_candidates", "drawn_candidates")}
    attributes |= {"weights_rows": 9, "biases_rows": 9, "num_classes": 9}
    return {"ids": Tensor("int64", (pick(0, 1, 9),), 0, 9)}, attributes


def _log_offset(pick, draw):
    T, _, Tc = _compute(pick)
    argument = pick("true_expected_count", "sampled_expected_count")
    return {"counts": Tensor(T, (pick(0, 1, 70),), 0.1, 2)}, {"argument": argument, "Tc": Tc}


def _draws(pick, draw):
    range_max = pick(1, 7, 100, 2**53)
    unique = pick(True, False)
    return {"seed": Tensor("int64", (2,), -(2**40), 2**40)}, {
        "law": pick("uniform", "log_uniform"),
        "num_sampled": pick(1, min(7, range_max), 64),
        "unique": unique,
        "range_max": range_max,
        "log2_range": draw(st.sampled_from([0, "right", "right", 1, 2**62, 53 << 56])),
    }


OPS = {
    "class_ids": _class_ids,
    "full_reduce": lambda pick, draw: _reduce(pick, draw, False),
    "full_reduce_grad": lambda pick, draw: _reduce(pick, draw, True),
    "full_top_k": _top_k,
    "log_offset": _log_offset,
    "plan": _plan,
    "row_logits": lambda pick, draw: _row_logits(pick, draw, False),
    "row_logits_grad": lambda pick, draw: _row_logits(pick, draw, True),
    "sampled_loss": lambda pick, draw: _sampled(pick, draw, False, False),
    "sampled_loss_grad": lambda pick, draw: _sampled(pick, draw, False, True),
    "sampled_terms": lambda pick, draw: _sampled(pick, draw, True, False),
    "sampled_terms_grad": lambda pick, draw: _sampled(pick, draw, True, True),
    "stateless_draws": _draws,
    "tapas_scores": _tapas,
}
