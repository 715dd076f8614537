"""A lazy optimizer and its parent load each other's checkpoints, saved models and configs."""

import numpy as np
import pytest
import tensorflow as tf

from tests.keras.lazy_cases import (
    KERASES,
    OPTIMIZERS,
    all_rows,
    assert_close,
    assert_same,
    is_keras3,
    pair,
    state,
    table,
)

pytestmark = pytest.mark.parametrize("kerases", KERASES)
each_optimizer = pytest.mark.parametrize(
    ("name", "options"), OPTIMIZERS.values(), ids=OPTIMIZERS.keys()
)
both_ways = pytest.mark.parametrize("to_lazy", [True, False], ids=["to lazy", "to dense"])


def step(optimizer, weights, gradient):
    """Makes a step: with a dense gradient for the parent, with a sparse one for ours."""
    lazy = type(optimizer).__name__.startswith("Lazy")
    optimizer.apply_gradients([(gradient if lazy else tf.convert_to_tensor(gradient), weights)])


def started(optimizer):
    weights = table()
    for each in range(3):
        step(optimizer, weights, all_rows(each))
    return weights


@each_optimizer
@both_ways
def test_a_checkpoint_of_one_continues_in_the_other(kerases, name, options, to_lazy, tmp_path):
    options = {**options, "use_ema": name != "SGD"}
    source, target = pair(kerases, name, **options)[:: 1 if to_lazy else -1]
    weights = started(source)
    path = tf.train.Checkpoint(optimizer=source, weights=weights).write(str(tmp_path / "c"))
    other = tf.Variable(tf.zeros_like(weights))
    target.build([other])
    status = tf.train.Checkpoint(optimizer=target, weights=other).read(path)
    status.assert_consumed()
    step(source, weights, all_rows(7))
    step(target, other, all_rows(7))
    assert_close(state(target, other), state(source, weights))
    assert int(np.array(target.iterations)) == 4


@each_optimizer
@both_ways
def test_the_own_variables_of_one_load_into_the_other(kerases, name, options, to_lazy):
    source, target = pair(kerases, name, **options)[:: 1 if to_lazy else -1]
    started(source)
    target.build([table()])
    store = {}
    source.save_own_variables(store)
    target.load_own_variables({key: np.array(value) for key, value in store.items()})
    assert_same(state(target), state(source))

    def suffixes(optimizer):
        """Returns the names without the optimizer's name and without a second table's number."""
        paths = [getattr(each, "path", each.name) for each in list(optimizer.variables)]
        return [path.split("/")[-1].replace("_1", "") for path in paths]

    assert suffixes(source) == suffixes(target)


@each_optimizer
def test_a_config_comes_back(kerases, name, options):
    keras, _ = kerases
    _, ours = pair(kerases, name, clipnorm=0.5, use_ema=True, **options)
    config = keras.optimizers.serialize(ours)
    again = keras.optimizers.deserialize(config)
    assert type(again) is type(ours)
    assert again.get_config() == ours.get_config()
    assert config["registered_name"] == f"tf_sampled_compat>Lazy{name}"


def model_of(keras):
    inputs = keras.Input((3,), dtype="int64")
    hidden = keras.layers.Flatten()(keras.layers.Embedding(30, 4)(inputs))
    return keras.Model(inputs, keras.layers.Dense(1)(hidden))


IDS = np.random.default_rng(1).integers(0, 15, (32, 3))
TARGETS = np.random.default_rng(2).normal(size=(32, 1)).astype("float32")


@pytest.mark.parametrize("how", ["plain", "run_eagerly", "jit_compile", "steps_per_execution"])
def test_fit(kerases, how):
    keras, _ = kerases
    model = model_of(keras)
    arguments = {} if how == "plain" else {how: 2 if how == "steps_per_execution" else True}
    model.compile(pair(kerases, "Adam")[1], loss="mse", **arguments)
    embedding = model.layers[1]
    before = embedding.get_weights()[0]
    losses = model.fit(IDS, TARGETS, batch_size=8, epochs=3, verbose=0).history["loss"]
    after = embedding.get_weights()[0]
    assert losses[-1] < losses[0]
    np.testing.assert_array_equal(after[15:], before[15:])
    assert (after[np.unique(IDS)] != before[np.unique(IDS)]).any(axis=1).all()


@both_ways
def test_a_saved_model_goes_on_where_it_was(kerases, to_lazy, tmp_path):
    """All rows occur in each batch, so both optimizers do the same."""
    keras, _ = kerases
    ids = np.arange(30).reshape(10, 3)
    targets = TARGETS[:10]
    models = []
    for optimizer in pair(kerases, "Adam", learning_rate=0.01)[:: 1 if to_lazy else -1]:
        keras.utils.set_random_seed(5)
        model = model_of(keras)
        model.compile(optimizer, loss="mse")
        model.fit(ids, targets, batch_size=10, epochs=2 - len(models), verbose=0)
        models.append(model)
    source, target = models
    source.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert type(again.optimizer) is type(source.optimizer)
    assert_same(state(again.optimizer), state(source.optimizer))
    source.save_weights(str(tmp_path / "m.weights.h5"))
    target.load_weights(str(tmp_path / "m.weights.h5"))
    store = {}
    source.optimizer.save_own_variables(store)
    target.optimizer.load_own_variables({key: np.array(value) for key, value in store.items()})
    histories = [
        each.fit(ids, targets, batch_size=10, epochs=3, verbose=0, shuffle=False).history["loss"]
        for each in (source, again, target)
    ]
    np.testing.assert_allclose(histories[1], histories[0], rtol=1e-5)
    np.testing.assert_allclose(histories[2], histories[0], rtol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(kerases, policy):
    keras, _ = kerases
    keras.mixed_precision.set_global_policy(policy)
    try:
        model = model_of(keras)
        model.compile(pair(kerases, "Adam")[1], loss="mse")
        losses = model.fit(IDS, TARGETS, batch_size=8, epochs=3, verbose=0).history["loss"]
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert np.isfinite(losses).all() and losses[-1] < losses[0]
    if is_keras3(keras) and policy == "mixed_float16":
        assert type(model.optimizer.check_finite).__name__ == "_SparseCheck"
