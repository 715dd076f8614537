"""Compares TAPAS's first pass and the ops over all classes with TensorFlow's own in float64."""

import numpy as np
import pytest
import tensorflow as tf
from ops_problem import KINDS, assert_close


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64, tf.bfloat16, tf.float16])
def test_tapas_and_full(ops, dtype):
    rng = np.random.default_rng(6)
    compute = tf.float64 if dtype == tf.float64 else tf.float32
    x, w = (tf.cast(rng.normal(size=s, scale=0.5), dtype) for s in ((67, 33), (500, 33)))
    b = tf.cast(rng.normal(size=500), compute)
    upstream, true_upstream = rng.normal(size=67), rng.normal(size=[67, 2])
    # Other pieces' classes have a true logit of 0.
    labels = rng.integers(-1, 501, [67, 2])
    labels[0] = 3
    there = (labels >= 0) & (labels < 500)
    kept = np.ones([67, 500])
    kept[np.where(there)[0], labels[there]] = 0
    x64, w64, b64 = (tf.cast(a, tf.float64) for a in (x, w, b))
    rtol = 1e-13 if dtype == tf.float64 else 2e-6
    narrow = {tf.bfloat16: 2.0**-8, tf.float16: 2.0**-11}.get(dtype, rtol)

    scores = ops.sampled_compat_tapas_scores(x, w, b, 0.7)
    logits = tf.matmul(x64, w64, transpose_b=True) + b64
    assert_close(scores, tf.reduce_logsumexp(logits / 0.7, 0).numpy(), rtol)

    for kind in KINDS:
        with tf.GradientTape() as tape:
            tape.watch([x64, w64, b64])
            logits = tf.matmul(x64, w64, transpose_b=True) + b64
            wanted = (
                tf.math.log(tf.reduce_sum(kept * tf.exp(logits), 1))
                if kind == "softmax"
                else tf.reduce_sum(kept * tf.nn.softplus(logits), 1)
            )
            true = there * tf.gather(logits, np.where(there, labels, 0), batch_dims=1)
            total = tf.reduce_sum(wanted * upstream) + tf.reduce_sum(true * true_upstream)
        grads = tape.gradient(total, [x64, w64, b64])
        reduced, true_logits = ops.sampled_compat_full_reduce(x, w, b, labels, kind=kind)
        gradients = tf.cast(upstream, compute), tf.cast(true_upstream, compute)
        ours = ops.sampled_compat_full_reduce_grad(x, w, b, labels, reduced, *gradients, kind=kind)
        assert_close(reduced, wanted.numpy(), rtol)
        assert_close(true_logits, true.numpy(), rtol)
        assert_close(tf.cast(ours.d_inputs, tf.float64), grads[0].numpy(), narrow)
        assert_close(tf.cast(ours.d_weights, tf.float64), grads[1].numpy(), narrow)
        assert_close(ours.d_biases, grads[2].numpy(), rtol * 2)

    no_bar = tf.fill(x.shape[:1], tf.constant(np.nan, compute))
    values, indices = ops.sampled_compat_full_top_k(x, w, b, 7, no_bar)
    wanted = tf.math.top_k(logits, 7)
    assert_close(values, wanted.values.numpy(), rtol)
    assert np.array_equal(indices, wanted.indices)
