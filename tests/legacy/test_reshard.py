"""Changes how tables are partitioned, in memory and between checkpoints, also old ones."""

import itertools
import pathlib

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.legacy import write_checkpoint
from tf_sampled_compat.compat.v1 import checkpoint_files

v1 = tf.compat.v1
Layout, reshard = tsc.compat.v1.Layout, tsc.compat.v1.reshard
reshard_checkpoint = tsc.compat.v1.reshard_checkpoint
OLD = pathlib.Path(__file__).resolve().parent / "checkpoints"
CLASSES, DIM = 23, 2


def place(c, num_rows, shards, strategy):
    """Returns the place of class c by TensorFlow's definition: (piece, row)."""
    if strategy == "mod":
        return c % shards, c // shards
    for piece in range(shards):
        size = num_rows // shards + (piece < num_rows % shards)
        if c < size:
            return piece, c
        c -= size


@pytest.mark.parametrize("num_rows", [0, 1, 7, 23])
@pytest.mark.parametrize(("before", "after"), itertools.product(["div", "mod"], repeat=2))
def test_each_class_keeps_its_row(num_rows, before, after):
    table = np.arange(2 * num_rows).reshape([num_rows, 2])
    for n, m in itertools.product([1, 2, 5, 30], repeat=2):
        [*pieces] = reshard(table, from_strategy="div", to_strategy=before, shards=n)
        result = reshard(pieces, from_strategy=before, to_strategy=after, shards=m)
        assert len(pieces) == n and len(result) == m
        for c in range(num_rows):
            for cut, shards, strategy in ((pieces, n, before), (result, m, after)):
                piece, row = place(c, num_rows, shards, strategy)
                np.testing.assert_array_equal(cut[piece][row], table[c])
        concatenated = reshard(
            np.concatenate(pieces), from_strategy=before, from_shards=n, to_strategy=after, shards=m
        )
        for one, other in zip(result, concatenated):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("strategy", ["div", "mod"])
def test_tensorflow_looks_the_pieces_up(strategy):
    table = np.random.rand(CLASSES, DIM).astype("f")
    pieces = reshard(table, from_strategy="div", to_strategy=strategy, shards=4)
    found = v1.nn.embedding_lookup(pieces, np.arange(CLASSES), strategy)
    np.testing.assert_array_equal(found, table)


TWO, ONE = np.zeros([2, 3]), np.zeros([1, 3])


@pytest.mark.parametrize(
    ("pieces", "arguments", "words"),
    [
        ([TWO], {"from_strategy": "foo"}, "from_strategy: expected 'div' or 'mod', got 'foo'"),
        ([TWO], {"to_strategy": "foo"}, "to_strategy: expected 'div' or 'mod', got 'foo'"),
        ([TWO], {"shards": 0}, "shards: expected at least 1"),
        (TWO, {"from_shards": 0}, "from_shards: expected at least 1"),
        ([TWO, TWO], {"from_shards": 3}, "from_shards: expected 2"),
        ([ONE, TWO], {}, r"pieces of \[2, 1\] rows, as .* got pieces of \[1, 2\] rows"),
        ([TWO, TWO[:, :2]], {}, r"pieces: expected rows of one shape, got \[\(3,\), \(2,\)\]"),
        ([TWO, TWO.astype("f")], {}, "pieces: expected pieces of one dtype"),
        ([], {}, "pieces: expected at least one piece"),
        (3.0, {}, "pieces: expected an array of shape"),
        ([1.0, 2.0], {}, "pieces: expected arrays of shape"),
    ],
)
def test_errors_say_what_was_expected(pieces, arguments, words):
    with pytest.raises(ValueError, match=words):
        reshard(pieces, **{"from_strategy": "div", "to_strategy": "mod", **arguments})


# Layouts of a table; "a" and "b" are the names of weights and biases.
WAYS = {
    "partitioned-mod": lambda n: Layout(n, "mod", shards=4),
    "partitioned-div": lambda n: Layout(n, "div", shards=3),
    "whole": lambda n: Layout(n),
    "list-mod": lambda n: Layout([f"{n}{p}" for p in range(3)], "mod"),
    "list-div": lambda n: Layout([f"{n}{p}" for p in range(5)], "div"),
}


def variables(layout, start):
    """Makes the variables of a layout; each starts with its part of a table."""
    names = [layout.names] if isinstance(layout.names, str) else layout.names
    if len(names) == 1:

        def initializer(shape, dtype=None, partition_info=None):
            first = partition_info.var_offset[0] if partition_info else 0
            return v1.constant(start[first : first + shape[0]], dtype)

        partitioner = v1.fixed_size_partitioner(layout.shards) if layout.shards else None
        return v1.get_variable(
            names[0], start.shape, tf.float32, initializer, partitioner=partitioner)  # fmt: skip
    pieces = reshard(start, from_strategy="div", to_strategy=layout.strategy, shards=len(names))
    return [v1.get_variable(n, initializer=tf.constant(p)) for n, p in zip(names, pieces)]


def train(way, saver_path, restore=None, steps=3):
    """Trains (from a checkpoint, if given), saves, and returns the losses."""
    random = np.random.RandomState(5)
    weights = random.randn(CLASSES, DIM).astype("f")
    biases = random.randn(CLASSES).astype("f")
    with tf.Graph().as_default(), v1.Session() as session:
        layouts = [WAYS[way](name) for name in "ab"]
        a, b = (variables(layout, x) for layout, x in zip(layouts, (weights, biases)))
        labels, inputs = random.randint(0, CLASSES, (9, 1)), random.randn(9, DIM).astype("f")
        values = (np.arange(0, CLASSES, 2), np.full([9, 1], 0.5, "f"), np.full([12], 0.4, "f"))
        loss = tf.reduce_mean(tsc.compat.v1.nn.sampled_softmax_loss(
            a, b, labels, inputs, 12, CLASSES, sampled_values=values,
            partition_strategy=layouts[0].strategy))  # fmt: skip
        update = v1.train.AdamOptimizer(0.1).minimize(loss, v1.train.get_or_create_global_step())
        saver = v1.train.Saver()
        session.run(v1.global_variables_initializer())
        if restore:
            saver.restore(session, restore)
        losses = [session.run([loss, update])[0] for _ in range(steps)]
        saver.save(session, saver_path)
    return losses


