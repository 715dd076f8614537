"""A compiled step neither computes logits nor reads the table, for any number of classes."""

import numpy as np
import pytest
import tensorflow as tf

from tests.keras.conftest import C, D, functional, head_of
from tests.keras.executed import executed_in
from tf_sampled_compat.core.tf import private


def executed_by_the_head(run):
    return executed_in("head", run) - {"NoOp", "Const", "Identity"}


def compiled(kerases, metrics=(), **options):
    model = functional(kerases, **options)
    model.compile("sgd", kerases.ours.losses.SampledSoftmax(10), metrics=list(metrics))
    return model


@pytest.mark.parametrize("way", ["fit", "evaluate", "a function"])
def test_logits_and_their_reads_are_pruned(kerases, way, batch):
    x, y = (tf.constant(array) for array in batch)

    def run(model):
        if way == "a function":
            loss, weights = model.loss, model.trainable_weights
            kernel = private.unwrap_variable(weights[-2])

            @tf.function
            def step():
                with tf.GradientTape() as tape:
                    value = loss(y, model(x, training=True))
                kernel.scatter_sub(tape.gradient(value, weights)[-2])
                return value  # TensorFlow prunes no reads in a function that returns nothing.

            return step
        data = tf.data.Dataset.from_tensors((x, y))
        return lambda: getattr(model, way)(data, verbose=0)

    assert not executed_by_the_head(run(compiled(kerases)))
    ranking = kerases.ours.metrics.ExactRecallAtK(3)
    assert not executed_by_the_head(run(compiled(kerases, metrics=[ranking])))
    if way != "a function":
        seen = executed_by_the_head(run(compiled(kerases, metrics=["accuracy"])))
        assert "ReadVariableOp" in seen and any("MatMul" in op for op in seen), seen


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_gradients_hold_each_class_once(kerases, policy, batch):
    kerases.keras.mixed_precision.set_global_policy(policy)
    x, y = batch
    model = compiled(kerases)
    head = head_of(model)

    @tf.function
    def gradients():
        with tf.GradientTape() as tape:
            loss = model.loss(y, model(x, training=True))
        return tape.gradient(loss, model.trainable_weights)[-2:]

    for gradient, shape in zip(gradients(), [(C, 16), (C,)]):
        assert isinstance(gradient, tf.IndexedSlices) and gradient.dtype == tf.float32
        assert tuple(gradient.dense_shape) == shape
        ids = gradient.indices.numpy()
        assert len(set(ids)) == len(ids) and set(y) <= set(ids)
    assert head.kernel.dtype == "float32"


def test_a_step_with_a_million_classes_builds_nothing_of_that_size(kerases):
    """The number is a prime, so a dimension of this size can only be the table's."""
    num_classes = 999_983
    model = compiled(kerases, num_classes=num_classes, kernel_initializer="zeros")

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = model.loss(y, model(x, training=True))
        return tape.gradient(loss, model.trainable_weights)

    graph = step.get_concrete_function(tf.zeros([4, D]), tf.zeros([4], tf.int64)).graph
    for op in graph.get_operations():
        if "PartitionedCall" in op.type:
            continue  # The function of the logits; the test above shows that it is pruned.
        for output in op.outputs:
            sizes = output.shape.as_list() if output.shape.rank else []
            assert num_classes not in sizes, (op.type, op.name)


def test_evaluation_needs_no_matrix_of_logits(kerases):
    """2¹⁴ examples and 2¹⁷ classes have 8 GiB of logits; evaluation needs at most 400 MB."""
    import resource

    rows, num_classes = 2**14, 2**17
    keras, ours = kerases.keras, kerases.ours
    model = keras.Sequential([ours.layers.SampledDense(num_classes, kernel_initializer="zeros")])
    model.compile("sgd", ours.losses.SampledSoftmax(10), metrics=[ours.metrics.ExactRecallAtK(3)])
    x, y = np.ones([rows, 2], np.float32), np.zeros([rows], np.int64)
    model.evaluate(x[:64], y[:64], verbose=0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    loss, recall = model.evaluate(x, y, batch_size=rows, verbose=0)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 400
    np.testing.assert_allclose(loss, np.log(num_classes), rtol=1e-5)
    assert recall == 1.0
