"""A check that runs on a cluster: what a caller of a lazy optimizer can get wrong there."""

import numpy as np
import tensorflow as tf

import tf_sampled_compat as tsc


def _error(call):
    try:
        return f"no error: {call()}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def made(strategy, coordinator, keras):
    """Returns the error of each mistake."""
    namespace = getattr(tsc, keras)
    with strategy.scope():
        table = tf.Variable(np.zeros([4, 2], "float32"), name="table")
        unnamed = tf.Variable(np.zeros([4, 2], "float32"))
        head = namespace.layers.SampledDense(4)
        head.build((None, 2))
    gradient = tf.IndexedSlices(tf.ones([1, 2]), [1], [2, 2])

    def optimizer(variables, **options):
        with strategy.scope():
            new = namespace.optimizers.LazySGD(1.0, **options)
            new.build(variables)
        return new

    def scheduled(variables, in_run, **options):
        one = optimizer(variables, **options)

        def apply():
            one.apply_gradients([(gradient, variables[0])])

        step = tf.function((lambda: strategy.run(apply)) if in_run else apply)
        coordinator.schedule(step)
        coordinator.join()

    def given_whole():
        one = optimizer(table.variables)
        with strategy.scope():
            one.apply_gradients([(gradient, table)])

    return {
        "whole": _error(given_whole),
        "built whole": _error(lambda: optimizer([head.kernel])),
        "unnamed": _error(lambda: scheduled(unnamed.variables, True)),
        "outside of run": _error(lambda: scheduled(table.variables, False)),
        "accumulation": "" if keras == "tf_keras" else _error(
            lambda: scheduled(table.variables, True, gradient_accumulation_steps=2)
        ),
    }  # fmt: skip
