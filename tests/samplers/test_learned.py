"""The learned sampler: its draws, its counts, and where its state is saved."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

import tf_sampled_compat as tsc
from tests.alone import alone
from tf_sampled_compat.core.samplers.sum_tree import SumTree

LABELS = np.array([[3], [3], [7]])
MODES = {
    "eager": lambda f: f,
    "graph": lambda f: tf.function(f, autograph=False),
    "xla": lambda f: tf.function(f, autograph=False, jit_compile=True),
}


def run(mode, steps=5, unique=True, **options):
    sampler = tsc.random.LearnedUnigramSampler(50, seed=7, **options)
    step = MODES[mode](lambda labels: sampler(labels, 1, 20, unique, 50))
    return [
        np.concatenate([np.ravel(part) for part in step(LABELS)]) for _ in range(steps)
    ], sampler


@pytest.mark.parametrize("size", [1, 7, 16, 17, 256, 257, 1000])
def test_tree_against_a_cumulative_sum(size):
    tree, weights = SumTree(size, 3), np.full(size, 3)
    r = np.random.RandomState(size)
    classes, amounts = r.randint(0, size, 500), r.randint(0, 100, 500)
    np.add.at(weights, classes, amounts)
    tree.add(tf.constant(classes, tf.int64), tf.constant(amounts, tf.int64))
    assert np.array_equal(tree.all_weights(), weights) and int(tree.total()) == weights.sum()
    assert np.array_equal(tree.weights(tf.constant(classes, tf.int64)), weights[classes])
    points = np.arange(weights.sum())
    expected = np.searchsorted(np.cumsum(weights), points, side="right")
    assert np.array_equal(tree.find(tf.constant(points)), expected)


def test_no_optimizer_is_given_the_counts():
    sampler = tsc.random.LearnedUnigramSampler(50, seed=7)
    assert sampler.variables and sampler.trainable_variables == ()


@pytest.mark.parametrize("options", [{}, {"decay": 0.9}], ids=["counts", "decay"])
@pytest.mark.parametrize("unique", [True, False])
@pytest.mark.parametrize("mode", ["graph", "xla"])
def test_every_mode_draws_and_learns_the_same(mode, unique, options):
    want, first = run("eager", unique=unique, **options)
    got, second = run(mode, unique=unique, **options)
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(first.counts(), second.counts())
    assert not np.array_equal(want[0][:20], want[1][:20])


@pytest.mark.parametrize("unique", [False, True])
def test_each_draw_has_random_numbers_of_its_own(unique):
    """They depend on the step and on the operation's seed; nothing is learned in between."""
    sampler = tsc.random.LearnedUnigramSampler(50, seed=7)
    draws = [sampler.draw([[0]], 20, unique)[0].numpy() for _ in range(2)]
    sampler = tsc.random.LearnedUnigramSampler(50, seed=7)
    draws += [sampler.draw([[0]], 20, unique, seed=seed)[0].numpy() for seed in (0, 1)]
    draws += [tsc.random.LearnedUnigramSampler(50, seed=8).draw([[0]], 20, unique)[0].numpy()]
    assert len({tuple(draw) for draw in draws}) == 5


def test_without_a_seed_it_is_the_global_one():
    draws = []
    for seed in (1, 1, 2):
        tf.random.set_seed(seed)
        draws.append(tsc.random.LearnedUnigramSampler(50).draw([[0]], 20, True)[0].numpy())
    assert np.array_equal(draws[0], draws[1]) and not np.array_equal(draws[0], draws[2])


def test_counts_start_at_1_and_a_batch_does_not_see_itself():
    """The numbers are those of TensorFlow's sampler."""
    ours = tsc.random.LearnedUnigramSampler(50, seed=1)
    theirs = tf.function(
        lambda labels: tf.random.learned_unigram_candidate_sampler(labels, 1, 20, False, 50)
    )
    for step in range(4):
        _, got, _ = ours(LABELS, 1, 20, False, 50)
        _, want, _ = theirs(LABELS)
        np.testing.assert_allclose(got, want, rtol=1e-6)
        np.testing.assert_allclose(got[0], 20 * (1 + 2 * step) / (50 + 3 * step), rtol=1e-6)
    assert ours.counts().numpy()[[0, 3, 7]].tolist() == [1, 9, 5]


