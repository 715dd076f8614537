"""The demo's training, in this process: the models learn, and the comparisons find differences."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.demo import contenders, corpus, evaluation, loop, model, options, training

ASK = {"advance": lambda: None, "stopped": lambda: False}


def task(*arguments):
    """Returns the text and the plan of a quick demo with these options."""
    parser = options.parser("demo")
    chosen = parser.parse_args(["--quick", *arguments])
    text = options.read(chosen, parser)
    return text, options.plan(chosen, parser, text.num_classes)


def rivals(text, plan):
    return contenders.contenders(
        num_sampled=plan.num_sampled, num_classes=text.num_classes, seed=plan.seed
    )


def trained(text, plan, chosen):
    entries = training.enter(chosen, text, plan, **ASK)
    assert training.train(entries, text, plan, **ASK) == plan.steps
    return entries


def small_model(counts, dim, seed=3):
    return model.build(model.initial_values(counts, width=2, dim=dim, seed=seed))


def test_every_loss_learns():
    """Runs in this process, to see the curves themselves."""
    text, plan = task("--steps", "200")
    for entry in trained(text, plan, rivals(text, plan)):
        losses = [figures.loss for _, figures in entry.record.curve]
        assert losses[-1] < losses[0] - 0.1, entry.contender.name
        recalls = [figures.recall_at_10 for _, figures in entry.record.curve]
        assert recalls[-1] > recalls[0], entry.contender.name
        assert len(entry.record.seconds) == len(entry.record.losses) == 200


def test_the_loop_takes_the_compiled_models_steps():
    """Each loss is the batch's own, not the mean so far, which some Keras 3 releases return."""
    text, plan = task("--steps", "30")
    ours = [each for each in rivals(text, plan) if each.name == "SampledSoftmax"]
    (entry,) = trained(text, plan, ours)
    np.testing.assert_allclose(list(loop.train(text, plan)), entry.record.losses, rtol=1e-5)


def test_sampling_comes_near_the_full_softmax():
    text, plan = task("--steps", "300", "--full-softmax", "--classes", "1000")
    chosen = [contenders.full_softmax(), rivals(text, plan)[1]]
    full, sampled = (
        [figures.loss for _, figures in entry.record.curve] for entry in trained(text, plan, chosen)
    )
    learned = full[0] - full[-1]
    assert learned > 0.3, "little was learned"
    # Compare with what was learned, which is only a few per cent of the loss.
    assert 0 < abs(sampled[-1] - full[-1]) < 0.15 * learned, (sampled, full)


def test_who_walks_the_tables():
    """Ours do not change rows that did not occur, nor their Adagrad slots."""
    text, plan = task("--steps", "1")
    for contender in rivals(text, plan):
        values = model.initial_values(text.counts, width=4, dim=plan.dim, seed=1)
        layers = model.build(values)
        keras_model = contenders.compiled(contender, layers, learning_rate=1.0)
        by_hand = contender.name.startswith("tf.nn")
        assert isinstance(keras_model, contenders.ByHand) == by_hand
        lazy = isinstance(keras_model.optimizer, tsc.keras.optimizers.LazyAdagrad)
        assert lazy != by_hand and isinstance(keras_model.optimizer, tf.keras.optimizers.Adagrad)
        assert by_hand or keras_model.loss is contender.loss
        contexts, labels = next(training.batches(text, plan))
        keras_model.train_on_batch(contexts, labels)
        before, after = values.weights, layers.head.get_weights()[0]
        moved = np.any(before != after, axis=1)
        assert moved[labels.numpy()].all(), "the batch's own classes are trained"
        assert moved.sum() <= plan.batch + 2 * plan.num_sampled


def test_full_softmax_figures_are_exact():
    """Compares with NumPy in float64, over several chunks."""
    layers = small_model(np.arange(1, 41), dim=4)
    head = layers.head
    head.set_weights([10 * head.get_weights()[0], head.get_weights()[1]])
    draw = np.random.default_rng(5)
    places = corpus.Windows(draw.integers(0, 40, [600, 2]), draw.integers(0, 40, [600, 1]))
    embedding, kernel, offset, weights, biases = map(np.float64, layers.classifier.get_weights())
    hidden = np.tanh(embedding[places.contexts].reshape(600, -1) @ kernel + offset)
    logits = hidden @ weights.T + biases
    right = np.take_along_axis(logits, places.labels, 1)
    losses = np.log(np.exp(logits).sum(1)) - right[:, 0]
    ranks = 1 + (logits > right).sum(1)
    evaluate = evaluation.FullSoftmax(layers)
    figures = evaluate(places)
    np.testing.assert_allclose(figures.loss, losses.mean(), rtol=1e-6)
    np.testing.assert_allclose(figures.mean_rank, ranks.mean(), rtol=1e-3)
    np.testing.assert_allclose(figures.recall_at_10, (ranks <= 10).mean(), atol=2e-3)
    head.set_weights([0 * weights, 0 * biases])
    # Among equal logits, the more frequent class has the lower id and ranks first.
    np.testing.assert_allclose(evaluate(places).mean_rank, 1 + places.labels.mean(), rtol=1e-6)


def test_comparison_sees_a_wrong_loss():
    """The column "same state" shows a difference in the loss alone, or in a gradient alone."""
    layers = small_model(np.arange(50, 0, -1), dim=4)
    chosen = contenders.contenders(num_sampled=8, num_classes=50, seed=1)
    twin, ours = chosen[:2]
    stock = twin.loss
    batch = tf.constant([[1, 2], [3, 4]], tf.int64), tf.constant([[5], [6]], tf.int64)

    def louder(*arguments):
        return stock(*arguments) * 1.01

    def same_loss_other_gradient(weights, biases, labels, inputs):
        return stock(weights, biases, labels, inputs + 0.01 * (inputs - tf.stop_gradient(inputs)))

    def difference(contender):
        return float(training._comparison(layers, contender, twin)(*batch))

    def by_hand(loss):
        return contenders.Contender("a loss", loss)

    assert difference(ours) < 1e-6 and difference(by_hand(stock)) < 1e-6
    assert difference(by_hand(louder)) == pytest.approx(0.01, rel=1e-3)
    assert difference(by_hand(same_loss_other_gradient)) == pytest.approx(0.01, rel=1e-3)
    other_seed = tsc.keras.losses.SampledSoftmax(8, seed=2)
    assert difference(contenders.Contender("other candidates", other_seed)) > 0.01


def test_by_hand_gathers_from_the_variables_themselves():
    """With a Keras variable, TensorFlow's loss would read the whole table, an unfair comparison."""
    layers = small_model(np.arange(1, 41), dim=4)
    table = contenders.table_of(layers.head)
    assert all(isinstance(variable, tf.Variable) for variable in table)
    assert [tuple(variable.shape) for variable in table] == [(40, 4), (40,)]
    assert table[0] is private.unwrap_variable(layers.head.kernel)
