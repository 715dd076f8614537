"""Keras's extras around an update, applied to the rows: clipping, decay, averages, loss scales."""

import numpy as np
import pytest
import tensorflow as tf

from tests.keras.lazy_cases import (
    DIM,
    KERASES,
    ROWS,
    all_rows,
    assert_close,
    few_rows,
    is_keras3,
    pair,
    slices,
    state,
    table,
    train,
)

pytestmark = pytest.mark.parametrize("kerases", KERASES)


def keras3_only(kerases):
    if not is_keras3(kerases[0]):
        pytest.skip("Keras 2 has no such argument")


CLIPS = [{"clipnorm": 0.5}, {"global_clipnorm": 0.5}, {"clipvalue": 0.2}]


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: next(iter(clip)))
@pytest.mark.parametrize("jit", [False, True], ids=["", "jit"])
def test_clipping_is_that_of_the_dense_gradient(kerases, clip, jit):
    """SGD shows the clipped gradient. Duplicates nearly cancel: their own norm would be wrong."""
    gradient = slices([7, 2, 7, 7, 9], scale=3.0)
    cancelling = tf.IndexedSlices(
        tf.concat([gradient.values, 50 * gradient.values, -50 * gradient.values], 0),
        tf.tile(gradient.indices, [3]),
    )
    stock, ours = pair(kerases, "SGD", learning_rate=1.0, **clip)
    expected = train(stock, [cancelling], dense=True)
    assert np.abs(expected[0] - table().numpy()).max() < 0.6
    # The tolerance is for the rounding of sums of ±50 g.
    assert_close(train(ours, [cancelling], compiled=not jit, jit=jit), expected, ulps=500)
    assert_close(train(pair(kerases, "SGD", **clip)[1], [gradient]),
                 train(pair(kerases, "SGD", **clip)[0], [gradient], dense=True))  # fmt: skip


