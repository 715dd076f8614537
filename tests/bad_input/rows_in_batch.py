"""The in-batch loss of two towers: sizes, ids, counts. TensorFlow has no twin."""

import numpy as np

from tests.bad_input import facts
from tests.bad_input.case import AT_RUN_TIME, BATCH, BOTH, DIM, Case, Raises, Works

_R = np.random.RandomState(0)
GOOD = {
    "queries": _R.randn(BATCH, DIM).astype(np.float32),
    "candidates": _R.randn(BATCH, DIM).astype(np.float32),
    "candidate_ids": np.array([3, 7, 3, 0], np.int64),
}
EXTRA = {
    "extra_candidates": _R.randn(2, DIM).astype(np.float32),
    "extra_ids": np.array([7, 9], np.int64),
}
COUNTS = (np.ones([BATCH, 1], np.float32), np.ones([2], np.float32))
CHANCE = np.full([BATCH], 0.25, np.float32)
BOTH_CHANCES = "candidate_sampling_probability"


def case(name, expect, tensors, **options):
    def call(root, t):
        return root.nn.in_batch_softmax_loss(**t, **options)

    tensors = {**GOOD, **tensors}
    tensors = {key: value for key, value in tensors.items() if value is not None}
    return Case(f"in_batch_{name}", facts.IN_BATCH, tensors, call, None, expect)


def at_once(*words):
    return Raises(BOTH, words)


def running(*words):
    """The same, or the error of a running graph, for what only values or sizes tell."""
    return Raises(AT_RUN_TIME, words)


def activations():
    yield case("good", Works((BATCH,)), {})
    yield case("good_extra", Works((BATCH,)), {**EXTRA, BOTH_CHANCES: np.ones([BATCH + 2])},
               extra_expected_counts=COUNTS)  # fmt: skip
    yield case("no_float", at_once("queries", "floating-point", "int64"),
               {"queries": np.ones([BATCH, DIM], np.int64)})  # fmt: skip
    yield case("ids_as_candidates", at_once("candidates", "floating-point", "int64"),
               {"candidates": GOOD["candidate_ids"]})  # fmt: skip
    more = np.ones([BATCH + 2, DIM], np.float32)
    yield case("too_many", running("candidates", "as many rows as queries", "extra_candidates"),
               {"candidates": more})  # fmt: skip
    yield case("too_wide", running("candidates", "dim|8"),
               {"candidates": np.ones([BATCH, DIM + 1], np.float32)})  # fmt: skip
    yield case("extra_too_wide", running("extra_candidates", "dim|8"),
               {**EXTRA, "extra_candidates": np.ones([2, DIM + 1], np.float32)})  # fmt: skip


def ids():
    yield case("float_ids", at_once("candidate_ids", "integers or strings", "float32"),
               {"candidate_ids": CHANCE})  # fmt: skip
    yield case("few_ids", running("candidate_ids", "an id for each candidate"),
               {"candidate_ids": GOOD["candidate_ids"][:3]})  # fmt: skip
    yield case("no_extra_ids", at_once("extra_ids", "ids of extra_candidates"),
               {**EXTRA, "extra_ids": None})  # fmt: skip
    yield case("extra_ids_alone", at_once("extra_ids", "candidate_ids beside"),
               {**EXTRA, "candidate_ids": None})  # fmt: skip
    yield case("ids_of_nothing", at_once("extra_ids", "extra_candidates"),
               {**EXTRA, "extra_candidates": None})  # fmt: skip
    yield case("id_out_of_range", running("candidate_ids", r"\[0, 5\)", "7"), {},
               frequencies=np.ones(5))  # fmt: skip


def counts():
    for name, value in (("zero", 0.0), ("negative", -1.0), ("nan", np.nan), ("inf", np.inf)):
        chance = np.array([0.5, value, 0.5, 0.5], np.float32)
        yield case(f"{name}_chance", running(BOTH_CHANCES, "positive finite"),
                   {BOTH_CHANCES: chance})  # fmt: skip
    yield case("never_seen", running("frequencies", "add 1"), {},
               frequencies=np.eye(1, 10)[0])  # fmt: skip
    yield case("chance_shape", running(BOTH_CHANCES, "batch_size"), {BOTH_CHANCES: CHANCE[:2]})
    yield case("chances_twice", at_once("frequencies, candidate_sampling_probability", "one of"),
               {BOTH_CHANCES: CHANCE}, frequencies=np.ones(10))  # fmt: skip
    yield case("frequencies_without_ids", at_once("candidate_ids", "looked up by id"),
               {"candidate_ids": None}, frequencies=np.ones(10))  # fmt: skip
    yield case("counts_without_chance", at_once("frequencies", "one of the two", "neither"),
               EXTRA, extra_expected_counts=COUNTS)  # fmt: skip
    yield case("counts_of_nothing", at_once("extra_expected_counts", "extra_candidates beside"),
               {BOTH_CHANCES: CHANCE}, extra_expected_counts=COUNTS)  # fmt: skip
    yield case("counts_no_pair", at_once("extra_expected_counts", "true_expected_count"),
               EXTRA, extra_expected_counts=COUNTS[:1], frequencies=np.ones(10))  # fmt: skip


def the_rest():
    for name, value in (("zero", 0.0), ("negative", -1.0), ("inf", float("inf"))):
        yield case(f"{name}_temperature", at_once("temperature", "positive finite"), {},
                   temperature=value)  # fmt: skip
    yield case("mask_shape", running("mask", "a boolean for each query"),
               {"mask": np.ones([3], bool)})  # fmt: skip
    yield case("implementation", Raises(("ValueError",), ("implementation", "'fast'")), {},
               implementation="fast")  # fmt: skip


CASES = [*activations(), *ids(), *counts(), *the_rest()]
