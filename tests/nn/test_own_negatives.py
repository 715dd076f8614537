"""Candidates `[B, S]`, each row its own, against naive float64 loops."""

import functools

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests import composed_reference
from tests.composed_problem import B, T, assert_same, case, got
from tests.problems import assert_close, problem
from tf_sampled_compat.core.backends import row_logits

pytestmark = pytest.mark.no_op_seeds

S = 6
TERMS = {
    "temperature": 0.3,
    "normalize": True,
    "margin": tsc.margins.ArcFace(0.4),
    "label_weights": np.array([[0.7, 0.2], [1.0, 0.0], [0.25, 0.5], [0.1, 0.9]]),
    "label_smoothing": 0.2,
    "z_loss": 0.05,
}
KINDS = {"softmax": tsc.nn.sampled_softmax_loss, "sigmoid": tsc.nn.nce_loss}
HITS = {
    "kept": ({"remove_accidental_hits": False}, "none"),
    "last copy": ({"remove_accidental_hits": True}, "last"),
    "exclude_true": ({"exclude_true": True}, "all"),
}
MASK = np.array([[1, 1], [0, 1], [0, 0], [1, 0]], bool)


class OwnNegatives(type(case())):
    """A problem whose candidates are `[B, S]`."""

    @property
    def arguments(self):
        return {**super().arguments, "num_sampled": self.sampled.shape[1]}


@functools.lru_cache
def own():
    """Rows without a hit, with one, with copies of one, and with hits of both labels."""
    p = case()
    sampled = np.array(
        [[0, 1, 3, 4, 6, 6], [7, 5, 0, 0, 1, 2], [8, 0, 8, 6, 8, 1], [1, 4, 4, 0, 7, 3]], np.int64
    )
    counts = np.random.RandomState(3).uniform(0.1, 2, (B, S)).astype("f")
    return OwnNegatives(*p._replace(sampled=sampled, sampled_count=counts))


def terms(kind):
    return {key: value for key, value in TERMS.items() if kind == "softmax" or key != "z_loss"}


def wanted(kind, p, hits, options, mask=None):
    """Returns the loss and its gradients from the reference, one row after another."""
    options = dict(options)
    if "margin" in options:
        options["margin"] = composed_reference.arc_face(options["margin"].m)

    def loss(weights, biases, inputs):
        counts = np.broadcast_to(p.sampled_count, p.sampled.shape)
        losses = []
        for i in range(B):
            row = slice(i, i + 1)
            own = dict(options, mask=None if mask is None else mask[row])
            if "label_weights" in options:
                own["label_weights"] = options["label_weights"][row]
            losses.extend(
                composed_reference.sampled(
                    kind, weights, biases, p.labels[row], inputs[row], p.sampled[i],
                    p.true_count[row], counts[row], hits=hits, **own)
            )  # fmt: skip
        return np.array(losses)

    arrays = [np.asarray(a, np.float64) for a in (p.weights, p.biases, p.inputs)]
    return loss(*arrays), composed_reference.gradients(loss, arrays, p.upstream)


@pytest.mark.parametrize("hits", HITS)
@pytest.mark.parametrize("options", ["none", "all terms"])
@pytest.mark.parametrize("kind", KINDS)
def test_losses_equal_the_reference(kind, options, hits, implementation):
    options = terms(kind) if options == "all terms" else {}
    how, of_reference = HITS[hits]
    result = got(KINDS[kind], own(), **how, **options)
    assert_same(result, wanted(kind, own(), of_reference, options), 1e-7)


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_term_alone(kind, name, implementation):
    if name not in terms(kind):
        return
    options = {key: TERMS[key] for key in ([name, "normalize"] if name == "margin" else [name])}
    result = got(KINDS[kind], own(), remove_accidental_hits=True, **options)
    assert_same(result, wanted(kind, own(), "last", options), 1e-7)


@pytest.mark.parametrize("mode", ["graph", "xla"])
@pytest.mark.parametrize("hits", HITS)
@pytest.mark.parametrize("kind", KINDS)
def test_compiled(kind, hits, mode):
    how, of_reference = HITS[hits]
    result = got(KINDS[kind], own(), mode=mode, **how, **terms(kind))
    assert_same(result, wanted(kind, own(), of_reference, terms(kind)), 1e-7)


