"""The terms of the losses, alone, in pairs and all at once, against naive float64 loops."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests import composed_reference
from tests.composed_problem import B, T, assert_same, case, got
from tests.problems import assert_close, dense

pytestmark = pytest.mark.no_op_seeds

LABEL_WEIGHTS = np.array([[0.7, 0.2], [1.0, 0.0], [0.25, 0.5], [0.1, 0.9]])
TERMS = {
    "temperature": {"temperature": 0.3},
    "normalize": {"normalize": True},
    "margin": {"normalize": True, "margin": tsc.margins.ArcFace(0.4)},
    "label_weights": {"label_weights": LABEL_WEIGHTS},
    "label_smoothing": {"label_smoothing": 0.2},
    "z_loss": {"z_loss": 0.05},
}
SETS = [
    *([name] for name in TERMS),
    *map(list, itertools.combinations(TERMS, 2)),
    list(TERMS),
]
KINDS = {"softmax": tsc.nn.sampled_softmax_loss, "sigmoid": tsc.nn.nce_loss}
# How candidates that are true classes are treated, and the reference's name for it.
HITS = {
    "kept": ({"remove_accidental_hits": False}, "none"),
    "last copy": ({"remove_accidental_hits": True}, "last"),
    "exclude_true": ({"exclude_true": True}, "all"),
}


def options_of(names):
    return {key: value for name in names for key, value in TERMS[name].items()}


def of_reference(options):
    margin = options.get("margin")
    if margin is None:
        return options
    naive = {"ArcFace": composed_reference.arc_face, "CosFace": composed_reference.cos_face}
    return {**options, "margin": naive[type(margin).__name__](margin.m)}


def wanted(kind, p, hits, options, mask=None):
    """Returns the loss and its gradients by weights, biases and inputs, from the reference."""

    def loss(weights, biases, inputs):
        return composed_reference.sampled(
            kind, weights, biases, p.labels, inputs, p.sampled, p.true_count, p.sampled_count,
            hits=hits, mask=mask, **of_reference(options))  # fmt: skip

    arrays = [np.asarray(a, np.float64) for a in (p.weights, p.biases, p.inputs)]
    return loss(*arrays), composed_reference.gradients(loss, arrays, p.upstream)


def supported(kind, names):
    return kind == "softmax" or "z_loss" not in names


@pytest.mark.parametrize("hits", HITS)
@pytest.mark.parametrize("names", SETS, ids="+".join)
@pytest.mark.parametrize("kind", KINDS)
def test_terms_equal_the_reference(kind, names, hits, implementation):
    if not supported(kind, names):
        names = [name for name in names if name != "z_loss"]
    p, options = case(), options_of(names)
    how, of_reference = HITS[hits]
    expected = wanted(kind, p, of_reference, options)
    assert_same(got(KINDS[kind], p, **how, **options), expected, 1e-7)


@pytest.mark.parametrize("mode", ["graph", "xla"])
@pytest.mark.parametrize("hits", HITS)
@pytest.mark.parametrize("kind", KINDS)
def test_compiled(kind, hits, mode):
    names = [name for name in TERMS if supported(kind, [name])]
    p, options = case(), options_of(names)
    how, of_reference = HITS[hits]
    expected = wanted(kind, p, of_reference, options)
    assert_same(got(KINDS[kind], p, mode=mode, **how, **options), expected, 1e-7)


@pytest.mark.parametrize(("dtype", "rtol"), [("float32", 2e-5), ("bfloat16", 3e-2)])
@pytest.mark.parametrize("kind", KINDS)
def test_lower_precision(kind, dtype, rtol, implementation):
    names = [name for name in TERMS if supported(kind, [name])]
    p, options = case(), options_of(names)
    rounded = p._replace(
        **{
            name: tf.cast(tf.cast(getattr(p, name), dtype), tf.float64).numpy()
            for name in ("weights", "biases", "inputs")
        }
    )
    expected = wanted(kind, rounded, "last", options)
    result = got(KINDS[kind], p, dtype, remove_accidental_hits=True, **options)
    assert_same(result, expected, rtol)


@pytest.mark.parametrize("hits", HITS)
@pytest.mark.parametrize("kind", KINDS)
def test_padding(kind, hits, implementation):
    """The terms of a row with fewer true classes, and of one without any."""
    names = [name for name in TERMS if supported(kind, [name])]
    p, options = case(), options_of(names)
    mask = np.array([[1, 1], [0, 1], [0, 0], [1, 0]], bool)
    how, of_reference = HITS[hits]
    expected = wanted(kind, p, of_reference, options, mask)
    padded = p._replace(labels=np.where(mask, p.labels, -1))
    result = got(KINDS[kind], padded, padding_label=-1, **how, **options)
    assert_same(result, expected, 1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_counts_that_differ_from_row_to_row(kind):
    names = [name for name in TERMS if supported(kind, [name])]
    p, options = case(), options_of(names)
    counts = np.random.RandomState(1).uniform(0.1, 2, (B, 6)).astype("f")
    p = p._replace(sampled_count=counts)
    expected = wanted(kind, p, "last", options)
    assert_same(got(KINDS[kind], p, remove_accidental_hits=True, **options), expected, 1e-7)


@pytest.mark.parametrize("margin", [tsc.margins.CosFace(0.35), tsc.margins.ArcFace(2.9)], ids=repr)
def test_margins(margin, implementation):
    p, options = case(), {"normalize": True, "temperature": 0.1, "margin": margin}
    expected = wanted("softmax", p, "last", options)
    assert_same(got(KINDS["softmax"], p, **options), expected, 1e-7)


def test_any_function_is_a_margin(implementation):
    p = case()
    options = {"normalize": True, "temperature": 0.1}
    by_function = got(KINDS["softmax"], p, margin=lambda q: q - 0.35, **options)
    assert_same(by_function, got(KINDS["softmax"], p, margin=tsc.margins.CosFace(0.35), **options),
                1e-12)  # fmt: skip


SETS_OF_FULL = [
    names for names in SETS if not {"margin", "z_loss"} & set(names)
] + [["temperature", "normalize", "label_weights", "label_smoothing"]]  # fmt: skip
FULL = {"softmax": tsc.nn.full_softmax_loss, "sigmoid": tsc.nn.full_sigmoid_loss}


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
@pytest.mark.parametrize("names", SETS_OF_FULL, ids="+".join)
@pytest.mark.parametrize("kind", FULL)
def test_losses_over_all_classes(kind, names, mode, implementation):
    if mode == "xla" and (implementation == "fused" or names != SETS_OF_FULL[-1]):
        return
    p, options = case(), options_of(names)

    def reference(weights, biases, inputs):
        return composed_reference.full(kind, weights, biases, p.labels, inputs, **options)

    def loss(weights, biases, labels, inputs, num_true, **_):
        return FULL[kind](weights, biases, labels, inputs, num_true=num_true, **options)

    arrays = [np.asarray(a, np.float64) for a in (p.weights, p.biases, p.inputs)]
    gradients = composed_reference.gradients(reference, arrays, p.upstream)
    assert_same(got(loss, p, mode=mode), (reference(*arrays), gradients), 1e-7)


def test_with_all_classes_sampled_it_is_the_full_loss(implementation):
    """All terms, and every class a candidate with a count of 1."""
    p = case()
    everything = np.arange(9), np.ones([B, T]), np.ones(9)
    options = options_of(["temperature", "normalize", "label_weights", "label_smoothing"])
    tables = p.weights.astype("d"), p.biases.astype("d"), p.labels, p.inputs.astype("d")
    sampled = tsc.nn.sampled_softmax_loss(
        *tables, 9, 9, T, everything, exclude_true=True, **options
    )
    assert_close(sampled, tsc.nn.full_softmax_loss(*tables, num_true=T, **options), 1e-12)


def test_tapas_chooses_by_the_logits_of_the_loss(implementation):
    """Long rows would win the first pass if their cosines did not count."""
    p = case()
    weights = p.weights * np.array([1, 1, 100, 1, 1, 1, 1, 1, 1], "f")[:, None]
    values = np.arange(9), np.ones([B, T], "f"), np.ones(9, "f")
    options = {"normalize": True, "temperature": 0.1}

    def loss(weights):
        return tsc.nn.rank_sampled_softmax_loss(
            weights, p.biases, p.labels, p.inputs, 9, 3, 9, T, values,
            resampling_temperature=0.5, **options)  # fmt: skip

    assert_close(loss(weights), loss(p.weights), 1e-5)


@pytest.mark.parametrize("smoothing", [0.1])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_smoothing_is_finite_if_every_row_has_a_hit(dtype, smoothing, implementation):
    p = case()
    p = p._replace(labels=np.full([B, T], 2))
    p = p._replace(sampled=np.full(6, 2))
    for how in ({}, {"exclude_true": True}):
        values, gradients = got(
            KINDS["softmax"], p, dtype, label_smoothing=smoothing, z_loss=0.1, **how
        )
        assert np.isfinite(values).all()
        assert all(np.isfinite(g).all() for g in gradients)


def test_a_loss_near_zero_keeps_its_digits(implementation):
    p = case()
    p = p._replace(labels=np.array([[8], [1], [4], [7]]), true_count=np.ones([B, 1], "f"))
    p.biases[[8, 1, 4, 7]] = 30.0
    result = got(KINDS["softmax"], p, "float32", z_loss=0.0, label_weights=np.ones([B, 1]))
    expected = wanted("softmax", p, "last", {"label_weights": np.ones([B, 1])})
    np.testing.assert_allclose(result[0], expected[0], rtol=1e-4)
    case.cache_clear()


@pytest.mark.parametrize("names", [["temperature"], ["temperature", "normalize", "z_loss"], None])
def test_in_batch(names, implementation):
    """The reference takes the candidates for the rows of a table."""
    p = case()
    options = TERMS["margin"] | TERMS["temperature"] | TERMS["z_loss"] if names is None else (
        options_of(names))  # fmt: skip
    items, ids = p.weights[:5].astype("d"), np.array([4, 4, 6, 7, 8])
    queries = p.inputs.astype("d")
    queries = np.concatenate([queries, queries[:1]])
    upstream = np.arange(1.0, 6.0)

    def reference(queries, items):
        losses = []
        for i in range(5):
            others = [j for j in range(5) if ids[j] != ids[i]]
            losses.extend(
                composed_reference.sampled(
                    "softmax", items, np.zeros(5), np.array([[i]]), queries[i : i + 1], others,
                    np.ones([1, 1]), np.ones(len(others)), **of_reference(options))
            )  # fmt: skip
        return np.array(losses)

    watched = [tf.constant(queries), tf.constant(items)]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        loss = tsc.nn.in_batch_softmax_loss(*watched, candidate_ids=ids, **options)
        total = tf.reduce_sum(loss * upstream)
    gradients = [dense(g) for g in tape.gradient(total, watched)]
    expected = reference(queries, items)
    wanted = composed_reference.gradients(reference, [queries, items], upstream)
    assert_same((loss, gradients), (expected, wanted), 1e-7)
