"""Which rows and labels count in the metrics: padded, ragged, masked and weightless ones."""

import numpy as np
import pytest
import tensorflow as tf

from tests.keras import naive_metrics
from tests.keras.conftest import C, D

K = 5
NAMES = tuple(naive_metrics.all_metrics(np.zeros([1, 2]), [[0]], [1], 1))


def metrics(kerases, k=K, **options):
    at_k = ("ExactRecallAtK", "ExactPrecisionAtK", "ExactNDCG", "ExactMAP")
    return {
        name: getattr(kerases.ours.metrics, name)(*([k] if name in at_k else []), **options)
        for name in NAMES
    }


def check(metrics, logits, true, weights=None, k=K):
    logits = np.reshape(logits, [-1, np.shape(logits)[-1]])
    weights = np.ones(len(logits)) if weights is None else np.ravel(weights)
    wanted = naive_metrics.all_metrics(logits, true, weights, k)
    got = {name: float(metric.result()) for name, metric in metrics.items()}
    np.testing.assert_allclose(
        [got[n] for n in NAMES], [wanted[n] for n in NAMES], rtol=2e-5, err_msg=str(NAMES)
    )


def head_of(kerases, **options):
    return kerases.ours.layers.SampledDense(C, bias_initializer="random_normal", **options)


def lists(n, longest=4, seed=0):
    """Makes n lists of 0 to `longest` class ids, some of them twice."""
    r = np.random.RandomState(seed)
    made = [list(r.randint(0, C, r.randint(0, longest + 1))) for _ in range(n)]
    made[0], made[1], made[2] = [3, 3, 5], [], [7]
    return made


def padded(true, label=-1, width=4):
    return np.array([[*t, *[label] * (width - len(t))] for t in true])


@pytest.mark.parametrize("k", [1, K, C])
@pytest.mark.parametrize("label", [-1, 99])
def test_padding(kerases, batch, label, k):
    x, true = batch[0], lists(64)
    y = np.sort(padded(true, label), axis=1)  # Padding may stand anywhere.
    weights = np.random.RandomState(4).rand(64).astype("f")
    logits = head_of(kerases)(x, training=False)
    ours = metrics(kerases, k, padding_label=label)
    for metric in ours.values():
        metric.update_state(y, logits, sample_weight=weights)
    check(ours, logits, true, weights, k)


def test_of_the_issue(kerases):
    y = np.array([[1, 2, -1], [3, -1, -1], [-1, -1, -1], [4, 5, 6]])
    logits = kerases.ours.layers.SampledDense(100)(np.ones([4, D], "f"), training=False)
    recall = kerases.ours.metrics.ExactRecallAtK(100, padding_label=-1)
    recall.update_state(y, logits)
    assert float(recall.result()) == 1


@pytest.mark.parametrize("of_metric", [True, False], ids=["metric's", "loss's"])
@pytest.mark.parametrize("ragged", [True, False])
def test_evaluate(kerases, batch, ragged, of_metric):
    """In a compiled step, also over partial batches. The loss's padding label serves as well."""
    x, true = batch[0][:50], lists(50)
    loss = kerases.ours.losses.SampledSoftmax(20, num_true=4, padding_label=-1)
    ours = metrics(kerases, **({"padding_label": -1} if of_metric else {}))
    model = kerases.keras.Sequential([head_of(kerases)])
    model.compile("sgd", loss, metrics=list(ours.values()))
    y = tf.ragged.constant(true, tf.int32) if ragged else padded(true)
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(16)
    model.evaluate(data, verbose=0)
    check(ours, model.predict(x, verbose=0), true)


@pytest.mark.parametrize("graph", [False, True])
def test_ragged_without_a_loss(kerases, batch, graph):
    """In a graph the number of columns is not known."""
    x, true = batch[0], lists(64)
    head, ours = head_of(kerases), metrics(kerases)

    def update(y, x):
        logits = head(x, training=False)
        for metric in ours.values():
            metric.update_state(y, logits)

    head(x)
    signature = [tf.RaggedTensorSpec([None, None], tf.int64), tf.TensorSpec([None, D])]
    update = tf.function(update, input_signature=signature) if graph else update
    for part in (slice(None, 40), slice(40, None)):
        update(tf.ragged.constant(true[part], tf.int64), tf.constant(x[part]))
    empty = tf.ragged.constant([[], []], tf.int64, ragged_rank=1)
    update(empty, tf.constant(x[:2]))
    check(ours, head(x), true)


def test_masked_steps(kerases):
    """Whatever the labels and the inputs of a masked step are, it does not count."""
    r = np.random.RandomState(0)
    x, y = r.randint(1, 9, [12, 6]), r.randint(0, C, [12, 6])
    there = np.arange(6) < r.randint(1, 7, [12, 1])
    x, y = np.where(there, x, 0), np.where(there, y, -7)
    ours = metrics(kerases)
    layers = [kerases.keras.layers.Embedding(9, D, mask_zero=True), head_of(kerases)]
    model = kerases.keras.Sequential(layers)
    model.compile("sgd", kerases.ours.losses.SampledSoftmax(20), metrics=list(ours.values()))
    model.evaluate(x, y, batch_size=5, verbose=0)
    true = [[c] if m else [] for c, m in zip(y.ravel(), there.ravel())]
    check(ours, model.predict(x, verbose=0), true)