@pytest.mark.parametrize(("dtype", "rtol"), [("float32", 2e-5), ("bfloat16", 3e-2)])
@pytest.mark.parametrize("kind", KINDS)
def test_lower_precision(kind, dtype, rtol, implementation):
    rounded = own()._replace(
        **{
            name: tf.cast(tf.cast(getattr(own(), name), dtype), tf.float64).numpy()
            for name in ("weights", "biases", "inputs")
        }
    )
    expected = wanted(kind, rounded, "last", terms(kind))
    result = got(KINDS[kind], own(), dtype, remove_accidental_hits=True, **terms(kind))
    assert_same(result, expected, rtol)


@pytest.mark.parametrize("mode", ["eager", "xla"])
@pytest.mark.parametrize("hits", HITS)
@pytest.mark.parametrize("kind", KINDS)
def test_padding(kind, hits, mode, implementation):
    """Also in a row without a true class. Padding looks no class up that is not in its row."""
    if mode == "xla" and implementation == "fused":
        return
    how, of_reference = HITS[hits]
    padded = own()._replace(labels=np.where(MASK, own().labels, -1))
    result = got(KINDS[kind], padded, mode=mode, padding_label=-1, **how, **terms(kind))
    assert_same(result, wanted(kind, own(), of_reference, terms(kind), MASK), 1e-7)


def test_the_sparse_loss(implementation):
    p = own()._replace(labels=own().labels[:, :1], true_count=own().true_count[:, :1])

    def sparse(weights, biases, labels, inputs, num_true, **arguments):
        return tsc.nn.sampled_sparse_softmax_loss(
            weights, biases, labels, inputs, partition_strategy="div", **arguments
        )

    assert_same(got(sparse, p), wanted("softmax", p, "last", {}), 1e-7)


def test_the_binary_cross_entropy(implementation):
    """Its counts do not matter, and each true class has the target 1."""
    ones = own()._replace(true_count=np.ones([B, T]), sampled_count=np.ones([B, S]))
    options = {"label_weights": np.ones([B, T])}
    expected = wanted("sigmoid", ones, "last", options)
    assert_same(got(tsc.nn.sampled_binary_crossentropy, own()), expected, 1e-7)


@pytest.mark.parametrize("shape", ["batch by one", "one by sampled", "sampled", "scalar"])
def test_counts_broadcast(shape, implementation):
    count = own().sampled_count
    count = {
        "batch by one": count[:, :1],
        "one by sampled": count[:1],
        "sampled": count[0],
        "scalar": count[0, 0],
    }[shape]
    p, full = (own()._replace(sampled_count=c) for c in (count, np.broadcast_to(count, [B, S])))
    for loss in KINDS.values():
        assert_same(got(loss, p, **terms("sigmoid")), got(loss, full, **terms("sigmoid")), 1e-13)


@pytest.mark.parametrize("dtype, rtol", [("float32", 3e-6), ("float64", 1e-13)])
@pytest.mark.parametrize("hits", HITS)
@pytest.mark.parametrize("kind", KINDS)
def test_equal_rows_give_the_result_of_shared_candidates(kind, hits, dtype, rtol, implementation):
    shared = case()
    how = {**HITS[hits][0], **terms(kind)}
    equal = OwnNegatives(*shared._replace(sampled=np.tile(shared.sampled, [B, 1])))
    assert_same(got(KINDS[kind], equal, dtype, **how), got(KINDS[kind], shared, dtype, **how), rtol)


def step(mode, padding_label=None):
    """Returns the gradients by variables, of a batch in which classes repeat."""
    p = problem(C=400, B=5, T=2, S=40, seed=1)
    p.labels[:, 0] = 3
    labels = np.where(np.arange(2) < 1, p.labels, -1) if padding_label else p.labels
    sampled = np.random.RandomState(0).randint(100, 130, [5, 40])
    weights, biases = tf.Variable(p.weights), tf.Variable(p.biases)

    def gradients():
        with tf.GradientTape() as tape:
            loss = tsc.nn.sampled_softmax_loss(
                weights, biases, labels, p.inputs, 40, 400, 2, (sampled, 1.0, 1.0),
                padding_label=padding_label)  # fmt: skip
        return tape.gradient(loss, [weights, biases])

    if mode != "eager":
        gradients = tf.function(gradients, jit_compile=mode == "xla", autograph=False)
    return gradients(), {*labels[labels >= 0].tolist(), *sampled.ravel().tolist()}


@pytest.mark.parametrize("padding_label", [None, -1])
@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_a_gradient_has_each_class_once(mode, padding_label, implementation):
    if mode == "xla" and implementation == "fused":
        return
    gradients, classes = step(mode, padding_label)
    for gradient in gradients:
        ids = gradient.indices.numpy().tolist()
        assert set(ids) == classes
        if mode != "xla":
            assert len(ids) == len(classes)
            continue
        # The shape cannot depend on values: the last class fills the list up, with zeros.
        assert len(ids) == 5 * 40 + 5 * 2
        assert sorted(ids[: len(classes)]) == sorted(classes)
        assert not np.any(gradient.values[len(classes) :])


