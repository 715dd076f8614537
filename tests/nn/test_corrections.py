"""Compares `padding_label` and `exclude_true` with naive float64 loops."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests import reference
from tests.problems import assert_close, dense, loss_and_gradients, problem

LOSSES = {
    "softmax": (tsc.nn.sampled_softmax_loss, reference.softmax_loss),
    "nce": (tsc.nn.nce_loss, reference.nce_loss),
}
MASK = np.array([[1, 1, 1], [1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, 0]], bool)


def padded(padding, seed=0, repeated=False):
    p = problem(T=3, S=12, seed=seed, repeated=repeated)
    p.sampled[0] = 0  # Padding is looked up as this class, which must not become a hit.
    return p._replace(labels=np.where(MASK, p.labels, padding)), p


def naive(loss, p, mask, remove_hits=False, exclude=False):
    """Returns losses and gradients, computed row by row from the row's true classes."""
    results = []
    for i in range(len(p.labels)):
        there = mask[i]
        row = p._replace(
            labels=p.labels[i : i + 1, there], inputs=p.inputs[i : i + 1],
            true_count=p.true_count[i : i + 1, there], upstream=p.upstream[i : i + 1])  # fmt: skip
        if exclude:
            row = positive_excluding(row, keep_true=loss is reference.nce_loss)
        if there.any():
            results.append(reference.evaluate(loss, row, remove_hits))
        elif loss is reference.softmax_loss:
            zero = np.zeros_like
            results.append(([0.0], zero(p.weights), zero(p.biases), zero(row.inputs)))
        else:  # Only the negatives' part: a true class far below all logits does not change it.
            low = row._replace(
                labels=np.zeros([1, 1], int), true_count=np.full([1, 1], np.inf))  # fmt: skip
            value, *gradients = reference.evaluate(negatives_only, low, False)
            results.append((value, *gradients))
    value, weights, biases, inputs = zip(*results)
    return np.concatenate(value), sum(weights), sum(biases), np.concatenate(inputs)


def negatives_only(logits, num_true):
    negatives = logits[:, num_true:]
    gradient = np.concatenate([np.zeros([1, num_true]), 1 / (1 + np.exp(-negatives))], axis=1)
    return np.logaddexp(0, negatives).sum(axis=1), gradient


def positive_excluding(row, keep_true):
    """Drops the candidates that are true classes and corrects the counts of the others."""
    true = set(row.labels[0].tolist())
    left = [s for s, c in enumerate(row.sampled) if c not in true]
    count_of = dict(zip(row.labels[0].tolist(), row.true_count[0]))
    S = len(row.sampled)
    more = len(left) / (S - sum(map(float, count_of.values())))
    true_count = row.true_count if keep_true else np.ones_like(row.true_count)
    return row._replace(
        sampled=row.sampled[left], sampled_count=np.float64(row.sampled_count[left]) * more,
        true_count=true_count)  # fmt: skip


def run(loss, p, mode="eager", **options):
    arguments = {**p.arguments, **options}

    def compute():
        weights, biases, inputs = map(tf.constant, (p.weights, p.biases, p.inputs))
        value, gradients = loss_and_gradients(
            loss, weights, biases, p.labels, inputs, p.upstream, (weights, biases, inputs),
            **arguments)  # fmt: skip
        return value, [tf.convert_to_tensor(g) for g in gradients]

    if mode != "eager":
        compute = tf.function(compute, jit_compile=mode == "xla")
    value, gradients = compute()
    return [value.numpy(), *map(dense, gradients)]


def assert_same(got, want):
    for one, other in zip(got, want):
        assert_close(one, other)


@pytest.mark.parametrize("mode", ["eager", "graph"])
@pytest.mark.parametrize("hits", [True, False])
@pytest.mark.parametrize("name", LOSSES)
def test_padding(name, hits, mode, implementation):
    check_padding(name, hits, mode)


@pytest.mark.parametrize("hits", [True, False])
@pytest.mark.parametrize("name", LOSSES)
def test_padding_under_xla(name, hits):
    check_padding(name, hits, "xla")


def check_padding(name, hits, mode):
    loss, truth = LOSSES[name]
    p, full = padded(-1)
    p = p._replace(true_count=np.where(MASK, p.true_count, np.nan))
    got = run(loss, p, mode, remove_accidental_hits=hits, padding_label=-1)
    assert_same(got, naive(truth, full, MASK, remove_hits=hits))


