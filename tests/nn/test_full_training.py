"""The softmax loss over all classes as a training loss, against naive float64 loops."""

import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import op_callbacks

import tf_sampled_compat as tsc
from tests import composed_reference
from tests.composed_problem import B, T, assert_same, case, got
from tests.problems import assert_close, dense
from tests.table_pieces import pieces, sharded, whole
from tf_sampled_compat.core.backends import streaming

pytestmark = [pytest.mark.no_op_seeds, pytest.mark.usefixtures("blocks_of_4_rows")]

LABEL_WEIGHTS = np.array([[0.7, 0.2], [1.0, 0.0], [0.25, 0.5], [0.1, 0.9]])
MASK = np.array([[1, 1], [0, 1], [0, 0], [1, 0]], bool)
TERMS = {
    "temperature": {"temperature": 0.3},
    "normalize": {"normalize": True},
    "margin": {"normalize": True, "margin": tsc.margins.ArcFace(0.4)},
    "label_weights": {"label_weights": LABEL_WEIGHTS},
    "label_smoothing": {"label_smoothing": 0.2},
    "z_loss": {"z_loss": 0.05},
}
SETS = [[], *([t] for t in TERMS), *map(list, itertools.combinations(TERMS, 2)), list(TERMS)]
ALL = tuple(TERMS)


@pytest.fixture
def blocks_of_4_rows(monkeypatch):
    """The nine classes of the problem are two blocks and a part of one, in TensorFlow's ops."""
    monkeypatch.setattr(streaming, "_STATIC_ROWS", 4)
    monkeypatch.setattr(streaming, "_FEWEST_ROWS", 4)


def options_of(names):
    return {key: value for name in names for key, value in TERMS[name].items()}


@functools.cache
def wanted(names, how=""):
    """Returns the losses and their gradients by weights, biases and inputs, in float64.

    Args:
      names: The terms.
      how: "padded", "copies" (a class twice in a row), or the name of a dtype to round to.
    """
    p = problem(how)
    options = options_of(names)
    if "margin" in options:
        options["margin"] = composed_reference.arc_face(options["margin"].m)
    mask = MASK if how == "padded" else None

    def loss(weights, biases, inputs):
        return composed_reference.full(
            "softmax", weights, biases, p.labels, inputs, mask=mask, **options
        )

    arrays = [np.asarray(a, np.float64) for a in (p.weights, p.biases, p.inputs)]
    return loss(*arrays), composed_reference.gradients(loss, arrays, p.upstream)


def problem(how=""):
    p = case()
    if how == "copies":
        labels = p.labels.copy()
        labels[1] = labels[1, 0]
        return p._replace(labels=labels)
    if how in ("float32", "bfloat16"):
        names = "weights", "biases", "inputs"
        round = lambda a: tf.cast(tf.cast(a, how), tf.float64).numpy()  # noqa: E731
        return p._replace(**{name: round(getattr(p, name)) for name in names})
    return p


def loss(weights, biases, labels, inputs, num_true, **options):
    for unused in ("num_sampled", "sampled_values"):
        options.pop(unused, None)
    return tsc.nn.full_softmax_loss(weights, biases, labels, inputs, num_true=num_true, **options)


@pytest.mark.parametrize("names", SETS, ids="+".join)
def test_terms_equal_the_reference(names, implementation):
    assert_same(got(loss, case(), **options_of(names)), wanted(tuple(names)), 1e-7)


@pytest.mark.parametrize("mode", ["graph", "xla"])
def test_compiled(mode):
    assert_same(got(loss, case(), mode=mode, **options_of(ALL)), wanted(ALL), 1e-7)


@pytest.mark.parametrize(("dtype", "rtol"), [("float32", 2e-5), ("bfloat16", 3e-2)])
def test_lower_precision(dtype, rtol, implementation):
    assert_same(got(loss, case(), dtype, **options_of(ALL)), wanted(ALL, dtype), rtol)