def test_under_xla_the_list_is_no_longer_than_the_table():
    p = own()
    weights = tf.Variable(p.weights)

    @tf.function(jit_compile=True, autograph=False)
    def ids():
        with tf.GradientTape() as tape:
            loss = KINDS["softmax"](weights, p.biases, p.labels, p.inputs, **p.arguments)
        return tape.gradient(loss, weights).indices

    assert len(ids()) == len(p.weights)


def tensors_of(graph):
    """Yields the static shapes of a graph and of the functions that it calls."""
    for node in graph.get_operations():
        for output in node.outputs:
            yield output.shape
    for function in graph._functions.values() if hasattr(graph, "_functions") else ():
        yield from tensors_of(function.graph)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_no_tensor_has_a_row_for_each_candidate(jit_compile, implementation, monkeypatch):
    """Neither forward nor backward, where few classes stand in many places."""
    if jit_compile and implementation == "fused":
        return
    monkeypatch.setattr(row_logits, "CHUNK_NUMBERS", 2**12)
    batch, sampled, dim, classes = 32, 128, 64, 100
    rng = np.random.RandomState(0)
    weights = tf.Variable(rng.randn(classes, dim).astype("f"))
    ids = rng.randint(0, classes, [batch, sampled])
    inputs = tf.constant(rng.randn(batch, dim).astype("f"))

    @tf.function(jit_compile=jit_compile, autograph=False)
    def gradient(inputs):
        with tf.GradientTape() as tape:
            loss = tsc.nn.sampled_softmax_loss(
                weights, tf.zeros([classes]), ids[:, :1], inputs, sampled, classes,
                sampled_values=(ids, 1.0, 1.0), label_smoothing=0.1)  # fmt: skip
        return tf.convert_to_tensor(tape.gradient(loss, weights))

    graph = gradient.get_concrete_function(inputs).graph
    known = [shape.num_elements() for shape in tensors_of(graph) if shape.is_fully_defined()]
    assert max(known) == classes * dim < batch * sampled * dim
    assert np.isfinite(gradient(inputs)).all()


@pytest.mark.parametrize("sizes", [(4, 6, 3), (4, 0, 3), (0, 6, 3), (4, 6, 0)], ids=str)
@pytest.mark.parametrize("mode", ["eager", "graph", "unknown shapes", "xla"])
def test_chunks_equal_the_whole(sizes, mode, monkeypatch):
    batch, columns, dim = sizes
    rng = np.random.RandomState(0)
    inputs, rows, biases = (tf.constant(rng.randn(*s)) for s in ([batch, dim], [5, dim], [5]))
    positions = tf.constant(rng.randint(0, 5, [batch, columns]), tf.int32)
    upstream = tf.constant(rng.randn(batch, columns))

    def results(inputs, rows, biases, positions):
        with tf.GradientTape() as tape:
            tape.watch([inputs, rows, biases])
            logits = row_logits.row_logits(inputs, rows, biases, positions)
            total = tf.reduce_sum(logits * upstream)
        return logits, *tape.gradient(total, [inputs, rows, biases])

    expected = results(inputs, rows, biases, positions)
    monkeypatch.setattr(row_logits, "CHUNK_NUMBERS", 2 * batch * dim)
    if mode != "eager":
        shapes = [None, dim], [None, dim], [None], [None, None]
        dtypes = 3 * [tf.float64] + [tf.int32]
        unknown = [tf.TensorSpec(*spec) for spec in zip(shapes, dtypes)]
        results = tf.function(
            results,
            jit_compile=mode == "xla",
            input_signature=unknown if mode == "unknown shapes" else None,
            autograph=False,
        )
    for value, want in zip(results(inputs, rows, biases, positions), expected):
        assert_close(value, want, 1e-14)


