"""`ignore_class=` and padding mean what Keras's `ignore_class` means; and what labels may be."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.keras.conftest import C, D, functional, logits_of
from tests.problems import assert_close

MASK = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1], [1, 1, 1]], bool)
LABELS = np.array([[3, -1, 4], [7, 9, -1], [-1, -1, 11], [5, 2, 8]])
WEIGHTS = {
    "none": None,
    "number": 0.5,
    "zero for ignored ones too": np.float32(LABELS > 4),
    "example": np.float32([1, 0, 2, 0.5]),
    "step": np.random.RandomState(2).rand(4, 3).astype(np.float32) * (LABELS != 9),
}


def both(kerases, **options):
    """Returns our loss, Keras's, and the logits of a head for each."""
    hidden = tf.constant(np.random.RandomState(1).randn(4, 3, D).astype(np.float32))
    head = kerases.ours.layers.SampledDense(C)
    logits = head(hidden, training=False)
    own = kerases.keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, ignore_class=-1, **options
    )
    return own, logits, tf.identity(logits)


@pytest.mark.parametrize("argument", ["ignore_class", "padding_label"])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "none"])
def test_it_is_kerass(kerases, argument, reduction):
    for masked in (False, True):
        for weight in WEIGHTS.values():
            own, logits, plain = both(kerases, reduction=reduction)
            ours = kerases.ours.losses.SampledSoftmax(9, reduction=reduction, **{argument: -1})
            if masked:
                logits._keras_mask = plain._keras_mask = tf.constant(MASK)
            got = ours(LABELS, logits, sample_weight=weight)
            if np.ndim(weight) == 1:
                weight = weight[:, None]  # Keras 3 takes a column only.
            assert_close(got, own(LABELS, plain, sample_weight=weight), rtol=1e-5)


def test_rows_without_a_true_class_are_not_in_the_mean(kerases):
    """The mean over the other rows: 7.600 where it was 4.750, of 8 rows with 3 to ignore."""
    r = np.random.RandomState(0)
    hidden = tf.constant(r.randn(8, D).astype(np.float32))
    head = kerases.ours.layers.SampledDense(2000)
    logits = head(hidden, training=False)
    labels = np.array([5, -1, 7, -1, 9, 11, -1, 13])
    own = kerases.keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    want = own(labels, tf.identity(logits))
    for options in ({"padding_label": -1}, {"ignore_class": -1}):
        got = kerases.ours.losses.SampledSoftmax(9, **options)(labels, logits)
        np.testing.assert_allclose(got, want, rtol=1e-5)
    several = np.stack([labels, np.full(8, -1)], axis=1)
    got = kerases.ours.losses.SampledSoftmax(9, num_true=2, padding_label=-1)(several, logits)
    np.testing.assert_allclose(got, want, rtol=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_row_to_ignore_changes_nothing_in_training(kerases, jit_compile):
    r = np.random.RandomState(0)
    x, y = r.randn(16, D).astype(np.float32), r.randint(0, C, 16)
    weights = functional(kerases).get_weights()
    values = []
    for labels in (y, np.where(np.arange(16) % 4, y, -1)):
        rows = labels >= 0
        for inputs, targets in ((x, labels), (x[rows], labels[rows])):
            sampler = tsc.random.LearnedUnigramSampler(C, seed=1)
            model = functional(kerases)
            model.set_weights(weights)
            loss = kerases.ours.losses.SampledSoftmax(10, sampler=sampler, ignore_class=-1)
            model.compile("sgd", loss, jit_compile=jit_compile)
            values.append([np.ravel(model.train_on_batch(inputs, targets))[0] for _ in range(2)])
            np.testing.assert_array_equal(
                sampler.counts(), 1 + 2 * np.bincount(labels[rows], minlength=C)
            )
    assert_close(np.array(values[0]), np.array(values[1]), rtol=1e-5)
    assert_close(np.array(values[2]), np.array(values[3]), rtol=1e-5)


def test_a_class_can_be_ignored(kerases, batch):
    """As in Keras, the class to ignore may be one of the classes."""
    x, y = batch
    model = functional(kerases)
    model.compile("sgd", kerases.ours.losses.SampledSoftmax(10, ignore_class=int(y[0])))
    want = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits_of(model, x)).numpy()
    got = model.evaluate(x, y, verbose=0, batch_size=len(y))
    np.testing.assert_allclose(got, want[y != y[0]].mean(), rtol=1e-5)


def test_in_a_config(kerases):
    for name in ("SampledSoftmax", "NCE", "SampledSparseSoftmax"):
        loss = getattr(kerases.ours.losses, name)(9, ignore_class=0)
        assert type(loss).from_config(loss.get_config()).ignore_class == 0
    old = kerases.ours.losses.SampledSoftmax(9).get_config()
    del old["ignore_class"]  # as files of older versions
    assert kerases.ours.losses.SampledSoftmax.from_config(old).ignore_class is None


