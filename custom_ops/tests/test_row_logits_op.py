"""The logits of classes that differ from row to row, and their gradients."""

import numpy as np
import pytest
import tensorflow as tf
from ops_problem import assert_close

SIZES = {
    "usual": (6, 10, 7, 20),
    "one": (1, 1, 1, 1),
    "parts": (30, 300, 70, 40),
    "no columns": (3, 0, 4, 5),
    "no rows": (0, 3, 4, 5),
    "no numbers": (3, 4, 0, 5),
}


class Problem:
    def __init__(self, batch=6, columns=10, dim=7, unique=20):
        rng = np.random.default_rng(0)
        self.inputs, self.rows = rng.normal(size=(batch, dim)), rng.normal(size=(unique, dim))
        self.biases, self.upstream = rng.normal(size=unique), rng.normal(size=(batch, columns))
        self.positions = rng.integers(0, unique, (batch, columns))

    def arguments(self, dtype=tf.float32, rows_dtype=None):
        compute = tf.float64 if dtype == tf.float64 else tf.float32
        return [
            tf.cast(self.inputs, dtype),
            tf.cast(self.rows, rows_dtype or dtype),
            tf.cast(self.biases, compute),
            tf.cast(self.positions, tf.int32),
        ]

    def results(self, ops, *dtypes):
        """Returns the logits and the gradients by inputs, rows and biases."""
        arguments = self.arguments(*dtypes)
        logits = ops.sampled_compat_row_logits(*arguments)
        upstream = tf.cast(self.upstream, logits.dtype)
        return logits, *ops.sampled_compat_row_logits_grad(*arguments, upstream)

    def naive(self, *dtypes):
        inputs, rows, biases = (
            np.array(tf.cast(a, tf.float64)) for a in self.arguments(*dtypes)[:3]
        )
        logits = np.zeros(self.positions.shape)
        d_inputs, d_rows, d_biases = (np.zeros_like(a) for a in (inputs, rows, biases))
        for (b, j), u in np.ndenumerate(self.positions):
            g = self.upstream[b, j]
            logits[b, j] = inputs[b] @ rows[u] + biases[u]
            d_inputs[b] += g * rows[u]
            d_rows[u] += g * inputs[b]
            d_biases[u] += g
        return logits, d_inputs, d_rows, d_biases


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype, rtol", [(tf.float32, 2e-6), (tf.float64, 1e-13)])
def test_against_numpy(ops, size, dtype, rtol):
    problem = Problem(*SIZES[size])
    for got, wanted in zip(problem.results(ops, dtype), problem.naive(dtype)):
        assert got.dtype == dtype
        assert_close(got, wanted, rtol)


@pytest.mark.parametrize("dtypes, rtol", [
    ((tf.float16, tf.float16), 1e-3),
    ((tf.bfloat16, tf.bfloat16), 8e-3),
    ((tf.bfloat16, tf.float32), 8e-3),
])  # fmt: skip
def test_16_bits_are_summed_in_32(ops, dtypes, rtol):
    """Only the results in 16 bits are rounded."""
    problem = Problem(*SIZES["parts"])
    logits, d_inputs, d_rows, d_biases = problem.results(ops, *dtypes)
    assert (d_inputs.dtype, d_rows.dtype) == dtypes
    wanted = problem.naive(*dtypes)
    assert_close(logits, wanted[0], 2e-6)
    assert_close(d_biases, wanted[3], 2e-6)
    assert_close(tf.cast(d_inputs, tf.float64), wanted[1], rtol)
    assert_close(tf.cast(d_rows, tf.float64), wanted[2], rtol)


def test_shapes_known_when_tracing(ops):
    @tf.function
    def trace(*arguments):
        logits = ops.sampled_compat_row_logits(*arguments)
        assert logits.shape == arguments[3].shape
        gradients = ops.sampled_compat_row_logits_grad(*arguments, logits)
        assert [g.shape for g in gradients] == [a.shape for a in arguments[:3]]
        return logits

    trace(*Problem().arguments())


BAD = {
    "inputs": (0, lambda t: t[0], "inputs must have shape"),
    "rows": (1, lambda t: t[:, 1:], "rows must have shape"),
    "biases": (2, lambda t: t[1:], "biases must have shape"),
    "batch of the positions": (3, lambda t: t[1:], "positions must have shape"),
    "position too large": (3, lambda t: t + 20, "positions must be in .0, 20., the number of rows"),
    "negative position": (3, lambda t: t - 20, "positions must be in"),
}


@pytest.mark.parametrize("name", BAD)
def test_errors_name_the_argument(ops, name):
    """The gradient op refuses it too: a file may feed others to it than to the forward op."""
    index, change, message = BAD[name]
    arguments = Problem().arguments()
    arguments[index] = change(arguments[index])
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        ops.sampled_compat_row_logits(*arguments)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        ops.sampled_compat_row_logits_grad(*arguments, tf.zeros([6, 10]))


def test_gradient_refuses_another_shape(ops):
    with pytest.raises(tf.errors.InvalidArgumentError, match="upstream must have shape"):
        ops.sampled_compat_row_logits_grad(*Problem().arguments(), tf.zeros([6, 9]))
