"""Checks that run on a cluster: heads whose tables are sharded."""

import numpy as np
import tensorflow as tf

import tf_sampled_compat as tsc

CLASSES, DIM, SAMPLED = 7, 3, 4
RNG = np.random.default_rng(0)
KERNEL = RNG.normal(size=(CLASSES, DIM)).astype("float32")
INPUTS = RNG.normal(size=(4, 2, DIM)).astype("float32")
LABELS = RNG.integers(0, CLASSES, size=(4, 2, 1))


def shards(variable):
    """Returns the shards of a sharded variable, also of Keras's own around one; else itself."""
    variable = getattr(variable, "value", variable) if hasattr(variable, "path") else variable
    return list(getattr(variable, "variables", [variable]))


def candidates(labels, *_, **__):
    """A sampler without a state: each worker has its own state of a kernel of TensorFlow."""
    counts = tf.fill(tf.shape(labels), 0.5), tf.fill([SAMPLED], 0.5)
    return tf.range(0, 2 * SAMPLED, 2, tf.int64), *counts


def model_of(keras):
    """Returns a head, its loss and a lazy optimizer, and the head's shards or variables."""
    namespace = getattr(tsc, keras)
    head = namespace.layers.SampledDense(CLASSES)
    head.build((None, DIM))
    rows = KERNEL
    for piece in shards(head.kernel):
        piece.assign(rows[: piece.shape[0]])
        rows = rows[piece.shape[0] :]
    loss = namespace.losses.SampledSoftmax(SAMPLED, sampler=candidates, reduction="sum")
    optimizer = namespace.optimizers.LazyAdagrad(0.1)
    sources = [each for variable in (head.kernel, head.bias) for each in shards(variable)]
    optimizer.build(sources)
    return head, loss, optimizer, sources


def step_of(head, loss, optimizer, sources):
    """Returns a function that takes a step for inputs and labels, and returns the loss."""

    def step(inputs, labels):
        with tf.GradientTape() as tape:
            value = loss(labels, head(inputs, training=True))
        optimizer.apply_gradients(zip(tape.gradient(value, sources), sources))
        return value

    return step


def trained(strategy, coordinator, keras):
    """Returns the losses of four joined steps and the table after them, here and on the cluster."""
    found = []
    for scope in (tf.distribute.get_strategy().scope, strategy.scope):
        with scope():
            made = model_of(keras)
        step = step_of(*made)
        run = tf.function(step) if not found else tf.function(
            lambda *args, step=step: strategy.run(step, args)
        )  # fmt: skip
        losses = []
        for inputs, labels in zip(INPUTS, LABELS):
            arguments = tf.constant(inputs), tf.constant(labels)
            value = run(*arguments) if not found else coordinator.schedule(run, arguments).fetch()
            losses.append(float(value))
        count = len(made[3]) // 2
        table = np.concatenate([np.array(each) for each in made[3][:count]])
        found.append({"losses": losses, "table": table.tolist(), "shards": count})
    return found