@pytest.mark.parametrize("names", [(), ALL], ids=["none", "all"])
@pytest.mark.parametrize("mode", ["eager", "xla"])
def test_padding(mode, names, implementation):
    """A row with fewer true classes, and one without any, which costs nothing."""
    if mode == "xla" and implementation == "fused":
        return
    padded = case()._replace(labels=np.where(MASK, case().labels, -1))
    result = got(loss, padded, mode=mode, padding_label=-1, **options_of(names))
    assert_same(result, wanted(names, "padded"), 1e-7)


@pytest.mark.parametrize("names", [(), ALL], ids=["none", "all"])
def test_a_class_twice_in_a_row_counts_once(names, implementation):
    assert_same(got(loss, problem("copies"), **options_of(names)), wanted(names, "copies"), 1e-7)


def tables(kind, array):
    make = {
        "div": lambda a: [tf.Variable(p) for p in pieces(a, 3, "div")],
        "mod": lambda a: [tf.Variable(p) for p in pieces(a, 3, "mod")],
        "sharded": lambda a: sharded(a, 3),
    }
    return make[kind](array)


@pytest.mark.parametrize("kind", ["div", "mod", "sharded"])
def test_sharded_tables(kind, implementation):
    """Each piece gets one dense gradient."""
    p, strategy = case(), "mod" if kind == "mod" else "div"
    weights, biases = tables(kind, p.weights.astype("d")), tables(kind, p.biases.astype("d"))
    inputs = tf.Variable(p.inputs.astype("d"))
    watched = [*getattr(weights, "variables", weights), *getattr(biases, "variables", biases)]
    with tf.GradientTape() as tape:
        values = tsc.nn.full_softmax_loss(
            weights, biases, p.labels, inputs, num_true=T, partition_strategy=strategy,
            **options_of(ALL))  # fmt: skip
        total = tf.reduce_sum(values * p.upstream)
    gradients = tape.gradient(total, [*watched, inputs])
    assert all(isinstance(gradient, tf.Tensor) for gradient in gradients[:3])
    of_tables = [whole([dense(g) for g in part], strategy)
                 for part in (gradients[:3], gradients[3:6])]  # fmt: skip
    assert_same((values, [*of_tables, dense(gradients[6])]), wanted(ALL), 1e-7)


@pytest.mark.parametrize("names", [(), ALL], ids=["none", "all"])
def test_no_matrix_of_logits(names, implementation):
    """Neither the loss nor its gradients hold as many numbers as B inputs and C classes."""
    batch, classes, dim = 40, 60, 3
    r, sizes = np.random.RandomState(0), []

    def record(op_type, inputs, attrs, outputs, op_name=None, graph=None):
        sizes.extend((t.shape.num_elements() or 0, op_type) for t in outputs)

    weights, biases = tf.Variable(r.randn(classes, dim)), tf.Variable(r.randn(classes))
    inputs, labels = tf.Variable(r.randn(batch, dim)), r.randint(0, classes, [batch, 1])
    options = {**options_of(names)}
    options.pop("label_weights", None)
    op_callbacks.add_op_callback(record)
    try:
        with tf.GradientTape() as tape:
            values = tsc.nn.full_softmax_loss(weights, biases, labels, inputs, **options)
        tape.gradient(values, [weights, biases, inputs])
    finally:
        op_callbacks.remove_op_callback(record)
    assert classes * dim <= max(sizes)[0] < batch * classes / 2, max(sizes)


def test_the_gradient_of_a_table_is_dense(implementation):
    p = case()
    weights, biases = tf.Variable(p.weights), tf.Variable(p.biases)
    with tf.GradientTape() as tape:
        values = loss(weights, biases, p.labels, p.inputs, T, **options_of(ALL))
    assert isinstance(tape.gradient(values, weights), tf.Tensor)


def test_a_tape_around_a_function_gets_the_same_gradient(implementation):
    """The function is traced as an evaluation, which looks rows up."""
    p, options = case(), options_of(ALL)
    watched = [tf.Variable(a.astype("d")) for a in (p.weights, p.biases, p.inputs)]

    @tf.function(autograph=False)
    def values():
        weights, biases, inputs = watched
        return loss(weights, biases, p.labels, inputs, T, **options)

    values()
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(values() * p.upstream)
    gradients = [dense(g) for g in tape.gradient(total, watched)]
    assert_same((values(), gradients), wanted(ALL), 1e-7)


