"""Labels and inputs: out of range, of the wrong shape or dtype, NaN, empty."""

import numpy as np

from tests.bad_input import facts
from tests.bad_input.case import (
    AT_RUN_TIME,
    BATCH,
    BOTH,
    DIM,
    NCE,
    RANK,
    SOFTMAX,
    SPARSE,
    TWINNED,
    C,
    EqualsTensorFlow,
    LikeTensorFlow,
    Raises,
    Works,
    arrays,
    changed,
    fixed,
    of_losses,
)

GOOD = arrays()
INPUTS, LABELS = GOOD["inputs"], GOOD["labels"]
LONGER = {
    "weights": np.concatenate([GOOD["weights"], GOOD["weights"][:1] + 1]),
    "biases": np.concatenate([GOOD["biases"], GOOD["biases"][:1] + 1]),
}


def labels(*values):
    return np.array([[value] for value in values], np.int64)


def out_of_range():
    for name, value in (("too_high", C), ("far_too_high", 2**40), ("negative", -1)):
        bad = labels(3, 7, 0, value)
        yield from of_losses(
            f"label_{name}",
            facts.LABEL_OUT_OF_RANGE,
            LikeTensorFlow(("labels", r"\[0, 50\)", rf"\b{value}\b" if value > 0 else "-1")),
            arrays(labels=bad),
        )
        yield from of_losses(
            f"label_{name}_fixed",
            facts.LABEL_OUT_OF_RANGE_FIXED,
            LikeTensorFlow(("labels", r"\[0, 50\)", rf"\b{value}\b" if value > 0 else "-1")),
            arrays(labels=bad, sampled_values=fixed()),
        )
    yield from of_losses(
        "label_nan",
        facts.LABEL_OUT_OF_RANGE,
        LikeTensorFlow(("labels", r"\[0, 50\)")),
        arrays(labels=np.array([[3], [7], [0], [np.nan]], np.float32)),
    )
    yield from of_losses(
        "label_equals_c_of_longer_table",
        facts.TABLE_LENGTH,
        EqualsTensorFlow(),
        arrays(**LONGER, labels=labels(3, 7, 0, C), sampled_values=fixed()),
        TWINNED,
    )
    yield from of_losses(
        "label_equals_c_of_longer_table_default_sampler",
        facts.LABEL_OUT_OF_RANGE,
        LikeTensorFlow(("true_candidate|labels", r"\[0, 50\)", r"\b50\b")),
        arrays(**LONGER, labels=labels(3, 7, 0, C)),
    )


def shapes():
    flat = arrays(labels=LABELS[:, 0])
    yield from of_losses(
        "labels_flat", facts.FLAT_LABELS, LikeTensorFlow(("labels", "batch_size, 1")), flat
    )
    flat = {**flat, "sampled_values": fixed()}
    yield from of_losses(
        "labels_flat_fixed_hits",
        facts.FLAT_LABELS,
        LikeTensorFlow(("labels", "batch_size, 1")),
        flat,
        remove_accidental_hits=True,
    )
    yield from of_losses(
        "labels_flat_fixed_no_hits",
        facts.FLAT_LABELS,
        EqualsTensorFlow(),
        flat,
        TWINNED,
        remove_accidental_hits=False,
    )
    wide = np.concatenate([LABELS, LABELS + 1, LABELS], axis=1) % C
    for name, width, num_true in (("wide", 3, 1), ("wide", 3, 2), ("narrow", 1, 2)):
        losses = (SOFTMAX, NCE, RANK) if num_true > 1 else (SOFTMAX, NCE, SPARSE, RANK)
        words = ("labels", f"num_true = {num_true}", rf"\(\d+, {width}\)|\[?4,? {width}\]?")
        bad = arrays(labels=wide[:, :width])
        yield from of_losses(
            f"labels_{name}_{width}_{num_true}",
            facts.LABELS_WIDTH,
            LikeTensorFlow(words),
            bad,
            losses,
            num_true=num_true,
        )
        for hits in (True, False):
            yield from of_losses(
                f"labels_{name}_{width}_{num_true}_fixed_{'hits' if hits else 'no_hits'}",
                facts.LABELS_WIDTH,
                LikeTensorFlow(words),
                {**bad, "sampled_values": fixed(num_true=num_true)},
                losses,
                num_true=num_true,
                remove_accidental_hits=hits,
            )
    # In TensorFlow one row of inputs broadcasts to any number of labels: silently wrong.
    yield from of_losses(
        "labels_wide_one_row_of_inputs",
        facts.LABELS_WIDTH,
        Raises(BOTH, ("labels", "num_true = 1")),
        arrays(labels=wide[:1, :2], inputs=INPUTS[:1], sampled_values=fixed(rows=1)),
        remove_accidental_hits=False,
        modes=("eager", "function", "graph"),
    )