def test_float_labels_with_a_fraction_are_an_error(kerases, batch):
    x, y = batch
    for eagerly in (False, True):
        model = functional(kerases)
        model.compile("sgd", kerases.ours.losses.SampledSoftmax(10), run_eagerly=eagerly)
        model.fit(x, y.astype(np.float32), verbose=0)
        with pytest.raises(tf.errors.InvalidArgumentError, match="labels: expected class ids"):
            model.fit(x, y + 0.5, verbose=0)
        with pytest.raises(tf.errors.InvalidArgumentError, match="labels: expected class ids"):
            model.evaluate(x, y + 0.5, verbose=0)


def test_float_labels_under_xla(kerases, batch):
    x, y = batch
    sampler = tsc.random.LearnedUnigramSampler(C, seed=1)
    model = functional(kerases)
    loss = kerases.ours.losses.SampledSoftmax(10, sampler=sampler)
    model.compile("sgd", loss, jit_compile=True)
    assert np.isfinite(np.ravel(model.train_on_batch(x, y.astype(np.float32)))[0])
    assert np.isnan(np.ravel(model.train_on_batch(x, y + 0.5))[0])


def test_labels_that_are_text(kerases, batch):
    head = kerases.ours.layers.SampledDense(C)
    logits = head(tf.constant(batch[0]), training=True)
    with pytest.raises(TypeError, match="labels: expected class ids.*StringLookup"):
        kerases.ours.losses.SampledSoftmax(9)(tf.strings.as_string(batch[1]), logits)


def test_bad_numbers_are_an_error_at_once(kerases):
    ours = kerases.ours.losses
    for make, words in [
        (lambda: ours.SampledSoftmax(-3), "num_sampled: expected at least 1"),
        (lambda: ours.NCE(2.5), "num_sampled: expected an integer"),
        (lambda: ours.SampledSoftmax(5, num_true=0), "num_true: expected at least 1"),
        (lambda: ours.RankSampledSoftmax(128, 128), "num_resampled: expected less than"),
        (lambda: ours.RankSampledSoftmax(128, 0), "num_resampled: expected at least 1"),
        (lambda: ours.SampledSoftmax(5, ignore_class="none"), "ignore_class: expected an integer"),
        (lambda: ours.SampledSoftmax(5, padding_label=0.5), "padding_label: expected an integer"),
    ]:
        with pytest.raises((ValueError, TypeError), match=words):
            make()


@pytest.mark.parametrize(
    "sampler", ["log_uniform", "uniform", {"name": "fixed_unigram", "unigrams": [1.0] * C}]
)
def test_more_candidates_than_classes(kerases, sampler, batch):
    model = functional(kerases)
    model.compile("sgd", kerases.ours.losses.SampledSoftmax(C + 1, sampler=sampler))
    with pytest.raises(ValueError, match=f"num_sampled: expected at most {C}, the number of"):
        model.fit(*batch, verbose=0)


RAGGED = [[1, 2], [3], [], [4, 5, 6]]
PADDED = np.array([[1, 2, -1], [3, -1, -1], [-1, -1, -1], [4, 5, 6]])


@pytest.mark.parametrize("name", ["SampledSoftmax", "NCE"])
@pytest.mark.parametrize("training", [True, False])
def test_ragged_labels(kerases, name, training):
    hidden = tf.constant(np.random.RandomState(1).randn(4, D).astype(np.float32))
    head = kerases.ours.layers.SampledDense(C)
    head(hidden)
    values = []
    for labels, options in ((tf.ragged.constant(RAGGED), {}), (PADDED, {"padding_label": -1})):
        sampler = tsc.random.LearnedUnigramSampler(C, seed=1)
        loss = getattr(kerases.ours.losses, name)(9, num_true=3, sampler=sampler, **options)
        values.append(loss(labels, head(hidden, training=training)))
    assert_close(values[0], values[1], rtol=1e-6)
    with pytest.raises(ValueError, match="labels: expected .*at most num_true = 2"):
        loss = getattr(kerases.ours.losses, name)(9, num_true=2)
        loss(tf.ragged.constant(RAGGED), head(hidden, training=training))


def test_ragged_labels_in_fit(kerases):
    x = np.random.RandomState(1).randn(4, D).astype(np.float32)
    model = functional(kerases)
    data = tf.data.Dataset.from_tensor_slices((x, tf.ragged.constant(RAGGED))).batch(2)
    model.compile("sgd", kerases.ours.losses.SampledSoftmax(9, num_true=3))
    assert np.isfinite(model.fit(data, verbose=0).history["loss"][0])
    assert np.isfinite(model.evaluate(data, verbose=0))


def test_ragged_steps(kerases):
    """A label for each step, and none after the last: as if the others were masked."""
    hidden = tf.constant(np.random.RandomState(1).randn(4, 3, D).astype(np.float32))
    head = kerases.ours.layers.SampledDense(C)
    logits = head(hidden, training=False)
    got = kerases.ours.losses.SampledSoftmax(9)(tf.ragged.constant(RAGGED), logits)
    want = kerases.ours.losses.SampledSoftmax(9, padding_label=-1)(PADDED, logits)
    assert_close(got, want, rtol=1e-6)
