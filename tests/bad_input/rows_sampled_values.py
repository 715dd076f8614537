"""`sampled_values`: expected counts without a logarithm or of the wrong shape, ids, sizes."""

import numpy as np

from tests.bad_input import facts
from tests.bad_input.case import (
    AT_RUN_TIME,
    BATCH,
    LOSSES,
    NCE,
    NUM_SAMPLED,
    RANK,
    SOFTMAX,
    SPARSE,
    TWINNED,
    EqualsTensorFlow,
    LikeTensorFlow,
    Raises,
    Works,
    arrays,
    changed,
    fixed,
    of_losses,
)

IDS, TRUE, SAMPLED = fixed()


def given(*values):
    return arrays(sampled_values=tuple(values))


def counts_without_logarithm():
    for name, value in (("zero", 0), ("negative", -1), ("nan", np.nan), ("inf", np.inf)):
        yield from of_losses(
            f"sampled_count_{name}",
            facts.COUNT_NOT_POSITIVE,
            Raises(AT_RUN_TIME, ("sampled_expected_count", "positive finite", f"(?i){value}")),
            given(IDS, TRUE, changed(SAMPLED, 4, value)),
        )
        yield from of_losses(
            f"true_count_{name}",
            facts.COUNT_NOT_POSITIVE,
            Raises(AT_RUN_TIME, ("true_expected_count", "positive finite", f"(?i){value}")),
            given(IDS, changed(TRUE, (2, 0), value), SAMPLED),
        )


def true_count_shapes():
    yield from of_losses(
        "true_count_of_shape_batch",
        facts.COUNT_SHAPE,
        Raises(AT_RUN_TIME, ("true_expected_count", "num_true", r"\(4,\)|\[4\]")),
        given(IDS, TRUE[:, 0], SAMPLED),
    )
    yield from of_losses(
        "true_count_of_shape_batch_by_sampled",
        facts.COUNT_SHAPE,
        Raises(AT_RUN_TIME, ("true_expected_count", "num_true", r"\(4, 5\)|\[4 5\]")),
        given(IDS, np.tile(TRUE, [1, NUM_SAMPLED]), SAMPLED),
    )
    two = np.array([[3, 4], [7, 8], [0, 1], [49, 2]], np.int64)
    ids, true, sampled = fixed(num_true=2)
    for num_true, labels in ((1, two[:, :1]), (2, two)):
        fits = {
            "batch_by_one": true[:, :1],
            "one_by_true": true[:1, :num_true],
            "flat_true": true[0, :num_true],
            "scalar": true[0, 0],
            "full": true[:, :num_true],
        }
        for name, count in fits.items():
            tensors = arrays(labels=labels, sampled_values=(ids, count, sampled))
            yield from of_losses(
                f"true_count_{name}_of_{num_true}",
                facts.COUNT_SHAPE,
                EqualsTensorFlow(),
                tensors,
                TWINNED if num_true == 1 else (SOFTMAX, NCE),
                num_true=num_true,
            )
            yield from of_losses(
                f"true_count_{name}_of_{num_true}",
                facts.COUNT_SHAPE,
                Works((BATCH,)),
                tensors,
                (RANK,),
                num_true=num_true,
            )
    yield from of_losses(
        "true_count_too_many_rows",
        facts.COUNT_SHAPE,
        LikeTensorFlow(("true_expected_count", r"num_true", r"\(5, 1\)|\(None, None\)|\[5 1\]")),
        given(IDS, fixed(rows=5)[1], SAMPLED),
    )


def sampled_count_shapes():
    fits = {
        "scalar": SAMPLED[0],
        "one": SAMPLED[:1],
        "one_by_sampled": SAMPLED[None],
        "batch_by_sampled": np.linspace(0.1, 1, BATCH * NUM_SAMPLED).reshape(BATCH, NUM_SAMPLED),
        "batch_by_one": SAMPLED[:BATCH, None],
    }
    for name, count in fits.items():
        yield from of_losses(
            f"sampled_count_{name}",
            facts.COUNT_SHAPE,
            EqualsTensorFlow(),
            given(IDS, TRUE, count.astype(np.float32)),
            TWINNED,
        )
    misfits = {
        "one_too_many": (np.append(SAMPLED, 1), r"\(6,\)|\(None,\)|\[6\]"),
        "column": (SAMPLED[:, None], r"\(5, 1\)|\(None, None\)|\[5 1\]"),
        "cube": (np.ones([2, BATCH, NUM_SAMPLED]), r"\(2, 4, 5\)|\(None, None, None\)|\[2 4 5\]"),
    }
    for name, (count, shape) in misfits.items():
        yield from of_losses(
            f"sampled_count_{name}",
            facts.COUNT_SHAPE,
            LikeTensorFlow(("sampled_expected_count", "num_sampled", shape)),
            given(IDS, TRUE, count.astype(np.float32)),
        )
    # With one candidate any count broadcasts, and TensorFlow's loss is over five.
    yield from of_losses(
        "sampled_count_of_one_candidate",
        facts.COUNT_SHAPE,
        Raises(AT_RUN_TIME, ("sampled_expected_count", "num_sampled", r"\(5,\)|\[5\]")),
        given(IDS[:1], TRUE, SAMPLED),
        TWINNED,
        num_sampled=1,
    )


