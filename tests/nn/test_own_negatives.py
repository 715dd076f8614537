"""Candidates `[B, S]`, each row its own, against naive float64 loops."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests import composed_reference
from tests.composed_problem import B, T, assert_same, case, got
from tests.own_negatives_problem import OwnNegatives, S, own
from tests.problems import assert_close

pytestmark = pytest.mark.no_op_seeds

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


@pytest.mark.parametrize("loss", KINDS.values(), ids=KINDS)
def test_no_candidates(loss, implementation):
    p = own()._replace(sampled=own().sampled[:, :0], sampled_count=own().sampled_count[:, :0])
    arguments = {**p.arguments, "num_sampled": 1}
    shared = {**arguments, "sampled_values": (p.sampled[0], p.true_count, p.sampled_count[0])}
    tensors = p.weights, p.biases, p.labels, p.inputs
    how = {"remove_accidental_hits": False, "temperature": 0.5}
    assert_close(loss(*tensors, **arguments, **how), loss(*tensors, **shared, **how), 1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_candidate_whose_bias_is_minus_infinity_is_no_negative(kind, implementation):
    """Its logit gets no gradient, and no NaN reaches the others."""
    p = own()
    biases = p.biases.copy()
    biases[6] = -np.inf
    how = {"remove_accidental_hits": False, "z_loss": 0.1} if kind == "softmax" else {}
    values, gradients = got(KINDS[kind], p._replace(biases=biases), **how)
    biases[6] = -1e4
    expected, expected_gradients = got(KINDS[kind], p._replace(biases=biases), **how)
    assert_close(values, expected, 1e-12)
    for gradient, want in zip(gradients, expected_gradients):
        assert_close(gradient, want, 1e-12)
