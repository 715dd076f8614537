"""The plan and the sampled losses, run by TensorFlow: values, gradients, dtypes, equal bits."""

import numpy as np
import pytest
import tensorflow as tf
from ops_problem import CLASSES, KINDS, Problem, assert_close


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hits", [True, False])
@pytest.mark.parametrize("unique_samples", [True, False])
@pytest.mark.parametrize("keep", [True, False])
def test_losses_against_numpy(ops, kind, hits, unique_samples, keep):
    for dtype, rtol in ((tf.float32, 2e-6), (tf.float64, 1e-13)):
        for size in (
            {},
            {"batch": 1, "num_true": 1, "num_sampled": 1, "dim": 1},
            {"batch": 130, "num_sampled": 257},
        ):
            problem = Problem(unique_samples=unique_samples, **size)
            plan, (loss, d_inputs, d_rows, d_biases, *_) = problem.run(
                ops, kind, hits, dtype, keep=keep
            )
            wanted = problem.naive(kind, hits)
            ids = plan.unique_ids.numpy()
            assert_close(loss, wanted[0], rtol)
            assert_close(d_inputs, wanted[1], rtol)
            assert_close(d_rows, wanted[2][ids], rtol)
            assert_close(d_biases, wanted[3][ids], rtol)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hits", [True, False])
