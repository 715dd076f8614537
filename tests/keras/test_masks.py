"""A masked step, a padded label, a row of weight zero: no sampler, candidate or mean has them."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.alone import alone
from tests.keras.conftest import C, D, functional
from tests.problems import assert_close

V, STEPS, BATCH = 400, 10, 32
jit = pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])


def sequences():
    """Ids and labels of which 8 of 10 steps are masked. Masked labels are 0."""
    r = np.random.RandomState(0)
    x, y = r.randint(1, V, (BATCH, STEPS)), r.randint(1, V, (BATCH, STEPS))
    x[:, 2:], y[:, 2:] = 0, 0
    return x, y


def recurrent(kerases):
    layers = kerases.keras.layers
    inputs = kerases.keras.Input([STEPS], dtype="int32")
    hidden = layers.LSTM(6, return_sequences=True)(layers.Embedding(V, 8, mask_zero=True)(inputs))
    return kerases.keras.Model(inputs, kerases.ours.layers.SampledDense(V, name="head")(hidden))


def watched(sampler):
    """Makes a sampler that notes what it is given and what it draws; not for compiled models."""
    seen = []

    def draw(labels, num_true, num_sampled, unique, range_max, seed=None, **options):
        values = sampler(labels, num_true, num_sampled, unique, range_max, seed=seed, **options)
        seen.append((np.array(labels), np.array(values[0])))
        return values

    draw.takes_mask = getattr(sampler, "takes_mask", False)
    draw.draws_fewer = getattr(sampler, "draws_fewer", False)
    return draw, seen


@jit
def test_a_masked_step_is_not_learned(kerases, jit_compile):
    x, y = sequences()
    sampler = tsc.random.LearnedUnigramSampler(V, seed=1)
    model = recurrent(kerases)
    loss = kerases.ours.losses.SampledSoftmax(20, sampler=sampler)
    model.compile("sgd", loss, jit_compile=jit_compile)
    model.fit(x, y, batch_size=BATCH, verbose=0)
    assert int(sampler.counts()[0]) == 1
    np.testing.assert_array_equal(sampler.counts(), 1 + np.bincount(y[:, :2].ravel(), minlength=V))


@jit
@pytest.mark.parametrize("kind", ["in-batch", "mixture", "TAPAS"])
def test_masked_steps_are_no_candidates(kerases, kind, jit_compile):
    """The loss is the one of the other steps alone."""
    x, y = sequences()
    losses, counts = [], []
    for masked in (True, False):
        frequencies = tsc.random.LearnedUnigramSampler(V, seed=1)
        frequencies.learn(y[:, :2])
        in_batch = tsc.random.InBatchSampler(frequencies)
        mixture = tsc.random.MixtureSampler([(frequencies, 8), (in_batch, BATCH * STEPS)])
        size = BATCH * STEPS + (8 if kind == "mixture" else 0)
        options = {"sampler": mixture if kind == "mixture" else in_batch, "exclude_true": True}
        if kind == "TAPAS":
            loss = kerases.ours.losses.RankSampledSoftmax(size, 30, **options)
        else:
            loss = kerases.ours.losses.SampledSoftmax(size, **options)
        hidden = np.random.RandomState(3).randn(BATCH, STEPS, 6).astype(np.float32)
        hidden[:, 2:] = 9  # TAPAS would follow them.
        head = kerases.ours.layers.SampledDense(V, kernel_initializer="ones")
        head.build([None, 6])
        kernel = np.random.RandomState(4).randn(V, 6).astype(np.float32)
        bias = 2 * np.random.RandomState(5).randn(V).astype(np.float32)
        head.set_weights([kernel, bias])

        @tf.function(jit_compile=jit_compile)
        def value(hidden, labels, mask, loss=loss, head=head):
            logits = head(hidden, training=True)
            if mask is not None:
                logits._keras_mask = mask
            return loss(labels, logits)

        if masked:
            mask = np.arange(STEPS) < np.full([BATCH, 1], 2)
            got = value(tf.constant(hidden), tf.constant(y), tf.constant(mask))
        else:
            got = value(tf.constant(hidden[:, :2]), tf.constant(y[:, :2]), None)
        losses.append(got.numpy())
        counts.append(frequencies.counts().numpy())
    assert_close(losses[0], losses[1], rtol=1e-5)
    np.testing.assert_array_equal(*counts)


def test_a_masked_step_may_hold_nan(kerases):
    """Neither its loss nor a gradient gets it."""
    x, y = sequences()
    for compiled in (False, True):
        head = kerases.ours.layers.SampledDense(V)
        loss = kerases.ours.losses.SampledSoftmax(10, seed=1)
        hidden = np.ones([BATCH, STEPS, 6], np.float32)
        hidden[:, 2:] = np.nan
        head(hidden)

        @tf.function(jit_compile=compiled)
        def step(hidden, loss=loss, head=head):
            with tf.GradientTape() as tape:
                logits = head(hidden, training=True)
                logits._keras_mask = tf.constant(x != 0)
                value = loss(y, logits)
            return value, [
                tf.convert_to_tensor(g) for g in tape.gradient(value, head.trainable_weights)
            ]

        value, gradients = step(tf.constant(hidden))
        assert np.isfinite(value) and all(np.isfinite(g).all() for g in gradients)


@jit
@pytest.mark.parametrize("weights", ["sample_weight", "a column"])
def test_a_row_of_weight_zero_is_not_learned(kerases, weights, batch, jit_compile):
    x, y = batch
    weight = (np.arange(len(y)) % 4 == 0).astype(np.float32)
    sampler = tsc.random.LearnedUnigramSampler(C, seed=1)
    model = functional(kerases)
    loss = kerases.ours.losses.SampledSoftmax(10, sampler=sampler)
    model.compile("sgd", loss, jit_compile=jit_compile)
    given = weight[:, None] if weights == "a column" else weight
    model.fit(x, y, sample_weight=given, verbose=0)
    want = 1 + np.bincount(y[weight > 0], minlength=C)
    np.testing.assert_array_equal(sampler.counts(), want)


def test_the_mean_with_weights_of_zero_is_kerass(kerases, batch):
    """Keras divides by all rows, those of weight zero too, but only by the steps not masked."""
    x, y = batch
    weight = (np.arange(len(y)) % 4 == 0).astype(np.float32)
    head = kerases.ours.layers.SampledDense(C)
    logits = head(tf.constant(x), training=False)
    y = np.where(weight > 0, y, -7)  # The label of a row without weight may be anything.
    got = kerases.ours.losses.SampledSoftmax(9)(y, logits, sample_weight=weight)
    rows = weight > 0
    exact = tf.nn.sparse_softmax_cross_entropy_with_logits(y[rows], logits.numpy()[rows])
    np.testing.assert_allclose(got, np.sum(exact) / len(y), rtol=1e-5)


def test_in_batch_candidates_without_rows_of_weight_zero(kerases, batch):
    x, y = batch
    weight = (y % 2).astype(np.float32)
    frequencies = tsc.random.LearnedUnigramSampler(C, seed=1)
    sampler, seen = watched(tsc.random.InBatchSampler(frequencies))
    model = functional(kerases)
    loss = kerases.ours.losses.SampledSoftmax(len(y), sampler=sampler, exclude_true=True)
    model.compile("sgd", loss, run_eagerly=True)
    model.train_on_batch(x, y, sample_weight=weight)
    ((labels, candidates),) = seen
    np.testing.assert_array_equal(candidates, y[weight > 0])
    np.testing.assert_array_equal(labels[:, 0], y[weight > 0])


def test_any_sampler_sees_only_what_counts(kerases):
    x, y = sequences()
    sampler, seen = watched(tsc.random.log_uniform_candidate_sampler)
    model = recurrent(kerases)
    loss = kerases.ours.losses.SampledSoftmax(10, sampler=sampler)
    model.compile("sgd", loss, run_eagerly=True)
    model.train_on_batch(x, y)
    np.testing.assert_array_equal(seen[0][0][:, 0], y[:, :2].ravel())


def test_partial_batches(kerases, batch):
    """The last batch has 4 rows: its candidates are 4."""
    x, y = batch[0][:20], batch[1][:20]
    for eagerly in (False, True):
        for size, sampler in (
            (16, tsc.random.InBatchSampler(tsc.random.LearnedUnigramSampler(C, seed=1))),
            (
                20,
                tsc.random.MixtureSampler(
                    [
                        (tsc.random.LearnedUnigramSampler(C, seed=1), 4),
                        (tsc.random.InBatchSampler(tsc.random.LearnedUnigramSampler(C)), 16),
                    ]
                ),
            ),
        ):
            model = functional(kerases)
            ours = kerases.ours.losses
            for loss in (
                ours.SampledSoftmax(size, sampler=sampler),
                ours.SampledSoftmax(size, sampler=sampler, exclude_true=True),
                ours.RankSampledSoftmax(size, 12, sampler=sampler),
            ):
                model.compile("sgd", loss, run_eagerly=eagerly)
                history = model.fit(x, y, batch_size=16, verbose=0).history
                assert np.isfinite(history["loss"][0])


@pytest.mark.parametrize("compiled", ["eager", "graph", "xla"])
def test_a_partial_batch_has_the_loss_of_its_own_size(kerases, compiled):
    r = np.random.RandomState(1)
    hidden, labels = r.randn(4, D).astype(np.float32), np.array([3, 7, 3, 9])
    head = kerases.ours.layers.SampledDense(C)
    head(hidden)
    values = []
    for size in (4, 16):
        sampler = tsc.random.InBatchSampler(tsc.random.LearnedUnigramSampler(C, seed=1))
        loss = kerases.ours.losses.SampledSoftmax(size, sampler=sampler, exclude_true=True)
        call = lambda x, y, loss=loss: loss.call(y, head(x, training=True))  # noqa: E731
        if compiled != "eager":
            specs = [tf.TensorSpec([None, D]), tf.TensorSpec([None], tf.int64)]
            call = tf.function(call, specs, jit_compile=compiled == "xla")
        values.append(call(tf.constant(hidden), tf.constant(labels)).numpy())
    assert_close(values[0], values[1], rtol=1e-6)


@jit
def test_a_batch_without_anything_to_learn(kerases, jit_compile):
    """All rows weigh nothing: the loss is 0 and no weight changes."""
    ours = kerases.ours.losses
    x, y = np.ones([4, D], np.float32), np.array([1, 2, 3, 4])
    in_batch = tsc.random.InBatchSampler(tsc.random.LearnedUnigramSampler(C, seed=1))
    learned = tsc.random.LearnedUnigramSampler(C, seed=1)
    for loss in (
        ours.SampledSoftmax(9),
        ours.NCE(9, sampler=learned),
        ours.RankSampledSoftmax(9, 3),
        ours.SampledSparseSoftmax(9),
        ours.SampledSoftmax(9, sampler=in_batch, exclude_true=True),
        ours.SampledSoftmax(9, sampler=in_batch, num_true=1, padding_label=-1),
    ):
        model = functional(kerases)
        model.compile("sgd", loss, jit_compile=jit_compile)
        before = [np.array(w) for w in model.get_weights()]
        value = model.train_on_batch(x, y, sample_weight=np.zeros(4, np.float32))
        assert np.ravel(value)[0] == 0
        assert model.test_on_batch(x, y, sample_weight=np.zeros(4, np.float32)) == 0
        assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    assert int(tf.reduce_sum(learned.counts())) == C


@jit
def test_padded_labels_are_no_candidates(kerases, jit_compile):
    """Ragged true classes, padded: of 6 labels 4 are there."""
    labels = np.array([[3, 7], [9, -1], [5, -1]])
    hidden = tf.constant(np.random.RandomState(0).randn(3, D).astype(np.float32))
    frequencies = tsc.random.LearnedUnigramSampler(C, seed=1)
    loss = kerases.ours.losses.SampledSoftmax(
        6, 2, sampler=tsc.random.InBatchSampler(frequencies), padding_label=-1, exclude_true=True
    )
    head = kerases.ours.layers.SampledDense(C)
    head(hidden)
    call = tf.function(
        lambda: loss.call(labels, head(hidden, training=True)), jit_compile=jit_compile
    )
    got = call()
    assert frequencies.counts().numpy()[[0, 3, 5, 7, 9]].tolist() == [1, 2, 2, 2, 2]
    # The other rows' classes, each expected 4 / C times, with the true ones' places accounted for.
    candidates = np.array([3, 7, 9, 5])
    count = np.full(4, 4 / C, np.float32)
    rows = []
    for i, true in enumerate([[3, 7], [9], [5]]):
        shape = [1, len(true)]
        rows.append(
            tsc.nn.sampled_softmax_loss(
                head.kernel,
                head.bias,
                np.reshape(true, shape),
                hidden[i : i + 1],
                4,
                C,
                num_true=len(true),
                sampled_values=(candidates, np.full(shape, 4 / C, np.float32), count),
                exclude_true=True,
            )
        )
    assert_close(got, np.concatenate(rows), rtol=1e-5)


def test_labels_of_a_masked_model_in_a_wrong_shape(kerases):
    x, y = sequences()
    model = recurrent(kerases)
    model.compile("sgd", kerases.ours.losses.SampledSoftmax(10), run_eagerly=True)
    for bad in (y[:, :-1], y[:, :1], np.stack([y, y, y], axis=2)[:, :3]):
        with pytest.raises(ValueError, match="labels: expected shape"):
            model.train_on_batch(x, bad)


def test_replicas_with_different_numbers_of_masked_rows():
    alone(__name__, "replicas_with_different_numbers_of_masked_rows('keras')")


def replicas_with_different_numbers_of_masked_rows(name):
    from tests.keras.conftest import _kerases

    kerases = _kerases(name)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    x, y = sequences()
    x[: BATCH // 2, 1:] = 0
    with strategy.scope():
        model = recurrent(kerases)
        sampler = tsc.random.LearnedUnigramSampler(V, seed=1)
        model.compile("sgd", kerases.ours.losses.SampledSoftmax(10, sampler=sampler))
    model.fit(x, y, batch_size=BATCH, verbose=0)
    np.testing.assert_array_equal(sampler.counts(), 1 + np.bincount(y[x > 0], minlength=V))