def test_draws_follow_the_counts():
    sampler = tsc.random.LearnedUnigramSampler(40, seed=5)
    labels = np.random.RandomState(0).zipf(1.5, 5000) % 40
    sampler.learn(labels[:, np.newaxis])
    counts = 1 + np.bincount(labels, minlength=40)
    assert np.array_equal(sampler.counts(), counts)
    sampled, _, _ = sampler.draw([[0]], 200_000, unique=False)
    observed = np.bincount(sampled, minlength=40)
    assert stats.chisquare(observed, counts / counts.sum() * 200_000).pvalue > 1e-4


def test_expected_counts_are_by_the_real_number_of_tries():
    """With known P, each count gives the number of tries: the same for all, at least S."""
    sampler = tsc.random.LearnedUnigramSampler(30, seed=2)
    sampler.learn(np.zeros([60, 1], np.int64))
    p = sampler.probability(np.arange(30)).numpy()
    for _ in range(5):
        sampled, true_count, count = sampler.draw(np.arange(30)[:, np.newaxis], 15, unique=True)
        assert len(set(sampled.numpy())) == 15
        tries = np.log1p(-np.float64(true_count)[1:, 0]) / np.log1p(-p[1:])
        assert np.ptp(tries) < 1e-3 * tries[0] and round(tries[0]) > 15
        np.testing.assert_allclose(tries, round(tries[0]), rtol=1e-4)
        np.testing.assert_array_equal(count, true_count.numpy()[sampled.numpy(), 0])


@pytest.mark.parametrize("exclude_true", [False, True])
def test_all_classes_give_the_full_softmax(exclude_true):
    r = np.random.RandomState(0)
    weights, biases, inputs = (
        tf.constant(r.randn(*n), tf.float32) for n in ([50, 8], [50], [3, 8])
    )
    sampler = tsc.random.LearnedUnigramSampler(50, seed=1)
    sampler.learn(np.full([10**6, 1], 3))
    got = tsc.nn.sampled_softmax_loss(
        weights, biases, LABELS, inputs, 50, 50, sampler=sampler, exclude_true=exclude_true
    )
    want = tsc.nn.full_softmax_loss(weights, biases, LABELS, inputs)
    np.testing.assert_allclose(got, want, rtol=1e-6)


def test_more_distinct_classes_than_come_up_is_an_error(monkeypatch):
    """TensorFlow's kernel would try for hours."""
    monkeypatch.setattr("tf_sampled_compat.core.samplers.learned.MAX_BLOCKS", 20)
    sampler = tsc.random.LearnedUnigramSampler(50, seed=1)
    sampler._tree.add(tf.constant([1], tf.int64), tf.constant([2**50], tf.int64))
    with pytest.raises(ValueError, match="num_sampled: expected fewer distinct classes"):
        sampler.draw([[0]], 40, unique=True)
    draw = tf.function(lambda: sampler.draw([[0]], 40, unique=True), jit_compile=True)
    assert np.isnan(draw().sampled_expected_count).all()


