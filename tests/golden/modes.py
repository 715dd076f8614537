"""Runs a golden case in one of three modes: eager, in a `tf.function`, in a v1 graph."""

import functools

import tensorflow as tf

from golden import cases, inputs, replay, store


def run_graph(losses, samplers, case, api):
    """Runs a case in a v1 graph with a session and placeholders."""
    return replay.in_graph(tf.compat.v1, losses, samplers, case, api)


def run_eager(losses, samplers, case, api):
    """Runs a case eagerly, under a gradient tape."""
    if cases.is_drawn(case):
        # Eager kernels are cached by their attributes, with the state of their seeds. Reset them.
        tf.random.set_seed(None)
    tables, fed = _tables_and_feeds(case)
    return _eager_outcome(case, _step(losses, samplers, case, api, tables, fed))


def run_function(losses, samplers, case, api):
    """Runs a case in a `tf.function` traced for an unknown batch size."""
    tables, fed = _tables_and_feeds(case)
    signature = {
        name: tf.TensorSpec(replay.open_shape(name, tensor), tensor.dtype)
        for name, tensor in fed.items()
    }

    @functools.partial(tf.function, input_signature=[signature], autograph=False)
    def step(fed):
        return _step(losses, samplers, case, api, tables, fed)

    return _eager_outcome(case, step(fed))


MODES = {"eager": run_eager, "function": run_function, "graph": run_graph}


def _tables_and_feeds(case):
    arrays = inputs.arrays(case)
    weights, biases = arrays.pop("weights"), arrays.pop("biases")
    tables = [
        [tf.Variable(piece) for piece in inputs.pieces(case, weights)],
        [tf.Variable(biases)]
        if case.biases == "whole"
        else [tf.Variable(piece) for piece in inputs.pieces(case, biases)],
    ]
    return tables, {name: tf.constant(array) for name, array in arrays.items()}


def _step(losses, samplers, case, api, tables, fed):
    weights, biases = (table[0] if len(table) == 1 else table for table in tables)
    sampled_values = [fed.get(name) for name in replay.SAMPLED_VALUES]
    counts = sampled_values[1:] if replay.has_count_gradients(case, api) else []
    with tf.GradientTape() as tape:
        tape.watch([fed["inputs"], *counts])
        if cases.is_drawn(case):
            sampled_values = replay.draw(case, samplers, fed["labels"])
        loss = getattr(losses, case.loss)(
            weights=weights,
            biases=biases,
            labels=fed["labels"],
            inputs=fed["inputs"],
            sampled_values=sampled_values,
            **replay.loss_arguments(case, api),
        )
        total = tf.reduce_sum(loss * fed["upstream"])
    gradients = tape.gradient(total, [fed["inputs"], *tables, counts])
    return loss, gradients, sampled_values if cases.is_drawn(case) else None


def _eager_outcome(case, results):
    loss, (inputs_gradient, weights, biases, counts), drawn = results
    return replay.Outcome(
        loss=loss.numpy(),
        inputs_gradient=inputs_gradient.numpy(),
        weights_gradients=[_piece(gradient) for gradient in weights],
        biases_gradients=[_piece(gradient) for gradient in biases],
        drawn=[value.numpy() for value in drawn] if drawn else None,
        count_gradients=[gradient.numpy() for gradient in counts] or None,
    )


def _piece(gradient):
    if isinstance(gradient, tf.IndexedSlices):
        return replay.PieceGradient(gradient.indices.numpy(), gradient.values.numpy())
    return replay.PieceGradient(None, gradient.numpy())


def live_rank_record(case):
    """Returns the results of TensorFlow 1.15's TAPAS on the ops of the installed TensorFlow."""
    tables, fed = _tables_and_feeds(case)
    weights, biases = (tf.gather(table[0], fed["sampled"]) for table in tables)
    logits = tf.matmul(weights, fed["inputs"] / case.resampling_temperature, transpose_b=True)
    scores = tf.reduce_logsumexp(logits, axis=1) + biases / case.resampling_temperature
    kept = tf.math.top_k(scores, k=case.num_resampled, sorted=False).indices
    for name in ("sampled", "sampled_expected_count"):
        fed[name] = tf.gather(fed[name], kept)
    second_pass = case._replace(loss=cases.SOFTMAX, num_sampled=case.num_resampled)
    step = _step(tf.compat.v1.nn, None, second_pass, cases.TF221_V1, tables, fed)
    return store.record(second_pass, _eager_outcome(second_pass, step))