@pytest.mark.parametrize("exclude", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_no_padding_there_changes_nothing(name, exclude):
    p = problem(T=3)
    loss, _ = LOSSES[name]
    options = {"implementation": "composite", "exclude_true": exclude}
    assert_same(run(loss, p, padding_label=-1, **options), run(loss, p, **options))


@pytest.mark.parametrize("repeated", [False, True], ids=["distinct", "repeated"])
@pytest.mark.parametrize("name", LOSSES)
def test_exclude_true(name, repeated, implementation):
    """It excludes every copy of a true class, while `remove_accidental_hits` leaves some."""
    check_exclusion(name, repeated, "eager")


@pytest.mark.parametrize("repeated", [False, True], ids=["distinct", "repeated"])
@pytest.mark.parametrize("name", LOSSES)
def test_exclude_true_under_xla(name, repeated):
    check_exclusion(name, repeated, "xla")


def check_exclusion(name, repeated, mode):
    loss, truth = LOSSES[name]
    p = problem(C=15, T=3, S=12, repeated=repeated)
    p = p._replace(labels=np.concatenate([p.labels[:, :2], p.labels[:, :1]], axis=1))
    p.true_count[:, 2] = p.true_count[:, 0]  # A repeated true class counts once.
    want = naive(truth, p, np.ones_like(MASK), exclude=True)
    assert_same(run(loss, p, mode, exclude_true=True), want)


@pytest.mark.parametrize("name", LOSSES)
def test_both(name, implementation):
    loss, truth = LOSSES[name]
    mask = MASK.copy()
    mask[2, 1] = True
    p = problem(C=15, T=3, S=12, repeated=True)
    want = naive(truth, p, mask, exclude=True)
    p = p._replace(labels=np.where(mask, p.labels, 99))
    assert_same(run(loss, p, exclude_true=True, padding_label=99), want)


def test_ragged_labels(implementation):
    p, full = padded(-1)
    rows = [full.labels[i, MASK[i]] for i in range(6)]
    # Ragged rows start at the left, so the counts must too.
    counts = np.ones([6, 3], np.float32)
    for i in range(6):
        counts[i, : len(rows[i])] = full.true_count[i, MASK[i]]
    ragged = p._replace(labels=tf.ragged.constant([r.tolist() for r in rows], dtype=tf.int64))
    arguments = {**p.arguments, "sampled_values": (p.sampled, counts, p.sampled_count)}
    tables = p.weights, p.biases
    got = tsc.nn.sampled_softmax_loss(
        *tables, ragged.labels, p.inputs, padding_label=-1, **arguments
    )
    assert_close(got, naive(reference.softmax_loss, full, MASK, remove_hits=True)[0])
    with pytest.raises(ValueError, match="labels: expected a tensor, or padding_label"):
        tsc.nn.sampled_softmax_loss(*tables, ragged.labels, p.inputs, **arguments)
    with pytest.raises(ValueError, match="labels: expected rows of at most num_true = 2"):
        tsc.nn.sampled_softmax_loss(
            *tables, ragged.labels, p.inputs, 5, 50, num_true=2, padding_label=-1
        )


def test_a_label_out_of_range_is_no_padding():
    p, _ = padded(-2)
    with pytest.raises(ValueError, match="labels.*-2"):
        tsc.nn.nce_loss(p.weights, p.biases, p.labels, p.inputs, 5, 50, 3, padding_label=-1)


@pytest.mark.parametrize("how", ["eager", "xla"])
def test_padding_is_not_learned(how):
    p, _ = padded(-1)
    sampler = tsc.random.LearnedUnigramSampler(50, seed=1)

    def step():
        return tsc.nn.rank_sampled_softmax_loss(
            p.weights, p.biases, p.labels, p.inputs, 20, 10, 50, num_true=3, sampler=sampler,
            padding_label=-1)  # fmt: skip

    step = tf.function(step, jit_compile=True) if how == "xla" else step
    assert np.isfinite(step()).all() and np.isfinite(step()).all()
    counts = 1 + 2 * np.bincount(p.labels[MASK], minlength=50)
    np.testing.assert_array_equal(sampler.counts(), counts)


@pytest.mark.parametrize("loss", ["sampled_softmax_loss", "nce_loss"])
def test_padding_with_the_default_sampler(loss):
    """The losses equal those of the same draw without padding."""
    p, full = padded(-1)
    tf.random.set_seed(1)
    got = getattr(tsc.nn, loss)(
        p.weights, p.biases, p.labels, p.inputs, 10, 50, 3, seed=3, padding_label=-1)  # fmt: skip
    tf.random.set_seed(1)
    values = tsc.random.log_uniform_candidate_sampler(full.labels, 3, 10, True, 50, seed=3)
    full = full._replace(sampled=values[0].numpy(), true_count=values[1].numpy(),
                         sampled_count=values[2].numpy())  # fmt: skip
    name = "nce" if loss == "nce_loss" else "softmax"
    want = naive(LOSSES[name][1], full, MASK, remove_hits=name == "softmax")
    assert_close(got, want[0])


def test_padding_touches_no_row_of_its_own(implementation):
    p, _ = padded(-1)
    p.sampled[0] = next(c for c in range(1, 50) if c not in p.sampled)
    p = p._replace(labels=np.where(p.labels == 0, -1, p.labels))
    weights = tf.Variable(p.weights)
    with tf.GradientTape() as tape:
        loss = tsc.nn.sampled_softmax_loss(
            weights, p.biases, p.labels, p.inputs, padding_label=-1, **p.arguments)  # fmt: skip
    touched = set(tape.gradient(loss, weights).indices.numpy().tolist())
    assert touched == set(p.sampled.tolist()) | set(p.labels[p.labels >= 0].tolist())
    assert 0 not in touched


def test_all_classes_and_none_that_is_true_is_the_full_softmax(implementation):
    p = problem(C=20, T=2)
    everything = (np.arange(20), np.ones([6, 2], "f"), np.ones(20, "f"))
    got = tsc.nn.sampled_softmax_loss(
        p.weights, p.biases, p.labels, p.inputs, 20, 20, 2, everything, exclude_true=True
    )
    logits = np.float64(p.inputs) @ p.weights.T + p.biases
    total = np.log(np.exp(logits).sum(axis=1))
    assert_close(got, total - np.take_along_axis(logits, p.labels, 1).mean(axis=1))


def test_a_sampler_is_called_or_its_values_given():
    p = problem()
    sampler = tsc.random.log_uniform_candidate_sampler

    def call(**options):
        tf.random.set_seed(1)
        return tsc.nn.nce_loss(p.weights, p.biases, p.labels, p.inputs, 10, 50, **options)

    tf.random.set_seed(1)
    values = sampler(p.labels, 1, 10, True, 50, seed=4)
    assert_close(call(sampler=sampler, seed=4), call(sampled_values=values))
    with pytest.raises(TypeError, match="sampler: expected a callable"):
        call(sampler=values)
    with pytest.raises(ValueError, match="sampler, sampled_values: expected one of them"):
        call(sampler=sampler, sampled_values=values)