def batch_sizes():
    for name, given in (("fixed_no_hits", False), ("fixed_hits", True), ("default", None)):
        tensors = arrays(labels=LABELS[:1])
        options = {} if given is None else {"remove_accidental_hits": given}
        if given is not None:
            tensors["sampled_values"] = fixed(rows=1)
        case = f"labels_one_row_{name}", facts.LABELS_BROADCAST
        # Each loss draws anew, so that only given candidates have equal values.
        equal = Works((BATCH,)) if given is None else EqualsTensorFlow()
        yield from of_losses(*case, equal, tensors, TWINNED, **options)
        yield from of_losses(*case, Works((BATCH,)), tensors, (RANK,), **options)
    for name, rows, input_rows, hits in (
        ("three", 3, 4, True),
        ("three", 3, 4, False),
        ("four", 4, 1, False),
        ("four", 4, 1, True),
    ):
        words = ("labels", "as many rows as inputs", str(rows), str(input_rows))
        # The mask of hits broadcasts the single row of inputs silently, like one row of labels.
        silent = (input_rows, hits) == (1, True)
        yield from of_losses(
            f"labels_{name}_rows_inputs_{input_rows}_{'hits' if hits else 'no_hits'}",
            facts.LABELS_BROADCAST,
            Raises(AT_RUN_TIME, words) if silent else LikeTensorFlow(words),
            arrays(
                labels=LABELS[:rows],
                inputs=INPUTS[:input_rows],
                sampled_values=fixed(rows=rows),
            ),
            remove_accidental_hits=hits,
        )
    empty = arrays(labels=LABELS[:0], inputs=INPUTS[:0])
    yield from of_losses("empty_batch", facts.EMPTY_BATCH, EqualsTensorFlow(), empty, TWINNED)
    yield from of_losses("empty_batch", facts.EMPTY_BATCH, Works((0,)), empty, (RANK,))
    empty = {**empty, "sampled_values": fixed(rows=0)}
    yield from of_losses("empty_batch_fixed", facts.EMPTY_BATCH, EqualsTensorFlow(), empty, TWINNED)
    yield from of_losses("empty_batch_fixed", facts.EMPTY_BATCH, Works((0,)), empty, (RANK,))


def not_numbers():
    for name, value in (("nan", np.nan), ("inf", np.inf), ("minus_inf", -np.inf)):
        tensors = arrays(inputs=changed(INPUTS, (1, 2), value), sampled_values=fixed())
        for hits in (True, False):
            # TensorFlow adds -3e38 to a hit's logit. An infinite one stays infinite, so the hit
            # has a gradient. Ours has none, whatever its logit is.
            same_gradients = not hits or np.isnan(value)
            yield from of_losses(
                f"input_{name}_{'hits' if hits else 'no_hits'}",
                facts.NAN_INPUT,
                EqualsTensorFlow(gradients=same_gradients),
                tensors,
                TWINNED,
                remove_accidental_hits=hits,
            )
    tensors = arrays(inputs=changed(INPUTS, (1, 2), np.nan), sampled_values=fixed())
    yield from of_losses("input_nan", facts.NAN_INPUT, Works((4,), (1,)), tensors, (RANK,))
    for name, row in (("sampled", 40), ("true", 49)):
        tensors = arrays(weights=changed(GOOD["weights"], (row, 2), np.nan), sampled_values=fixed())
        yield from of_losses(
            f"weights_nan_in_{name}_row", facts.NAN_WEIGHT, EqualsTensorFlow(), tensors, TWINNED
        )


def dtypes():
    for dtype in (np.int32, np.int16, np.uint8, np.float32, np.float64):
        yield from of_losses(
            f"labels_{np.dtype(dtype).name}",
            facts.DTYPES,
            EqualsTensorFlow(),
            arrays(labels=(LABELS + (0.5 if dtype == np.float32 else 0)).astype(dtype)),
            (SOFTMAX,),
            seed=3,
        )  # fmt: skip
    yield from of_losses(
        "labels_bool",
        facts.DTYPES,
        EqualsTensorFlow(),
        arrays(labels=LABELS == 3, sampled_values=fixed()),
        TWINNED,
    )
    yield from of_losses(
        "labels_python_list",
        facts.DTYPES,
        Works((4,)),
        arrays(labels=None, sampled_values=fixed()),
        ours_only={"labels": LABELS.tolist()},
    )
    words = LABELS.astype(str).astype(object)
    yield from of_losses(
        "labels_strings",
        facts.DTYPES,
        LikeTensorFlow(("labels", "string")),
        arrays(labels=words, sampled_values=fixed()),
    )
    yield from of_losses(
        "inputs_strings",
        facts.DTYPES,
        LikeTensorFlow(("inputs", "float", "string")),
        arrays(inputs=INPUTS.astype(str).astype(object), sampled_values=fixed()),
    )
    yield from of_losses(
        "inputs_integers",
        facts.DTYPES,
        LikeTensorFlow(("inputs", "float", "int32")),
        arrays(inputs=INPUTS.astype(np.int32), sampled_values=fixed()),
    )


def inputs_shapes():
    for name, bad in (
        ("flat", INPUTS[:, 0]),
        ("cube", np.stack([INPUTS, INPUTS])),
        ("narrow", INPUTS[:, : DIM - 1]),
    ):
        for kind, given in (("fixed", {"sampled_values": fixed()}), ("default", {})):
            yield from of_losses(
                f"inputs_{name}_{kind}",
                facts.SHAPES,
                LikeTensorFlow(("inputs", "batch_size, (dim|8)")),
                arrays(inputs=bad, **given),
            )


CASES = [
    *out_of_range(),
    *shapes(),
    *batch_sizes(),
    *not_numbers(),
    *dtypes(),
    *inputs_shapes(),
]