def test_derivatives_of_second_order(implementation, monkeypatch):
    """The product of a vector and the Hessian is the difference of two gradients."""
    monkeypatch.setattr(row_logits, "CHUNK_NUMBERS", 1)
    p = own()
    direction = np.random.RandomState(0).randn(*p.weights.shape)

    def gradient(weights):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss = KINDS["softmax"](
                weights, p.biases.astype("d"), p.labels, p.inputs.astype("d"), **p.arguments
            )
        return tf.convert_to_tensor(tape.gradient(loss, weights))

    weights = tf.constant(p.weights, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(weights)
        along = tf.reduce_sum(gradient(weights) * direction)
    difference = (
        gradient(weights + 1e-5 * direction) - gradient(weights - 1e-5 * direction)
    ) / 2e-5
    assert_close(tf.convert_to_tensor(tape.gradient(along, weights)), difference, 1e-8)


@pytest.mark.parametrize("loss", KINDS.values(), ids=KINDS)
def test_no_candidates(loss, implementation):
    p = own()._replace(sampled=own().sampled[:, :0], sampled_count=own().sampled_count[:, :0])
    arguments = {**p.arguments, "num_sampled": 1}
    shared = {**arguments, "sampled_values": (p.sampled[0], p.true_count, p.sampled_count[0])}
    tensors = p.weights, p.biases, p.labels, p.inputs
    how = {"remove_accidental_hits": False, "temperature": 0.5}
    assert_close(loss(*tensors, **arguments, **how), loss(*tensors, **shared, **how), 1e-6)


def call(loss="sampled_softmax_loss", **changes):
    p = own()
    arguments = dict(
        weights=p.weights, biases=p.biases, labels=p.labels, inputs=p.inputs, **p.arguments
    )
    arguments.update(changes)
    return getattr(tsc.nn, loss)(**arguments)


def values(sampled=None, true_count=None, sampled_count=None):
    given, own_values = (sampled, true_count, sampled_count), own()[4:7]
    return tuple(o if g is None else g for g, o in zip(given, own_values))


BAD = {
    "rows": (
        {"sampled_values": values(own().sampled[:3], sampled_count=1.0)},
        r"sampled_candidates: expected shape \[batch_size, num_sampled\] with batch_size = 4, as "
        r"inputs, got \[3 6\]",
    ),
    "columns": (
        {"num_sampled": 5},
        r"sampled_candidates: expected num_sampled = 5 candidates for each row, got 6",
    ),
    "rank": (
        {"sampled_values": values(own().sampled[..., None], sampled_count=1.0)},
        r"sampled_candidates: expected shape \[num_sampled\], or \[batch_size, num_sampled\], got",
    ),
    "sampled count of a batch": (
        {"sampled_values": values(sampled_count=np.ones([B], "f"))},
        r"sampled_expected_count: expected shape \[batch_size, num_sampled\], or one that "
        r"broadcasts to it, got float32 \(4,\)",
    ),
    "true count": (
        {"sampled_values": values(true_count=np.ones([B, S], "f"))},
        r"true_expected_count: expected shape \[batch_size, num_true\]",
    ),
    "count of zero": (
        {"sampled_values": values(sampled_count=np.zeros([B, S], "f"))},
        "sampled_expected_count: expected positive finite counts",
    ),
    "no class": (
        {"sampled_values": values(np.full([B, S], 9))},
        r"sampled_candidates: expected class ids in \[0, 9\), got 9",
    ),
    "negative id": (
        {"sampled_values": values(np.full([B, S], -1))},
        r"sampled_candidates: expected class ids in \[0, 9\), got -1",
    ),
    "tapas": (
        {"loss": "rank_sampled_softmax_loss", "num_resampled": 2},
        r"sampled_candidates: expected shape \[num_sampled\], got int64 \(4, 6\)",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name, implementation):
    changes, words = BAD[name]
    with pytest.raises(ValueError, match=words):
        call(**changes)


def test_shapes_that_only_the_run_knows(implementation):
    """The same words, from an assertion."""
    spec = tf.TensorSpec([None, None], tf.int64)

    @tf.function(input_signature=[spec], autograph=False)
    def loss(sampled):
        return call(sampled_values=(sampled, own().true_count, np.float32(1)))

    p = own()._replace(sampled_count=np.float32(1))
    expected = call(sampled_values=(p.sampled, p.true_count, p.sampled_count))
    assert_close(loss(p.sampled), expected, 1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="batch_size = 4, as inputs"):
        loss(p.sampled[:3])
    with pytest.raises(tf.errors.InvalidArgumentError, match="num_sampled = 6 candidates"):
        loss(p.sampled[:, :5])


def test_under_xla_a_bad_id_gives_nan_in_its_row():
    sampled = own().sampled.copy()
    sampled[1, 2] = 9

    @tf.function(jit_compile=True, autograph=False)
    def loss(sampled):
        return call(sampled_values=(sampled, own().true_count, np.float32(1)))

    assert np.isnan(loss(sampled)).tolist() == [False, True, False, False]
    good = loss(own().sampled)
    assert_close(tf.gather(loss(sampled), [0, 2, 3]), tf.gather(good, [0, 2, 3]), 1e-6)