def test_rows_beyond_the_classes_have_no_gradient(implementation):
    p = case()
    more = np.concatenate([p.weights, np.ones([2, 3], "f")])
    weights, biases = tf.Variable(more), tf.Variable(np.zeros(11, "f"))
    labels = p.labels
    with tf.GradientTape() as tape:
        values = tsc.nn.full_softmax_loss(weights, biases, labels, p.inputs, 9, T)
    want = tsc.nn.full_softmax_loss(p.weights, np.zeros(9, "f"), labels, p.inputs, 9, T)
    assert_close(values, want, 1e-6)
    gradient = tape.gradient(values, weights)
    assert np.all(gradient[9:].numpy() == 0) and np.all(gradient[:9].numpy() != 0)


def test_a_row_whose_classes_are_all_true(implementation):
    """It has no negatives, and its loss is the entropy of its true classes."""
    weights, inputs = tf.Variable([[1.0], [2.0]]), tf.constant([[3.0]])
    options = {"normalize": True, "margin": tsc.margins.CosFace(0.5), "z_loss": 0.1}
    for kwargs in ({}, options):
        with tf.GradientTape() as tape:
            value = loss(weights, tf.zeros([2]), [[0, 1]], inputs, 2, **kwargs)
        gradient = tape.gradient(value, weights)
        assert np.isfinite(value.numpy()).all() and np.isfinite(gradient.numpy()).all()
    plain = loss(weights, tf.zeros([2]), [[0, 1]], inputs, 2)
    assert_close(plain, [np.log(np.exp(3) + np.exp(6)) - 4.5], 1e-6)


def test_a_loss_near_zero_keeps_its_digits(implementation):
    values = loss(tf.zeros([3, 1]), [30.0, 0.0, 1.0], [[0]], tf.ones([1, 1]), 1)
    np.testing.assert_allclose(values, [np.log1p((1 + np.e) * np.exp(-30))], rtol=1e-6)


BAD = {
    "temperature: expected a positive finite number, got 0": {"temperature": 0},
    r"label_smoothing: expected a number in \[0, 1\), got 1": {"label_smoothing": 1},
    "z_loss: expected a number >= 0, got -1": {"z_loss": -1},
    "margin: expected normalize=True beside it": {"margin": tsc.margins.CosFace(0.1)},
    "label_weights: expected": {"label_weights": -LABEL_WEIGHTS},
    r"labels: expected class ids in \[0, 5\), got 8": {"num_classes": 5},
}


@pytest.mark.parametrize("words", BAD)
def test_words_for_mistakes(words, implementation):
    p = case()
    with pytest.raises(ValueError, match=words):
        loss(p.weights, p.biases, p.labels, p.inputs, T, **BAD[words])


def test_a_label_beyond_a_table_of_unknown_size(implementation):
    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, 3]), tf.TensorSpec([None])])
    def values(weights, biases):
        return loss(weights, biases, case().labels, case().inputs, T)

    assert_close(values(case().weights, case().biases), wanted(())[0], 1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="labels: expected class ids"):
        values(case().weights[:5], case().biases[:5])


def test_under_xla_bad_values_are_nan_in_their_rows():
    p = case()

    @tf.function(jit_compile=True, autograph=False)
    def values(labels, weights, temperature):
        return loss(p.weights, p.biases, labels, p.inputs, T, label_weights=weights,
                    temperature=temperature)  # fmt: skip

    good = p.labels, LABEL_WEIGHTS.astype("f"), np.float32(1)
    assert np.isfinite(values(*good)).all()
    assert np.isnan(values(*good[:2], np.float32(-1))).all()
    labels, weights = p.labels.copy(), good[1].copy()
    labels[2, 1], weights[1, 0] = 9, -1
    found = np.isnan(values(labels, weights, good[2]))
    np.testing.assert_array_equal(found, np.isin(np.arange(B), [1, 2]))