def test_losses_against_stock(ops, kind, hits):
    problem = Problem(seed=3)
    stock = tf.nn.sampled_softmax_loss if kind == "softmax" else tf.nn.nce_loss
    tables = [tf.constant(a, tf.float32) for a in (problem.weights, problem.biases, problem.inputs)]
    with tf.GradientTape() as tape:
        tape.watch(tables)
        weights, biases, inputs = tables
        values = (
            tf.constant(problem.sampled),
            tf.constant(problem.true_count, tf.float32),
            tf.constant(problem.sampled_count, tf.float32),
        )
        loss = stock(
            weights, biases, tf.constant(problem.labels), inputs, problem.num_sampled, CLASSES,
            problem.num_true, values, hits,
        )  # fmt: skip
        total = tf.reduce_sum(loss * tf.constant(problem.upstream, tf.float32))
    grads = [tf.convert_to_tensor(g).numpy() for g in tape.gradient(total, tables)]
    plan, (ours, d_inputs, d_rows, d_biases, *_) = problem.run(ops, kind, hits)
    ids = plan.unique_ids.numpy()
    assert_close(ours, loss.numpy(), 2e-6)
    assert_close(d_inputs, grads[2], 2e-6)
    assert_close(d_rows, grads[0][ids], 2e-6)
    assert_close(d_biases, grads[1][ids], 2e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_offset_gradients_by_differences(ops, kind):
    problem = Problem(batch=3, num_sampled=4, dim=2)
    plan = problem.plan(ops)
    arguments = problem.arguments(ops, plan, tf.float64)
    _, results = problem.run(ops, kind, dtype=tf.float64)
    for index, grad in ((6, results[4]), (7, results[5])):
        for at in np.ndindex(*grad.shape):
            losses = []
            for step in (1e-6, -1e-6):
                moved = arguments[index].numpy()
                moved[at] += step
                changed = [*arguments[:index], moved, *arguments[index + 1 :]]
                loss = ops.sampled_compat_sampled_loss(*changed, kind=kind).loss.numpy()
                losses.append(loss @ problem.upstream)
            assert abs((losses[0] - losses[1]) / 2e-6 - grad[at]) < 1e-7


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
@pytest.mark.parametrize("mixed", [True, False])
def test_low_precision(ops, kind, dtype, mixed):
    """Only inputs and results are rounded, not intermediate values."""
    problem = Problem(seed=4)
    problem.inputs = tf.cast(tf.cast(problem.inputs, dtype), tf.float64).numpy()
    if not mixed:
        problem.weights = tf.cast(tf.cast(problem.weights, dtype), tf.float64).numpy()
    rows_dtype = tf.float32 if mixed else dtype
    plan, (loss, d_inputs, d_rows, *_) = problem.run(ops, kind, dtype=dtype, rows_dtype=rows_dtype)
    wanted = problem.naive(kind)
    assert d_inputs.dtype == dtype.as_numpy_dtype and d_rows.dtype == rows_dtype.as_numpy_dtype
    rounding = 2.0**-8 if dtype == tf.bfloat16 else 2.0**-11
    assert_close(loss, wanted[0], 2e-6)
    assert_close(d_inputs, wanted[1], rounding)
    assert_close(d_rows, wanted[2][plan.unique_ids.numpy()], 2e-6 if mixed else rounding)


@pytest.mark.parametrize("kind", KINDS)
def test_same_bits_for_any_number_of_threads(library, kind):
    ops, set_threads = library
    problem = Problem(batch=300, num_sampled=500, dim=64, seed=5)
    for keep in (True, False):
        results = []
        for threads in (1, 2, 16, 2):
            set_threads(threads)
            results.append(problem.run(ops, kind, keep=keep)[1])
        for other in results[1:]:
            for a, b in zip(results[0], other):
                assert a.tobytes() == b.tobytes()


def test_hits_are_tensorflows(ops):
    sampled = np.array([3, 7, 3, 5, 5, 9])
    labels = np.array([[5, 3], [1, 2], [9, 9]])
    plan = ops.sampled_compat_plan(labels, sampled)
    rows, columns, _ = tf.nn.compute_accidental_hits(labels, sampled, num_true=2)
    wanted = {
        (int(r), [3, 7, 3, 5, 5, 9].index(9) if c == 5 else int(c)) for r, c in zip(rows, columns)
    }
    assert {tuple(h) for h in plan.hits.numpy()} == wanted
    assert plan.unique_ids.numpy().tolist() == [3, 7, 5, 9, 1, 2]
    assert ops.sampled_compat_plan(labels, sampled, find_hits=False).hits.shape == (0, 2)


def test_every_occurrence_is_listed_where_asked_for(ops):
    sampled, labels = np.array([3, 7, 3, 5]), np.array([[5, 3], [1, 5]])
    plan = ops.sampled_compat_plan(labels, sampled, unique=False)
    assert plan.unique_ids.numpy().tolist() == [5, 3, 1, 5, 3, 7, 3, 5]
    assert plan.true_positions.numpy().tolist() == [[0, 1], [2, 3]]
    assert plan.sampled_positions.numpy().tolist() == [4, 5, 6, 7]
    assert (
        plan.hits.numpy().tolist() == ops.sampled_compat_plan(labels, sampled).hits.numpy().tolist()
    )


def test_large_ids_survive(ops):
    ids = np.array([2**31 + 1, 16777217, 2**62])
    plan = ops.sampled_compat_plan(ids[None, ::-1], ids)
    assert plan.unique_ids.numpy().tolist() == ids.tolist()


def test_empty_batch(ops):
    problem = Problem(batch=4)
    for kind in KINDS:
        arguments = problem.arguments(ops, problem.plan(ops))
        arguments[0], arguments[4], arguments[6] = (arguments[i][:0] for i in (0, 4, 6))
        arguments[5] = arguments[5][:0]
        out = ops.sampled_compat_sampled_loss(*arguments, kind=kind)
        assert out.loss.shape == (0,)
        grads = ops.sampled_compat_sampled_loss_grad(
            *arguments, out.normalizer, out.kept, out.loss, kind=kind
        )
        assert not np.any(grads.d_rows) and not np.any(grads.d_sampled_offset)


def test_shapes_known_when_tracing(ops):
    problem = Problem()
    arguments = problem.arguments(ops, problem.plan(ops))

    @tf.function
    def trace(*arguments):
        out = ops.sampled_compat_sampled_loss(*arguments, kind="sigmoid")
        grads = ops.sampled_compat_sampled_loss_grad(
            *arguments, out.normalizer, out.kept, out.loss, kind="sigmoid"
        )
        assert out.loss.shape == arguments[0].shape[:1]
        for grad, index in zip(grads, (0, 1, 2, 6, 7)):
            assert grad.shape == arguments[index].shape
        with pytest.raises(ValueError, match="rank"):
            ops.sampled_compat_sampled_loss(arguments[2], *arguments[1:], kind="sigmoid")
        return out.loss

    trace(*arguments)