def test_decay_follows_frequencies():
    """Class 0 occurs twice per step, class 1 in every second step; later class 2 replaces 0."""
    sampler = tsc.random.LearnedUnigramSampler(10, seed=1, decay=0.95)
    for step in range(1500):
        sampler.learn([[0], [0], [1 if step % 2 else 3 + step // 2 % 7]])
    p = sampler.probability([0, 1, 4]).numpy()
    np.testing.assert_allclose(p / p[0], [1, 1 / 4, 1 / 28], rtol=0.05)
    for _ in range(300):
        sampler.learn([[2], [2], [1]])
    p = sampler.probability([1, 2]).numpy()
    np.testing.assert_allclose(p[0] / p[1], 0.5, rtol=0.05)


def test_counts_beyond_float32():
    sampler = tsc.random.LearnedUnigramSampler(3, seed=1)
    sampler._tree.add(tf.constant([1], tf.int64), tf.constant([2**24 - 1], tf.int64))
    sampler.learn([[1]])
    assert sampler.counts().numpy().tolist() == [1, 2**24 + 1, 1]
    sampler._tree.add(tf.constant([1], tf.int64), tf.constant([2**52], tf.int64))
    sampler.learn([[1]])
    assert int(sampler.counts()[1]) == 2**52 + 2**24 + 2


def test_one_state_under_retracing():
    sampler = tsc.random.LearnedUnigramSampler(50, seed=1)
    step = tf.function(lambda labels: sampler(labels, 1, 20, True, 50))
    for size in (1, 2, 3):  # Each size is a trace.
        step(tf.zeros([size, 1], tf.int64))
    sampler(tf.zeros([4, 1], tf.int64), 1, 20, True, 50)
    assert int(sampler.counts()[0]) == 11


def test_a_run_interrupted_and_restored_draws_what_an_uninterrupted_one_does(tmp_path):
    def model():
        module = tf.Module()
        module.table, module.bias = tf.Variable(tf.ones([50, 4])), tf.Variable(tf.zeros([50]))
        module.sampler = tsc.random.LearnedUnigramSampler(50)  # Its random seed is saved too.
        module.step = tf.function(lambda labels: train(module, labels))
        return module

    def train(module, labels):
        tables = module.table, module.bias
        with tf.GradientTape() as tape:
            sizes = {"num_sampled": 10, "num_classes": 50, "sampler": module.sampler}
            loss = tsc.nn.sampled_softmax_loss(*tables, labels, tf.ones([3, 4]), **sizes)
        for table, gradient in zip(tables, tape.gradient(loss, tables)):
            table.scatter_sub(tf.IndexedSlices(0.1 * gradient.values, gradient.indices))
        return loss

    first = model()
    for _ in range(3):
        first.step(LABELS)
    path = tf.train.Checkpoint(first).save(str(tmp_path / "checkpoint"))
    second = model()
    second.step(LABELS)
    tf.train.Checkpoint(second).restore(path).assert_consumed()
    for _ in range(4):
        np.testing.assert_array_equal(first.step(LABELS), second.step(LABELS))
    np.testing.assert_array_equal(first.sampler.counts(), second.sampler.counts())


def test_a_saved_model_holds_the_counts(tmp_path):
    module = tf.Module()
    module.sampler = tsc.random.LearnedUnigramSampler(50, seed=1)
    module.draw = tf.function(
        lambda labels: tuple(module.sampler(labels, 1, 10, True, 50)),
        input_signature=[tf.TensorSpec([None, 1], tf.int64)],
    )
    module.draw(LABELS)
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    for _ in range(3):
        for got, want in zip(loaded.draw(LABELS), module.draw(LABELS)):
            np.testing.assert_array_equal(got, want)


def test_a_layers_own_variables_hold_the_counts():
    """A Keras layer can put them into its weights file."""
    first, store = tsc.random.LearnedUnigramSampler(9, seed=1, decay=0.5), {}
    first(np.array([[4]]), 1, 3, True, 9)
    first.save_own_variables(store)
    second = tsc.random.LearnedUnigramSampler(9, decay=0.5)
    second.load_own_variables(store)
    for got, want in zip(second([[4]], 1, 3, True, 9), first([[4]], 1, 3, True, 9)):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("options", [{}, {"decay": 0.9}], ids=["counts", "decay"])
def test_replicas_share_counts_and_draw_apart(options):
    alone(__name__, f"replicas_share_counts_and_draw_apart({options})")


def replicas_share_counts_and_draw_apart(options):
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        sampler = tsc.random.LearnedUnigramSampler(50, seed=3, **options)
    batches = tf.data.Dataset.from_tensor_slices([[3], [3], [4], [5]]).repeat(3).batch(4)
    step = tf.function(
        lambda labels: strategy.run(lambda x: sampler(x, 1, 10, True, 50), args=(labels,))
    )
    for batch in strategy.experimental_distribute_dataset(batches):
        values = step(batch)
    one, other = strategy.experimental_local_results(values.sampled_candidates)
    assert not np.array_equal(one, other)
    for variable in sampler.variables:
        copies = [copy.numpy() for copy in variable.values]
        np.testing.assert_array_equal(*copies)
    alone = tsc.random.LearnedUnigramSampler(50, seed=3, **options)
    for _ in range(3):
        alone([[3], [3], [4], [5]], 1, 10, True, 50)
    np.testing.assert_array_equal(sampler.counts(), alone.counts())


def test_nothing_reads_the_counts_whole():
    """After a sparse update, a read would copy the whole variable."""
    sampler = tsc.random.LearnedUnigramSampler(5000, seed=1)
    traced = tf.function(lambda x: sampler(x, 1, 20, True, 5000)).get_concrete_function(LABELS)
    graph = traced.graph.as_graph_def()
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    read = {i for n in nodes if n.op == "ReadVariableOp" for i in n.input}
    assert any(n.op == "ResourceGather" for n in nodes)
    size = sampler._tree.nodes.handle
    captured = {p.name: h for h, p in traced.graph.captures}
    assert read and not any(captured.get(name) is size for name in read)


def test_in_a_graph_of_tensorflow_1():
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        sampler = tsc.random.LearnedUnigramSampler(50, seed=7)
        values = sampler(LABELS, 1, 20, True, 50)
        session.run(tf.compat.v1.global_variables_initializer())
        got = [session.run(values) for _ in range(5)]
    want, _ = run("eager")
    np.testing.assert_array_equal([np.concatenate([np.ravel(p) for p in g]) for g in got], want)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: s([[50]], 1, 5, True, 50), "true_classes: expected class ids in .0, 50.*50"),
        (lambda s: s([[-1]], 1, 5, True, 50), "true_classes.*-1"),
        (lambda s: s([[0]], 1, 51, True, 50), "num_sampled: expected at most 50"),
        (lambda s: s([[0]], 1, 5, True, 60), "range_max: .*num_classes = 50, got 60"),
        (lambda s: tsc.random.LearnedUnigramSampler(0), "num_classes"),
        (lambda s: tsc.random.LearnedUnigramSampler(5, decay=1), "decay: .*got 1"),
        (lambda s: tsc.random.LearnedUnigramSampler(5, seed=[1, 2, 3]), "seed"),
    ],
)
def test_errors(call, message):
    sampler = tsc.random.LearnedUnigramSampler(50)
    with pytest.raises(ValueError, match=message):
        call(sampler)
    assert int(tf.reduce_sum(sampler.counts())) == 50


def test_under_xla_a_class_out_of_range_is_expected_nan_times():
    sampler = tsc.random.LearnedUnigramSampler(50, seed=1)
    step = tf.function(lambda x: sampler(x, 1, 5, True, 50), jit_compile=True)
    _, count, _ = step(tf.constant([[50], [3], [-1]], tf.int64))
    assert np.isnan(count.numpy()[:, 0]).tolist() == [True, False, True]
    assert int(tf.reduce_sum(sampler.counts())) == 51


def test_counts_that_do_not_fit_into_memory_are_an_error_that_says_so(monkeypatch):
    def no_room(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr("tf_sampled_compat.core.samplers.learned.SumTree", no_room)
    with pytest.raises(ValueError, match="num_classes: expected .* fit into memory: these take 17"):
        tsc.random.LearnedUnigramSampler(2**31 - 1)