def test_ragged_steps(kerases):
    """Several true classes at each step, ragged in both dimensions."""
    r = np.random.RandomState(0)
    lengths = r.randint(1, 6, 8)
    x = np.where(np.arange(6) < lengths[:, None], r.randint(1, 9, [8, 6]), 0)
    steps = [[list(r.randint(0, C, r.randint(0, 4))) for _ in range(n)] for n in lengths]
    ours = metrics(kerases)
    layers = [kerases.keras.layers.Embedding(9, D, mask_zero=True), head_of(kerases)]
    model = kerases.keras.Sequential(layers)
    loss = kerases.ours.losses.SampledSoftmax(20, num_true=3)
    model.compile("sgd", loss, metrics=list(ours.values()))
    y = tf.ragged.constant(steps, tf.int32)
    model.evaluate(tf.data.Dataset.from_tensor_slices((x, y)).batch(3), verbose=0)
    true = [c for row in steps for c in row + [[]] * (6 - len(row))]
    check(ours, model.predict(x, verbose=0), true)


def test_fit_updates_in_validation_only(kerases, batch):
    x, y = batch
    ours = metrics(kerases)
    model = kerases.keras.Sequential([head_of(kerases)])
    model.compile("sgd", kerases.ours.losses.SampledSoftmax(20), metrics=list(ours.values()))
    logs = model.fit(x, y, validation_data=(x, y), verbose=0).history
    assert all(np.isnan(logs[metric.name]) for metric in ours.values())
    check(ours, model.predict(x, verbose=0), [[c] for c in y])
    perplexity = logs["val_" + ours["Perplexity"].name]
    np.testing.assert_allclose(perplexity, np.exp(logs["val_loss"]), rtol=1e-5)


@pytest.mark.parametrize("where", ["metrics", "weighted_metrics"])
def test_rows_without_weight(kerases, batch, where):
    """Their labels may be anything. Keras gives weights to `weighted_metrics` only."""
    x, y = batch
    weights = np.random.RandomState(1).rand(len(x)).astype("f")
    weights[::3] = 0
    y = np.where(weights == 0, C + 5, y)
    ours = metrics(kerases)
    model = kerases.keras.Sequential([head_of(kerases)])
    loss = kerases.ours.losses.SampledSoftmax(20)
    model.compile("sgd", loss, **{where: list(ours.values())})
    model.evaluate(x, y, sample_weight=weights, verbose=0)
    weights = (weights > 0).astype("f") if where == "metrics" else weights
    check(ours, model.predict(x, verbose=0), [[c] for c in y], weights)


def test_nothing_of_a_row_without_weight_reaches_the_mean(kerases, batch):
    x, y = batch[0].copy(), batch[1]
    weights = np.ones(len(x), "f")
    x[0], weights[0] = np.nan, 0
    head, ours = head_of(kerases), metrics(kerases)
    logits = head(x, training=False)
    for metric in ours.values():
        metric.update_state(y, logits, sample_weight=weights)
    check(ours, logits[1:], [[c] for c in y[1:]])


def test_tokens_count_alike_whatever_the_length_of_their_batch(kerases):
    r = np.random.RandomState(0)
    head, ours = head_of(kerases), metrics(kerases)
    logits, true, weights = [], [], []
    for length in (2, 7):
        x, y = r.randn(3, length, D).astype("f"), r.randint(0, C, [3, length])
        w = r.rand(3, 1 if length == 2 else length).astype("f")
        logits.append(head(x, training=False))
        true += [[c] for c in y.ravel()]
        weights.append(np.broadcast_to(w, y.shape).ravel())
        for metric in ours.values():
            metric.update_state(y, logits[-1], sample_weight=w)
    logits = np.concatenate([np.reshape(z, [-1, C]) for z in logits])
    check(ours, logits, true, np.concatenate(weights))


@pytest.mark.parametrize("ones", [False, True], ids=["", "ones"])
@pytest.mark.parametrize("ragged", [False, True])
def test_weights_of_true_classes(kerases, batch, ragged, ones):
    """A `sample_weight` of the shape of y. `metrics=` only leave out the classes of weight 0."""
    x, r = batch[0], np.random.RandomState(2)
    true = [t or [9] for t in lists(64)] if ragged else list(r.randint(0, C, [64, 4]))
    weights = [[1.0] * len(t) if ones else list(r.randint(0, 4, len(t)) / 2) for t in true]
    ours, unweighted = metrics(kerases), metrics(kerases)
    model = kerases.keras.Sequential([head_of(kerases)])
    loss = kerases.ours.losses.SampledSoftmax(20, num_true=4)
    both = {"weighted_metrics": list(ours.values()), "metrics": list(unweighted.values())}
    model.compile("sgd", loss, **both)
    if ragged:
        y, w = tf.ragged.constant(true, tf.int32), tf.ragged.constant(weights, tf.float32)
    else:
        y, w = np.array(true), np.array(weights, "f")
    data = tf.data.Dataset.from_tensor_slices((x, y, w)).batch(25)
    if ragged:  # Not every Keras lets ragged weights through.
        for x_, y_, w_ in data:
            logits = model(x_, training=False)
            loss(y_, logits, sample_weight=w_)
            for name in NAMES:
                ours[name].update_state(y_, logits, sample_weight=w_)
                unweighted[name].update_state(y_, logits)
    else:
        model.evaluate(data, verbose=0)
    logits = model.predict(x, verbose=0)
    wanted = naive_metrics.all_weighted_metrics(logits, true, weights, K)
    got = [float(ours[name].result()) for name in NAMES]
    np.testing.assert_allclose(got, [wanted[n] for n in NAMES], rtol=2e-5, err_msg=str(NAMES))
    there = [[c for c, v in zip(t, w) if v] for t, w in zip(true, weights)]
    check(unweighted, logits, there)
    if ones:
        check(ours, logits, true)


