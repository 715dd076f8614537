"""`full_top_k` with `exclude=` and `allowed=` equals a ranking in Python loops."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import op_callbacks

import tf_sampled_compat as tsc
from tests.problems import problem
from tests.table_pieces import pieces
from tf_sampled_compat.core.losses import blocks

P = problem(C=53, D=6, B=7)
LOGITS = P.inputs @ P.weights.T + np.round(P.biases)
R = np.random.RandomState(5)
pytestmark = [
    pytest.mark.usefixtures("implementation", "blocks_of_16_rows"),
    pytest.mark.no_op_seeds,
]
modes = pytest.mark.parametrize("mode", ["eager", "function", "XLA"])
LIST = np.array([5, 40, 5, 9, 7, 2, 5, 52])


@pytest.fixture
def blocks_of_16_rows(monkeypatch):
    """Sets blocks of 16 rows: 53 rows are three blocks and a smaller one."""
    monkeypatch.setattr(blocks, "_BLOCK_NUMBERS", 16)
    monkeypatch.setattr(blocks, "_STATIC_ROWS", 16)


def naive(k, exclude=None, allowed=range(53)):
    """Ranks the classes of each row that are allowed and not excluded."""
    values, ids = np.full([7, k], -np.inf), np.full([7, k], -1)
    for i, row in enumerate(LOGITS):
        left = [c for c in range(53) if c in allowed and (exclude is None or c not in exclude[i])]
        best = sorted(left, key=lambda c: (-row[c], c))[:k]
        values[i, : len(best)], ids[i, : len(best)] = row[best], best
    return values, ids


def find(mode, k, *tensors, **options):
    """Calls the function on tensors, whose values a graph does not know while it is traced."""
    names = [name for name in ("exclude", "allowed") if name in options]
    tensors = [tf.constant(options.pop(name)) for name in names]

    def step(*tensors):
        return tsc.nn.full_top_k(
            P.weights, np.round(P.biases), P.inputs, k, **dict(zip(names, tensors)), **options
        )

    if mode == "eager":
        return step(*tensors)
    if mode == "XLA":  # XLA always takes the composite.
        with tsc.implementation("composite"):
            return tf.function(step, jit_compile=True)(*tensors)
    return tf.function(step)(*tensors)


def check(got, want):
    np.testing.assert_allclose(got[0], want[0], rtol=2e-5, atol=2e-5)
    assert np.array_equal(got[1], want[1]) and got[1].dtype == tf.int64


@modes
@pytest.mark.parametrize("n", [0, 1, 20, 70])
@pytest.mark.parametrize("k", [1, 5, 53])
def test_exclude(k, n, mode):
    """Rows exclude up to all classes, and -1 excludes nothing. More than 64 ids are sorted."""
    exclude = R.randint(-1, 53, (7, n))
    check(find(mode, k, exclude=exclude), naive(k, exclude))


@modes
@pytest.mark.parametrize("k", [2, 10])
def test_allowed(k, mode):
    """A list in any order, with repeated ids, or a mask; together with `exclude`."""
    exclude = R.randint(0, 53, (7, 3))
    exclude[:, 0] = 5
    mask = np.isin(np.arange(53), LIST)
    check(find(mode, k, allowed=LIST), naive(k, allowed=set(LIST)))
    check(find(mode, k, allowed=mask), naive(k, allowed=set(LIST)))
    both = naive(k, exclude, set(LIST))
    check(find(mode, k, exclude=exclude, allowed=LIST), both)
    check(find(mode, k, exclude=exclude, allowed=mask), both)


def test_an_allow_list_that_python_knows():
    def step():
        return tsc.nn.full_top_k(P.weights, np.round(P.biases), P.inputs, 3, allowed=LIST)

    with tsc.implementation("composite"):
        check(tf.function(step, jit_compile=True)(), naive(3, allowed=set(LIST)))


def test_no_class_is_allowed():
    for allowed in ([], np.zeros(53, bool)):
        logits, ids = find("eager", 3, allowed=allowed)
        assert np.array_equal(ids, np.full([7, 3], -1)) and np.all(logits == -np.inf)


def test_padding():
    """0 is a class; with `padding_label=0` it stands for nothing."""
    exclude = R.randint(0, 4, (7, 5))
    without = [[c for c in row if c != 0] for row in exclude]
    check(find("eager", 9, exclude=exclude, padding_label=0), naive(9, without))
    check(find("eager", 9, exclude=exclude), naive(9, exclude))


def test_forms_of_exclude():
    rows = [[1, 2, 3], [], [4], [5, 5, 5, 5], [0], [7, 52], [9]]
    ragged = tf.ragged.constant(rows, tf.int32)
    got = tsc.nn.full_top_k(P.weights, np.round(P.biases), P.inputs, 5, exclude=ragged)
    check(got, naive(5, rows))
    check(find("eager", 5, exclude=[3, 8, 1]), naive(5, [[3, 8, 1]] * 7))
    check(find("eager", 5, exclude=[[3, 8, 1]]), naive(5, [[3, 8, 1]] * 7))
    check(find("eager", 5, exclude=np.uint8([3, 8])), naive(5, [[3, 8]] * 7))


def test_a_sharded_table_with_a_mask():
    mask = np.isin(np.arange(53), LIST)
    w = [tf.Variable(p) for p in pieces(P.weights, 3, "mod")]
    b = [tf.Variable(p) for p in pieces(np.round(P.biases), 3, "mod")]
    got = tsc.nn.full_top_k(w, b, P.inputs, 4, allowed=mask, partition_strategy="mod")
    check(got, naive(4, allowed=set(LIST)))


def test_fewer_classes_than_rows():
    check(
        find("eager", 5, exclude=[3, 8], allowed=np.arange(20) != 7, num_classes=20),
        naive(5, [[3, 8]] * 7, set(range(20)) - {7}),
    )


def test_unknown_sizes():
    spec = tf.TensorSpec([None, None], tf.int64)

    @tf.function(input_signature=[tf.TensorSpec([None, 6]), spec, tf.TensorSpec([None], tf.int64)])
    def run(x, exclude, allowed):
        logits, ids = tsc.nn.full_top_k(
            P.weights, np.round(P.biases), x, 5, exclude=exclude, allowed=allowed
        )
        assert logits.shape == [None, 5] and ids.shape == [None, 5]
        return logits, ids

    for n in (0, 3, 80):
        exclude = R.randint(-1, 53, (7, n))
        check(run(P.inputs, exclude, LIST), naive(5, exclude, set(LIST)))
    assert run(P.inputs[:0], np.zeros([0, 2]), LIST)[1].shape == [0, 5]


def test_classes_are_ranked_once(implementation):
    """The C++ op ranks each block once, and of an allow-list the rows alone are read."""
    found = []

    def record(op_type, inputs, attrs, outputs, op_name=None, graph=None):
        op_type = op_type if isinstance(op_type, str) else op_type.decode()
        is_rows = "Gather" in op_type and outputs[0].shape.rank == 2 and outputs[0].shape[1] == 6
        if is_rows or op_type == "SampledCompat>FullTopK":
            found.append((op_type, outputs[0].shape[0]))

    w, b, x = tf.Variable(P.weights), tf.Variable(P.biases), tf.constant(P.inputs)
    exclude = tf.constant(R.randint(0, 53, (7, 3)))

    def ranked(**options):
        found.clear()
        op_callbacks.add_op_callback(record)
        try:
            tsc.nn.full_top_k(w, b, x, 5, **options)
        finally:
            op_callbacks.remove_op_callback(record)
        rows = sum(count for op, count in found if "Gather" in op)
        return rows, sum(op == "SampledCompat>FullTopK" for op, _ in found)

    for options in ({}, {"exclude": exclude}, {"allowed": np.arange(53) > 3}):
        assert ranked(**options) == (53, 4 if implementation == "fused" else 0)
    options = {"exclude": exclude, "allowed": np.array([3, 50, 9])}
    assert ranked(**options) == (3, 1 if implementation == "fused" else 0)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"exclude": [[1.5]]}, "exclude: expected integer class ids, got float32"),
        ({"exclude": [["a"]]}, "exclude: expected integer class ids, got string"),
        ({"exclude": np.ones([7, 53], bool)}, "exclude: expected integer class ids .a mask"),
        ({"exclude": [[1], [2]]}, r"exclude: expected as many rows as inputs \(7\), got 2"),
        ({"exclude": np.zeros([7, 1, 1], int)}, r"exclude: expected class ids of shape \[batch"),
        ({"exclude": [[1]], "padding_label": 0.5}, "padding_label: expected an integer"),
        ({"padding_label": 0}, "padding_label: expected exclude=, whose ids it pads"),
        ({"allowed": [1.0]}, "allowed: expected integer class ids or a boolean mask"),
        ({"allowed": [53]}, r"allowed: expected class ids in \[0, 53\), got 53"),
        ({"allowed": [3, -1]}, r"allowed: expected class ids in \[0, 53\), got -1"),
        ({"allowed": [[1]]}, r"allowed: expected class ids \[m\] or a mask"),
        ({"allowed": np.ones(52, bool)}, r"allowed: expected a value for each class \(53\), got"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        tsc.nn.full_top_k(P.weights, P.biases, P.inputs, 5, **options)