def how_many():
    wrong = {"two": (IDS, TRUE), "four": (IDS, TRUE, SAMPLED, SAMPLED)}
    for name, values in wrong.items():
        yield from of_losses(
            f"sampled_values_{name}",
            facts.SAMPLED_VALUES,
            LikeTensorFlow(("sampled_values", "true_expected_count", f"{len(values)} values")),
            given(*values),
        )
    yield from of_losses(
        "sampled_values_a_number",
        facts.SAMPLED_VALUES,
        LikeTensorFlow(("sampled_values", "true_expected_count", "5")),
        arrays(),
        sampled_values=5,
    )
    for num_sampled in (NUM_SAMPLED - 1, NUM_SAMPLED + 1):
        yield from of_losses(
            f"sampled_values_for_num_sampled_{num_sampled}_hits",
            facts.SAMPLED_VALUES,
            LikeTensorFlow(("sampled_candidates", f"num_sampled = {num_sampled}", "5")),
            arrays(sampled_values=fixed()),
            TWINNED,
            num_sampled=num_sampled,
            remove_accidental_hits=True,
        )
        yield from of_losses(
            f"sampled_values_for_num_sampled_{num_sampled}_no_hits",
            facts.SAMPLED_VALUES,
            EqualsTensorFlow(),
            arrays(sampled_values=fixed()),
            TWINNED,
            num_sampled=num_sampled,
            remove_accidental_hits=False,
        )
    # TensorFlow crashes if a function knows that there are no candidates: it fuses MatMul and Add
    # into a oneDNN kernel, which does not support an empty matrix.
    for name, modes, expect in (
        ("", ("eager", "function_unknown", "graph", "graph_unknown"), EqualsTensorFlow()),
        ("_in_function", ("function",), Works((BATCH,))),
    ):
        yield from of_losses(
            f"sampled_values_of_no_candidates{name}",
            facts.SAMPLED_VALUES,
            expect,
            arrays(sampled_values=fixed(sampled=())),
            TWINNED,
            modes=modes,
            remove_accidental_hits=False,
        )


def kinds():
    lists = tuple(value.tolist() for value in fixed())
    kinds = {
        "numpy": (fixed(), LOSSES),
        "lists": (lists, LOSSES),
        "list_of_numpy": (list(fixed()), LOSSES),
    }
    for name, (values, _) in kinds.items():
        yield from of_losses(
            f"sampled_values_{name}",
            facts.SAMPLED_VALUES,
            EqualsTensorFlow(),
            arrays(),
            TWINNED,
            sampled_values=values,
        )
    yield from of_losses(
        "sampled_ids_float",
        facts.SAMPLED_VALUES,
        EqualsTensorFlow(),
        given(IDS.astype(np.float32) + 0.5, TRUE, SAMPLED),
        TWINNED,
    )
    yield from of_losses(
        "sampled_ids_int32",
        facts.SAMPLED_VALUES,
        EqualsTensorFlow(),
        given(IDS.astype(np.int32), TRUE, SAMPLED),
        TWINNED,
    )


def ids():
    for value in (50, -1):
        yield from of_losses(
            f"sampled_id_{value}",
            facts.SAMPLED_VALUES,
            LikeTensorFlow(("sampled_candidates", r"\[0, 50\)", str(value))),
            given(changed(IDS, 4, value), TRUE, SAMPLED),
        )
    words = ("sampled_candidates", r"\[num_sampled\]", r"\(1, 5\)|\(None, None\)|\[1 5\]")
    # While tracing, a matrix of unknown rows may have candidates for each input.
    for losses, modes, expect in (
        ((NCE, SPARSE, RANK), None, LikeTensorFlow(words)),
        ((SOFTMAX,), ("function", "graph_unknown", "graph", "eager"), LikeTensorFlow(words)),
        ((SOFTMAX,), ("function_unknown",), Raises(AT_RUN_TIME, words)),
    ):
        yield from of_losses(
            "sampled_ids_matrix"
            if modes != ("function_unknown",)
            else "sampled_ids_unknown_matrix",
            facts.SAMPLED_VALUES,
            expect,
            given(IDS[None], TRUE, SAMPLED),
            losses,
            modes=modes,
        )
    yield from of_losses(
        "sampled_ids_strings",
        facts.SAMPLED_VALUES,
        LikeTensorFlow(("sampled_candidates", "string")),
        given(IDS.astype(str).astype(object), TRUE, SAMPLED),
    )
    yield from of_losses(
        "true_count_strings",
        facts.SAMPLED_VALUES,
        LikeTensorFlow(("true_expected_count", "string")),
        given(IDS, TRUE.astype(str).astype(object), SAMPLED),
    )


CASES = [
    *counts_without_logarithm(),
    *true_count_shapes(),
    *sampled_count_shapes(),
    *how_many(),
    *kinds(),
    *ids(),
]
