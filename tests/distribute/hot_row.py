"""A check that runs on a cluster: many asynchronous steps that all change one row."""

import numpy as np
import tensorflow as tf

import tf_sampled_compat as tsc

STEPS, ROW = 600, 1
# Adagrad starts at such sums that the denominator of step k is √k. Adam's epsilon is next to none.
OPTIONS = {
    "SGD": {},
    "Momentum": {"momentum": 0.9},
    "Adagrad": {"initial_accumulator_value": 0.0, "epsilon": 1e-12},
    "Adam": {"epsilon": 1e-12},
    "AMSGrad": {"epsilon": 1e-12, "amsgrad": True},
}
CLASSES = {"Momentum": "SGD", "AMSGrad": "Adam"}


def made(keras, kind):
    """Returns a lazy optimizer of a Keras, or of `compat.v1.train`."""
    options = {"learning_rate": 1.0, **OPTIONS[kind]}
    if keras == "v1":
        return tsc.compat.v1.train.LazyAdamOptimizer(**options)
    namespace = getattr(tsc, keras).optimizers
    return getattr(namespace, f"Lazy{CLASSES.get(kind, kind)}")(**options)


def moved(strategy, coordinator, keras, kind):
    """Returns where a row of zeros is after 600 steps with the gradient 1, and its slots' rows."""
    with strategy.scope():
        table = tf.Variable(np.zeros([4, 2], "float32"), name="table")
        piece = table.variables[0]
        optimizer = made(keras, kind)
        if keras != "v1":
            optimizer.build(list(table.variables))

    @tf.function
    def step():
        # The id occurs twice: each of them once would be another way to lose a half.
        gradient = tf.IndexedSlices(tf.fill([2, 2], 0.5), [ROW, ROW], [2, 2])
        strategy.run(lambda: optimizer.apply_gradients([(gradient, piece)]))

    for _ in range(STEPS):
        coordinator.schedule(step)
    coordinator.join()
    if keras == "v1":
        slots = [optimizer.get_slot(piece, each) for each in "mv"]
    else:
        slots = optimizer._slots(0)
    rows = np.array(piece)
    assert not rows[1 - ROW].any(), "a row has changed that occurs in no gradient"
    return {
        "row": rows[ROW].tolist(),
        "slots": [np.array(each)[ROW].tolist() for each in slots],
        "iterations": None if keras == "v1" else int(np.array(optimizer.iterations)),
    }
