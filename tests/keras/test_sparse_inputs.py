"""`SampledDense` takes sparse inputs, as `Dense` does."""

import numpy as np
import tensorflow as tf

C, D = 50, 6


def sparse_and_dense():
    dense = np.zeros([8, D], "f")
    dense[np.arange(8), np.arange(8) % D] = np.arange(1, 9)
    sparse = tf.sparse.from_dense(dense)
    return sparse, dense


def test_a_model_trains_and_evaluates_on_sparse_inputs(kerases):
    sparse, dense = sparse_and_dense()
    inputs = kerases.keras.Input([D], sparse=True)
    head = kerases.ours.layers.SampledDense(C)
    model = kerases.keras.Model(inputs, head(inputs))
    model.compile("sgd", kerases.ours.losses.SampledSoftmax(5))
    before = head.kernel.numpy().copy()
    history = model.fit(sparse, np.arange(8), verbose=0, batch_size=8).history
    assert np.isfinite(history["loss"][0]) and np.any(head.kernel.numpy() != before)
    of_dense = tf.nn.sparse_softmax_cross_entropy_with_logits(np.arange(8), head(dense))
    evaluated = model.evaluate(sparse, np.arange(8), verbose=0, batch_size=8)
    np.testing.assert_allclose(evaluated, tf.reduce_mean(of_dense), rtol=1e-5)
    np.testing.assert_allclose(model.predict(sparse, verbose=0), head(dense), rtol=1e-5)


def test_indices_in_any_order(kerases):
    sparse, dense = sparse_and_dense()
    order = np.arange(8)[::-1]
    unordered = tf.SparseTensor(
        tf.gather(sparse.indices, order), tf.gather(sparse.values, order), sparse.dense_shape
    )
    head = kerases.ours.layers.SampledDense(C)
    head.build([None, D])
    np.testing.assert_allclose(head(unordered), head(dense), rtol=1e-5)
    logits, ids = head.top_k(unordered, k=3)
    wanted = tf.math.top_k(head(dense), 3)
    np.testing.assert_array_equal(ids, wanted.indices)
    np.testing.assert_allclose(logits, wanted.values, rtol=1e-5)
