"""A step of a lazy optimizer that comes between the read and the write of another one.

Clusters do this by chance, in tests/distribute; here it happens always.
"""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.keras.lazy_cases import (
    KERASES,
    OPTIMIZERS,
    ROWS,
    all_rows,
    assert_close,
    few_rows,
    pair,
    slices,
    table,
    train,
)
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.lazy import rows, steps

each_keras = pytest.mark.parametrize("kerases", KERASES)


@pytest.fixture
def other_writers(monkeypatch):
    """Lets each variable look as if it were on a parameter server."""
    monkeypatch.setattr(private, "is_on_parameter_server", lambda variable: True)


class Interruption:
    """Calls functions within a step, before its change of a row with this number."""

    def __init__(self):
        self.functions, self.number = [], 0

    def __call__(self, *args, **kwargs):
        if self.functions and self.number == 0:
            functions, self.functions = self.functions, []
            for function in functions:
                function()
        self.number -= 1
        return CHANGE(*args, **kwargs)


CHANGE = rows.change


@pytest.fixture
def interruption(monkeypatch):
    made = Interruption()
    monkeypatch.setattr(rows, "change", made)
    return made


@each_keras
@pytest.mark.parametrize(("name", "options"), OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_both_steps_count(kerases, name, options, other_writers, interruption):
    """Both read the same rows. Of a sum, such as w, both add what they would add alone."""
    first, second = slices([3, 5, 3], seed=1), slices([8, 3], seed=2)
    start = table().numpy()

    def changes(*gradients):
        """Returns what w and the slots gain from a step each, the last ones within the first."""
        _, ours = pair(kerases, name, **options)
        weights = table()
        ours.build([weights])
        slots = [np.array(each) for each in ours._slots(0)]
        interruption.number = 0
        interruption.functions = [
            lambda gradient=each: ours.apply_gradients([(gradient, weights)])
            for each in gradients[1:]
        ]
        ours.apply_gradients([(gradients[0], weights)])
        assert not interruption.functions
        gained = [np.array(each) - slot for each, slot in zip(ours._slots(0), slots)]
        return [weights.numpy() - start, *gained]

    one, other, both = changes(first), changes(second), changes(first, second)
    both_count = [a + b for a, b in zip(one, other)]
    assert_close(both, both_count)


@each_keras
@pytest.mark.parametrize("name", ["amsgrad", "nesterov", "adagrad"])
@pytest.mark.parametrize("jit", [False, True], ids=["", "jit"])
def test_differences_are_the_same_steps(kerases, name, jit, other_writers):
    """Under XLA an id that occurs again adds nothing again."""
    name, options = OPTIMIZERS[name]
    gradients = [all_rows(0), *[few_rows(step) for step in range(1, 4)]]
    found = train(pair(kerases, name, **options)[1], gradients, compiled=True, jit=jit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(private, "is_on_parameter_server", lambda variable: False)
        expected = train(pair(kerases, name, **options)[1], gradients, compiled=True)
    assert_close(found, expected)


@each_keras
def test_averages_count_both_steps(kerases, other_writers, interruption):
    _, ours = pair(kerases, "SGD", use_ema=True, ema_momentum=0.5)
    weights = table()
    ours.apply_gradients([(few_rows(0), weights)])
    average = ours._model_variables_moving_average[0]
    before, seen = np.array(average)[3], []
    # Before the change of the average, which comes after those of w and the slots.
    interruption.number = 1 + len(ours._slots(0))

    def another():
        seen.append(weights.numpy()[3])
        ours.apply_gradients([(slices([3], seed=1), weights)])
        seen.append(weights.numpy()[3])

    interruption.functions = [another]
    ours.apply_gradients([(slices([3], seed=2), weights)])
    expected = before + sum((each - before) / 2 for each in seen)
    assert len(seen) == 2
    np.testing.assert_allclose(np.array(average)[3], expected, rtol=1e-5)


def test_both_steps_of_tensorflow_1_count(monkeypatch):
    """Both steps read what the rows held at first, as two threads of a session can."""
    v1, read = tf.compat.v1, rows.gather
    with tf.Graph().as_default(), v1.Session() as session:
        weights = v1.get_variable("w", initializer=tf.ones([ROWS]), use_resource=True)
        optimizer = tsc.compat.v1.train.LazyAdamOptimizer(0.25)
        gradient = tf.IndexedSlices(tf.ones([1]), tf.constant([3]), tf.constant([ROWS]))
        monkeypatch.setattr(
            rows,
            "gather",
            lambda variable, ids: tf.zeros_like(read(variable, ids)) + FIRST[variable.name],
        )
        train_op = optimizer.apply_gradients([(gradient, weights)])
        session.run(v1.global_variables_initializer())
        session.run(train_op)
        session.run(train_op)
        m, v = (session.run(optimizer.get_slot(weights, name))[3] for name in "mv")
        np.testing.assert_allclose([m, v], [0.2, 2 * (1 - np.float32(0.999))], rtol=1e-6)
        second = np.sqrt(1 - 0.999**2) / (1 - 0.9**2) * 0.1 / np.sqrt(0.001)
        np.testing.assert_allclose(session.run(weights)[3], 1 - 0.25 * (1 + second), rtol=1e-4)


# The variables of that program when they are initialized.
FIRST = {"w:0": 1.0, "w/Adam:0": 0.0, "w/Adam_1:0": 0.0}


@pytest.mark.parametrize("lag", [1, 3, 7])
def test_how_far_moments_are_from_sequential_adam(lag):
    """At most `lag` other steps write between a step's read and its write; see docs/sharding.md."""
    rng, beta_1, beta_2 = np.random.default_rng(lag), 0.9, 0.999
    history = [np.zeros([2, 50])]
    sequential, largest = np.zeros([2, 50]), np.zeros([2, 50])
    for step in range(300):
        gradient = rng.normal(size=50) * np.where(rng.random(50) < 0.2, 10, 1)
        targets = np.stack([gradient, gradient**2])
        read = history[rng.integers(max(0, step - lag), step + 1)]
        _, *new = steps.adam(
            gradient=tf.constant(gradient), weights=tf.zeros([50], tf.float64), slots=list(read),
            alpha=tf.constant(1.0, tf.float64), beta_1=beta_1, beta_2=beta_2, epsilon=1e-7,
        )  # fmt: skip
        history.append(history[-1] + np.stack(new) - read)
        rates = np.array([[1 - beta_1], [1 - beta_2]])
        sequential = sequential + rates * (targets - sequential)
        largest = np.maximum(largest, np.abs(targets - read))
        bound = lag * rates * largest
        assert (np.abs(history[-1] - sequential) <= bound + 1e-12).all()
    assert np.abs(history[-1] - sequential).max() > 0


def test_a_second_moment_below_zero_makes_no_nan():
    """Workers that decay one v at the same time can take more than all of it."""
    *new, v = steps.adam(
        gradient=tf.constant([0.0, 2.0]), weights=tf.ones([2]),
        slots=[tf.constant([0.0, 0.5]), tf.constant([-1e-6, -1e-6])], alpha=tf.constant(0.1),
        beta_1=0.9, beta_2=0.999, epsilon=1e-7,
    )  # fmt: skip
    assert np.isfinite(new).all()
    np.testing.assert_allclose(v, [0, 4e-3], rtol=1e-5)
