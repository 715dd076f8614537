"""The ops refuse bad arguments before they access memory, with errors that name the argument."""

import numpy as np
import pytest
import tensorflow as tf
from ops_problem import Problem


def bad_arguments(arguments):
    """Yields (argument, its bad value, the words of the error)."""
    inputs, rows, biases, sampled, true, hits, true_offset, sampled_offset = arguments
    unique = rows.shape[0]
    nan = tf.constant(np.nan, tf.float32)
    return [
        (0, inputs[0], "inputs must have shape"),
        (1, rows[:, 1:], "rows must have shape"),
        (2, biases[1:], "biases must have shape"),
        (3, sampled + unique, f"sampled_positions must be in .0, {unique}"),
        (3, sampled - 1, "sampled_positions must be in"),
        (4, true - 4000, "true_positions must be in"),
        (4, true[1:], "true_positions must have shape"),
        (4, true[:, :0], "true_offset must have shape|true_positions must have at least one"),
        (5, hits + 5000, "hits must be pairs"),
        (5, hits - 5000, "hits must be pairs"),
        (5, tf.concat([hits, hits[:1]], 0) if hits.shape[0] > 1 else hits + 5000, "hits must be"),
        (5, hits[:, :1], "hits must have shape"),
        (6, true_offset[:, :1], "true_offset must have shape"),
        (6, true_offset * nan, "true_offset must be finite"),
        (7, sampled_offset[1:], "sampled_offset must have shape"),
        (7, sampled_offset + np.inf, "sampled_offset must be finite"),
    ]


@pytest.mark.parametrize("case", range(16))
def test_errors_name_the_argument(ops, case):
    problem = Problem()
    arguments = problem.arguments(ops, problem.plan(ops))
    index, replacement, message = bad_arguments(arguments)[case]
    arguments[index] = replacement
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        ops.sampled_compat_sampled_loss(*arguments, kind="softmax")


def test_gradient_refuses_what_was_not_kept(ops):
    problem = Problem()
    arguments = problem.arguments(ops, problem.plan(ops))
    out = ops.sampled_compat_sampled_loss(*arguments, kind="softmax")
    with pytest.raises(tf.errors.InvalidArgumentError, match="kept must be"):
        ops.sampled_compat_sampled_loss_grad(
            *arguments, out.normalizer, out.kept[1:], out.loss, kind="softmax"
        )
    with pytest.raises(tf.errors.InvalidArgumentError, match="upstream must have shape"):
        ops.sampled_compat_sampled_loss_grad(
            *arguments, out.normalizer, out.kept, out.loss[1:], kind="softmax"
        )


@pytest.mark.parametrize("index", [3, 4, 5])
def test_gradients_refuse_what_would_be_outside_memory(ops, index):
    """The forward op has checked its own inputs, but a file may feed others to the gradient op."""
    problem = Problem()
    arguments = problem.arguments(ops, problem.plan(ops))
    loss = ops.sampled_compat_sampled_loss(*arguments, kind="softmax")
    terms = ops.sampled_compat_sampled_terms(*arguments, kind="softmax")
    message = bad_arguments(arguments)[{3: 3, 4: 5, 5: 8}[index]][2]
    arguments[index] += 5000
    with pytest.raises(tf.errors.InvalidArgumentError, match=message.split(" in .0")[0]):
        ops.sampled_compat_sampled_loss_grad(
            *arguments, loss.normalizer, loss.kept, loss.loss, kind="softmax"
        )
    with pytest.raises(tf.errors.InvalidArgumentError, match=message.split(" in .0")[0]):
        ops.sampled_compat_sampled_terms_grad(
            *arguments, terms.normalizer, terms.kept, *terms[:2], kind="softmax"
        )


@pytest.mark.parametrize("kind", ["nce", "", "softmax2"])
def test_an_unknown_kind_is_neither_of_the_two(ops, kind):
    problem = Problem()
    arguments = problem.arguments(ops, problem.plan(ops))
    with pytest.raises(tf.errors.InvalidArgumentError, match="kind"):
        ops.sampled_compat_sampled_loss(*arguments, kind=kind)
    with pytest.raises(tf.errors.InvalidArgumentError, match="kind"):
        ops.sampled_compat_sampled_terms(*arguments, kind=kind)
    with pytest.raises(tf.errors.InvalidArgumentError, match="kind"):
        ops.sampled_compat_full_reduce(*arguments[:3], [[1]], kind=kind)


def test_compute_type_must_fit(ops):
    problem = Problem()
    arguments = problem.arguments(ops, problem.plan(ops))
    arguments[0] = tf.cast(arguments[0], tf.float64)
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be float64"):
        ops.sampled_compat_sampled_loss(*arguments, kind="softmax")


def test_tapas_and_full_errors(ops):
    x, w, b, y = tf.ones([2, 3]), tf.ones([4, 3]), tf.ones([4]), tf.ones([2, 1], tf.int64)
    for temperature in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(tf.errors.InvalidArgumentError, match="temperature must be positive"):
            ops.sampled_compat_tapas_scores(x, w, b, temperature)
    for k in (-1, 5):
        with pytest.raises(tf.errors.InvalidArgumentError, match="k must be in"):
            ops.sampled_compat_full_top_k(x, w, b, k, tf.zeros([2]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="bar must have shape"):
        ops.sampled_compat_full_top_k(x, w, b, 1, tf.zeros([3]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="weights must have shape"):
        ops.sampled_compat_full_reduce(x, w[:, 1:], b, y, kind="sigmoid")
    with pytest.raises(tf.errors.InvalidArgumentError, match="biases must have shape"):
        ops.sampled_compat_full_reduce(x, w, b[1:], y, kind="sigmoid")
    with pytest.raises(tf.errors.InvalidArgumentError, match="labels must have shape"):
        ops.sampled_compat_full_reduce(x, w, b, y[1:], kind="sigmoid")