def test_weight_decay_is_of_the_rows_that_occur(kerases):
    _, ours = pair(kerases, "AdamW", weight_decay=0.5)
    weights, dense = table(), tf.Variable([2.0])
    before = weights.numpy()
    ours.apply_gradients([(slices([4, 4], scale=0.0), weights), (tf.zeros([1]), dense)])
    expected = before.copy()
    expected[4] *= 1 - 0.5 * 0.1
    np.testing.assert_allclose(weights.numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(dense.numpy(), [2.0 * (1 - 0.5 * 0.1)], rtol=1e-6)


def test_weight_decay_knows_who_is_excluded(kerases):
    _, ours = pair(kerases, "AdamW", weight_decay=0.5)
    weights = table()
    before = weights.numpy()
    ours.exclude_from_weight_decay(var_list=[weights])
    ours.apply_gradients([(slices([4], scale=0.0), weights)])
    np.testing.assert_array_equal(weights.numpy(), before)


AVERAGES = [{"ema_momentum": 0.7}, {"ema_momentum": 0.7, "ema_overwrite_frequency": 3}]


@pytest.mark.parametrize("options", AVERAGES, ids=["", "overwrite"])
@pytest.mark.parametrize("how", [{}, {"compiled": True}, {"jit": True}], ids=str)
def test_averages_of_all_rows_are_kerass(kerases, options, how):
    gradients = [all_rows(step) for step in range(7)]
    stock, ours = pair(kerases, "Adam", use_ema=True, **options)
    expected = train(stock, gradients, dense=True, compiled=True)
    assert_close(train(ours, gradients, **how), expected)


def test_an_average_moves_when_its_row_occurs(kerases):
    _, ours = pair(kerases, "SGD", use_ema=True, ema_momentum=0.5)
    weights = table()
    ours.apply_gradients([(few_rows(0), weights)])
    average = ours._model_variables_moving_average[0]
    before, first = np.array(average), weights.numpy()
    ours.apply_gradients([(slices([3, 3, 8]), weights)])
    expected = before.copy()
    expected[[3, 8]] = (before[[3, 8]] + weights.numpy()[[3, 8]]) / 2
    np.testing.assert_allclose(np.array(average), expected, rtol=1e-6)
    others = np.setdiff1d(np.arange(ROWS), [3, 8])
    np.testing.assert_array_equal(np.array(average)[others], before[others])
    # The average of a row that never occurred is its own value, not Keras's initial zero.
    ours.finalize_variable_values([weights])
    never = slice(ROWS // 2, ROWS)
    np.testing.assert_array_equal(weights.numpy()[never], first[never])


@pytest.mark.parametrize("how", [{}, {"compiled": True}, {"jit": True}], ids=str)
def test_accumulated_gradients(kerases, how):
    keras3_only(kerases)
    gradients = [all_rows(step) for step in range(6)]
    options = {"gradient_accumulation_steps": 3, "global_clipnorm": 1.0}
    stock, ours = pair(kerases, "Adam", **options)
    expected = train(stock, gradients, dense=True, compiled=True)
    assert_close(train(ours, gradients, **how), expected)


def test_accumulation_touches_the_rows_of_its_window_only(kerases):
    keras3_only(kerases)
    _, ours = pair(kerases, "Adam", gradient_accumulation_steps=2)
    weights = table()
    for ids in ([0, 1, 2, 3], [4, 5]):
        ours.apply_gradients([(slices(ids), weights)])
    before = state(ours, weights)
    ours.apply_gradients([(slices([1, 6, 6]), weights)])
    np.testing.assert_array_equal(weights.numpy(), before[0])
    ours.apply_gradients([(slices([2, 6]), weights)])
    moved = [
        np.flatnonzero((one != other).any(axis=1)).tolist()
        for one, other in zip(before, state(ours, weights))
        if one.shape == (ROWS, DIM)
    ]
    # The weights, the accumulator (zero again), m, v.
    assert sorted(map(tuple, moved)) == [(), (1, 2, 6), (1, 2, 6), (1, 2, 6)]


def test_accumulation_goes_on_in_the_middle_of_a_restored_window(kerases, tmp_path):
    """Restores into a new optimizer, and into one that is in another window."""
    keras3_only(kerases)
    gradients = [few_rows(step) for step in range(12)]
    options = {"gradient_accumulation_steps": 3}
    expected = train(pair(kerases, "Adam", **options)[1], gradients)[0]
    _, source = pair(kerases, "Adam", **options)
    weights = table()
    for each in gradients[:7]:
        source.apply_gradients([(each, weights)])
    path = tf.train.Checkpoint(optimizer=source, weights=weights).write(str(tmp_path / "c"))
    source.apply_gradients([(slices([ROWS - 1]), weights)])
    for optimizer in (source, pair(kerases, "Adam", **options)[1]):
        other = weights if optimizer is source else table()
        optimizer.build([other])
        tf.train.Checkpoint(optimizer=optimizer, weights=other).read(path).assert_consumed()
        for each in gradients[7:]:
            optimizer.apply_gradients([(each, other)])
        assert_close([other.numpy()], [expected])


def test_a_fixed_loss_scale(kerases):
    keras3_only(kerases)
    gradients = [few_rows(step) for step in range(3)]
    scaled = [tf.IndexedSlices(each.values * 1024, each.indices) for each in gradients]
    plain, ours = (
        train(pair(kerases, "SGD", loss_scale_factor=factor)[1], each, compiled=True)
        for factor, each in ((None, gradients), (1024.0, scaled))
    )
    # The bias's gradient was not scaled.
    assert_close(ours[:1], plain[:1])


def scaling(keras, optimizer, scale=256.0):
    made = keras.mixed_precision.LossScaleOptimizer(optimizer, initial_scale=scale)
    if not is_keras3(keras):
        made._loss_has_been_scaled = made._gradients_have_been_unscaled = True
    return made


def test_kerass_own_compiling_of_an_update(kerases):
    """If Keras 2 finds a GPU, XLA compiles each variable's update separately."""
    if is_keras3(kerases[0]):
        pytest.skip("Keras 3 has no such thing")
    gradients = [few_rows(step) for step in range(4)]
    results = []
    for jit in (False, True):
        _, ours = pair(kerases, "Adam", global_clipnorm=1.0, use_ema=True)
        ours.jit_compile = jit
        results.append(train(ours, gradients, compiled=True))
    assert_close(*results)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_loss_scaling_skips_a_step_that_is_not_finite(kerases, compiled):
    keras, _ = kerases
    _, inner = pair(kerases, "Adam")
    outer, weights = scaling(keras, inner), table()
    outer.build([weights])

    def step(values, ids):
        shape = tf.constant([ROWS, DIM], tf.int64)
        gradient = tf.IndexedSlices(values, ids, shape)
        if not is_keras3(keras):
            (gradient,) = outer.get_unscaled_gradients([gradient])
        outer.apply_gradients([(gradient, weights)])

    step = tf.function(step) if compiled else step
    good = slices([1, 1, 5], scale=256.0)
    step(good.values, good.indices)
    before, scale = state(inner, weights), np.array(_scale(outer))
    one_inf = tf.tensor_scatter_nd_update(good.values, [[1, 2]], [np.inf])
    step(one_inf, good.indices)
    after = state(inner, weights)
    for one, other in zip(before, after):
        if one.shape == (ROWS, DIM):
            np.testing.assert_array_equal(one, other)
    assert np.array(_scale(outer)) == scale / 2 == 128

    _, unscaled = pair(kerases, "Adam")
    reference = table()
    unscaled.apply_gradients([(slices([1, 1, 5]), reference)])
    assert_close([before[0]], [reference.numpy()])


def _scale(outer):
    return outer.dynamic_scale if hasattr(outer, "dynamic_scale") else outer.loss_scale


def test_a_loss_scale_optimizer_made_from_a_config_is_sparse_too(kerases):
    keras3_only(kerases)
    keras, _ = kerases
    outer = scaling(keras, pair(kerases, "Adam")[1])
    again = type(outer).from_config(outer.get_config())
    for each in (outer, again):
        huge = tf.IndexedSlices(
            tf.ones([1, 1]), tf.constant([3]), tf.constant([2**40, 1], tf.int64)
        )
        assert bool(each.check_finite([huge, None, tf.ones([2])]))
        assert not bool(each.check_finite([huge, tf.constant([np.nan])]))


def test_accumulation_in_replicas_says_what_to_do(kerases, two_replicas):
    keras3_only(kerases)
    with two_replicas.scope():
        _, ours = pair(kerases, "SGD", gradient_accumulation_steps=2)
        weights = table()
        ours.build([weights])

    @tf.function
    def step():
        two_replicas.run(lambda: ours.apply_gradients([(slices([1]), weights)]))

    with pytest.raises(ValueError, match="gradient_accumulation_steps: expected None .*got 2"):
        step()