def test_no_true_class_at_all(kerases, batch):
    logits = head_of(kerases)(batch[0], training=False)
    for metric in metrics(kerases, padding_label=-1).values():
        metric.update_state(np.full([len(batch[0]), 2], -1), logits)
        assert np.isnan(metric.result())


@pytest.mark.parametrize("dtype", ["int32", "uint8", "float32", "float64"])
def test_dtypes_of_labels(kerases, batch, dtype):
    x, y = batch
    ours = metrics(kerases)
    model = kerases.keras.Sequential([head_of(kerases)])
    model.compile("sgd", kerases.ours.losses.SampledSoftmax(20), metrics=list(ours.values()))
    model.evaluate(x, y.astype(dtype), verbose=0)
    check(ours, model.predict(x, verbose=0), [[c] for c in y])


def test_bad_labels(kerases, batch):
    x, y = batch
    logits = head_of(kerases)(x, training=False)
    for metric in metrics(kerases).values():
        with pytest.raises(ValueError, match="labels: expected class ids, which are whole"):
            metric.update_state(y + 0.5, logits)
        for wrong in (-1, C):
            expected = rf"labels: expected class ids in \[0, {C}\), or padding_label=.*got {wrong}"
            with pytest.raises(ValueError, match=expected):
                metric.update_state(np.where(y == y[0], wrong, y), logits)
        with pytest.raises(ValueError, match="sample_weight: expected a number"):
            metric.update_state(y, logits, sample_weight=np.ones(3, "f"))
        with pytest.raises(ValueError, match="sample_weight: expected a tensor, or ragged"):
            metric.update_state(y, logits, sample_weight=tf.ragged.constant([[1.0]] * len(y)))
    with pytest.raises(ValueError, match="padding_label: expected an integer or None"):
        kerases.ours.metrics.ExactNDCG(padding_label=1.5)


def test_all_metrics_of_a_batch_share(kerases, batch, monkeypatch):
    """The ranks and losses are computed once, the best classes once for the largest list."""
    from tf_sampled_compat.core.losses import full

    calls = []
    for name in ("ranks", "full_top_k", "full_loss"):
        real = getattr(full, name)
        monkeypatch.setattr(
            full, name, lambda *a, _n=name, _r=real, **k: calls.append(_n) or _r(*a, **k)
        )
    logits = head_of(kerases)(batch[0], training=False)
    for metric in (*metrics(kerases, 7).values(), *metrics(kerases, 3).values()):
        metric.update_state(batch[1], logits)
    assert sorted(calls) == ["full_loss", "full_top_k", "ranks"]


def test_equal_logits_rank_by_id(kerases):
    head = kerases.ours.layers.SampledDense(C, kernel_initializer="zeros")
    logits = head(tf.ones([3, D]), training=False)
    ours = metrics(kerases)
    for metric in ours.values():
        metric.update_state([[0, 9], [4, 5], [1, 2]], logits)
    check(ours, logits, [[0, 9], [4, 5], [1, 2]])


def test_xla(kerases, batch):
    """XLA can leave no row out; it gives them weight 0."""
    x, true = batch[0], lists(64)
    ours = metrics(kerases, padding_label=-1)
    head = head_of(kerases)
    head(x)

    @tf.function(jit_compile=True)
    def update(x, y, weights):
        logits = head(x, training=False)
        for metric in ours.values():
            metric.update_state(y, logits, sample_weight=weights)

    weights = np.random.RandomState(4).randint(0, 3, 64).astype("f")
    update(tf.constant(x), tf.constant(padded(true)), tf.constant(weights))
    check(ours, head(x), true, weights)


def test_configs_and_the_attribute(kerases):
    for metric in metrics(kerases, padding_label=-1).values():
        assert metric.evaluation_only
        again = type(metric).from_config(metric.get_config())
        assert again.get_config() == metric.get_config() and again.padding_label == -1
        config = {k: v for k, v in metric.get_config().items() if k != "padding_label"}
        assert type(metric).from_config(config).padding_label is None  # An old file.
    assert kerases.ours.metrics.ExactMAP(7).name == "exact_map_at_7"