def tensors(path):
    reader = tf.train.load_checkpoint(path)
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


PAIRS = [
    ("partitioned-mod", "whole"), ("partitioned-mod", "list-mod"), ("partitioned-div", "list-mod"),
    ("partitioned-div", "partitioned-mod"), ("whole", "list-div"), ("list-mod", "partitioned-mod"),
    ("list-mod", "list-div"), ("list-div", "partitioned-div"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_training_goes_on_in_another_layout(before, after, tmp_path):
    """The slots move too, and the way back gives the same bytes."""
    first, there, back = (str(tmp_path / name / "model") for name in ("first", "there", "back"))
    train(before, first)
    pairs = [(WAYS[before](name), WAYS[after](name)) for name in "ab"]
    assert reshard_checkpoint(first, there, pairs, memory=64) == there
    reshard_checkpoint(there, back, [pair[::-1] for pair in pairs])
    was, now = tensors(first), tensors(back)
    assert was.keys() == now.keys() and len([name for name in was if "Adam" in name]) >= 4
    for name, value in was.items():
        np.testing.assert_array_equal(now[name], value)
    going_on = train(before, str(tmp_path / "on" / "model"), restore=first)
    assert len(set(going_on)) == 3
    other = train(after, str(tmp_path / "other" / "model"), restore=there)
    np.testing.assert_allclose(other, going_on, 1e-5)
    assert not list(tmp_path.rglob(".reshard*"))


@pytest.mark.parametrize("version", ["0.12.1", "1.15.5"])
def test_checkpoints_of_old_tensorflows(version, tmp_path):
    classes, shards = write_checkpoint.CLASSES, write_checkpoint.SHARDS
    partitioned = Layout("scope/partitioned", "mod", shards)
    listed = Layout([f"listed_{p}" for p in range(shards)], "mod")
    target = reshard_checkpoint(str(OLD / version / "model"), str(tmp_path / "new"), [
        (partitioned, Layout("scope/partitioned")),
        (listed, Layout(["x", "y"], "div")),
    ])  # fmt: skip
    got, slot = tensors(target), np.full([classes, 2], 0.5)
    slot[3] += 1
    assert got.pop("global_step") == 8
    rows = write_checkpoint.rows(np.arange(classes))
    for expected, suffix in ((rows, ""), (slot, "/Adagrad")):
        np.testing.assert_array_equal(got.pop("scope/partitioned" + suffix), expected)
        two = [got.pop(name + suffix) for name in "xy"]
        assert [len(piece) for piece in two] == [6, 5]
        np.testing.assert_array_equal(np.concatenate(two), expected)
    assert not got


def test_reads_and_writes_by_the_piece(tmp_path, monkeypatch):
    path, reads = str(tmp_path / "old"), []
    train("partitioned-div", path)
    read = checkpoint_files.read
    monkeypatch.setattr(
        checkpoint_files, "read", lambda *a: reads.append((a, len(read(*a)))) or read(*a)
    )
    pairs = [(Layout("a", shards=3), Layout("a", "mod", shards=4))]
    reshard_checkpoint(path, str(tmp_path / "new"), pairs, slots=False, memory=1)
    assert [size for _, size in reads] == [8, 8, 7] * 4
    reads.clear()
    reshard_checkpoint(path, str(tmp_path / "new2"), pairs, slots=False)
    assert [size for _, size in reads] == [8, 8, 7]
    was, now = tensors(path), tensors(str(tmp_path / "new"))
    assert not np.array_equal(was["a"], now["a"])
    np.testing.assert_array_equal(was["a/Adam"], now["a/Adam"])


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([(Layout("weight"), Layout("a"))], "tables: expected names that the checkpoint holds"),
        ([(Layout("beta1_power"), Layout("a"))], "tables: expected tensors of shape"),
        ([(Layout("a", "foo"), Layout("a"))], "strategy: expected 'div' or 'mod', got 'foo'"),
        ([(Layout("a"), Layout("a", "foo"))], "strategy: expected 'div' or 'mod', got 'foo'"),
        ([(Layout("a"), Layout("b"))], r"new names that nothing else .* got \['b'"),
        ([(Layout("a"), Layout(["x", "y"], shards=3))], "shards: expected 2"),
        ([(Layout(["a", "b"]), Layout("a"))], "tables: expected rows of one shape"),
        ([(Layout([]), Layout("a"))], "at least one name"),
    ],
)
def test_errors_of_checkpoints(pairs, words, tmp_path):
    path = str(tmp_path / "old")
    train("whole", path, steps=1)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ValueError, match=words):
        reshard_checkpoint(path, str(tmp_path / "new"), pairs)
    assert sorted(tmp_path.iterdir()) == before


def test_not_a_checkpoint_of_a_saver(tmp_path):
    with pytest.raises(ValueError, match="source: expected the prefix of a checkpoint"):
        reshard_checkpoint(str(tmp_path / "none"), str(tmp_path / "new"), [])
    path = tf.train.Checkpoint(a=tf.Variable([[1.0]])).write(str(tmp_path / "objects"))
    with pytest.raises(ValueError, match="a checkpoint of tf.train.Checkpoint: restore it"):
        reshard_checkpoint(path, str(tmp_path / "new"), [])
