"""Runs one golden case in a v1 graph, for the generator and for one mode of the tests.

Labels, inputs, fixed `sampled_values` and the upstream gradient come in by placeholder, because
TensorFlow 0.12.1 folds constants (an op fed by constants draws once and for all).
"""

from __future__ import absolute_import, division, print_function

import collections

import numpy as np

from golden import cases, inputs

# The gradient of one piece of a table: `indices` is None where TensorFlow gave a dense tensor.
PieceGradient = collections.namedtuple("PieceGradient", ["indices", "values"])

# The results of one run of a case; `drawn` and `count_gradients` are None if they do not apply.
Outcome = collections.namedtuple(
    "Outcome",
    [
        "loss",
        "inputs_gradient",
        "weights_gradients",
        "biases_gradients",
        "drawn",
        "count_gradients",
    ],
)


SAMPLED_VALUES = ("sampled", "true_expected_count", "sampled_expected_count")


def loss_arguments(case, api):
    """Returns the loss's keyword arguments that are not tensors, as that era's API takes them."""
    arguments = {
        "num_sampled": case.num_sampled,
        "num_classes": case.num_classes,
        "remove_accidental_hits": case.remove_accidental_hits,
    }
    if case.loss != cases.SPARSE:
        arguments["num_true"] = case.num_true
    if case.loss == cases.RANK:
        arguments["num_resampled"] = case.num_resampled
        arguments["resampling_temperature"] = case.resampling_temperature
    if api != cases.TF221:
        arguments["partition_strategy"] = case.partition_strategy
    if case.negatives == cases.DEFAULT:
        arguments["seed"] = case.seed
    return arguments


def draw(case, samplers, labels):
    """Calls the case's sampler op in the namespace `samplers`; returns None if the loss chooses."""
    if case.negatives not in cases.SAMPLERS:
        return None
    arguments = dict(
        true_classes=labels,
        num_true=case.num_true,
        num_sampled=case.num_sampled,
        unique=case.unique,
        seed=case.seed,
    )
    if case.negatives != "all":
        arguments["range_max"] = case.num_classes
    if case.negatives == "fixed_unigram":
        arguments.update(unigrams=inputs.unigrams(case), distortion=0.75)
    return getattr(samplers, case.negatives + "_candidate_sampler")(**arguments)


def has_count_gradients(case, api):
    """Returns True where the era does not stop gradients through fixed `sampled_values`."""
    return api == cases.TF012 and not cases.is_drawn(case)


def in_graph(tf1, losses, samplers, case, api):
    """Runs a case in its own graph.

    Args:
      tf1: the TF 1 API: `tensorflow` before 2.0, `tensorflow.compat.v1` since.
      losses: the namespace that holds the loss.
      samplers: the namespace that holds the sampler ops.
      case: a `cases.Case`.
      api: one of `case.apis`, which says what arguments the loss takes.

    Returns:
      An `Outcome` of NumPy arrays.
    """
    arrays = inputs.arrays(case)
    with tf1.Graph().as_default():
        weights, biases = _tables(tf1, case, arrays)
        feeds = {
            name: tf1.placeholder(array.dtype.name, open_shape(name, array), name)
            for name, array in sorted(arrays.items())
            if name not in ("weights", "biases")
        }
        sampled_values = tuple(feeds.get(name) for name in SAMPLED_VALUES)
        counts = list(sampled_values[1:])
        if cases.is_drawn(case):
            sampled_values = draw(case, samplers, feeds["labels"])
        tensors = {
            "weights": weights,
            "biases": biases,
            "labels": feeds["labels"],
            "inputs": feeds["inputs"],
            "sampled_values": sampled_values,
        }
        loss = getattr(losses, case.loss)(**dict(loss_arguments(case, api), **tensors))
        sources = [feeds["inputs"]] + _variables(weights) + _variables(biases)
        if has_count_gradients(case, api):
            sources += counts
        gradients = tf1.gradients(tf1.reduce_sum(loss * feeds["upstream"]), sources)
        fetches = [loss] + [_fetch(gradient) for gradient in gradients]
        drawn = _sampler_outputs(tf1) if cases.is_drawn(case) else []
        with tf1.Session() as session:
            session.run(tf1.global_variables_initializer())
            feed_dict = {feeds[name]: arrays[name] for name in feeds}
            values = session.run(fetches + drawn, feed_dict)
    return _outcome(case, values[: len(fetches)], values[len(fetches) :], len(_variables(weights)))


def dense(case, gradients):
    """Sums the pieces' gradients per id, in the layout of the logical table."""
    if len(gradients) == 1:
        return _dense_piece(gradients[0], case.num_classes)
    rows = inputs.piece_rows(case)
    parts = [_dense_piece(gradient, len(ids)) for gradient, ids in zip(gradients, rows)]
    logical = np.empty((case.num_classes,) + parts[0].shape[1:], parts[0].dtype)
    logical[np.concatenate(rows)] = np.concatenate(parts)
    return logical


def _dense_piece(gradient, num_rows):
    if gradient.indices is None:
        return gradient.values
    result = np.zeros((num_rows,) + gradient.values.shape[1:], gradient.values.dtype)
    np.add.at(result, gradient.indices, gradient.values)
    return result


def _tables(tf1, case, arrays):
    if case.table == "partitioned":
        return tuple(_partitioned(tf1, case, arrays, name) for name in ("weights", "biases"))
    weights = [tf1.Variable(piece) for piece in inputs.pieces(case, arrays["weights"])]
    if case.shards == 1 or case.biases == "whole":
        biases = [tf1.Variable(arrays["biases"])]
    else:
        biases = [tf1.Variable(piece) for piece in inputs.pieces(case, arrays["biases"])]
    # A table of one piece is handed over as the variable itself, as users do.
    return tuple(table[0] if len(table) == 1 else table for table in (weights, biases))


def _partitioned(tf1, case, arrays, name):
    array = arrays[name]

    def slice_of_array(shape, dtype=None, partition_info=None):
        start = partition_info.var_offset[0]
        return tf1.constant(array[start : start + int(shape[0])], dtype)

    return tf1.get_variable(
        name,
        shape=array.shape,
        dtype=tf1.float32,
        initializer=slice_of_array,
        partitioner=tf1.fixed_size_partitioner(case.shards),
    )


def _variables(table):
    return list(table) if hasattr(table, "__len__") else [table]


def open_shape(name, array):
    """Returns the shape to trace with: B unknown; S known, as TensorFlow's samplers give it."""
    return array.shape if name.startswith("sampled") else (None,) + array.shape[1:]


def _fetch(gradient):
    return (gradient.indices, gradient.values) if hasattr(gradient, "indices") else gradient


def _sampler_outputs(tf1):
    """The outputs of the one sampler op in the graph, also where the loss itself made it."""
    operations = tf1.get_default_graph().get_operations()
    (sampler,) = [op for op in operations if op.type.endswith("CandidateSampler")]
    return list(sampler.outputs)


def _outcome(case, values, drawn, num_pieces):
    gradients = values[2:]
    num_tables = num_pieces + (1 if case.biases == "whole" else num_pieces)
    tables = [
        PieceGradient(*value) if isinstance(value, tuple) else PieceGradient(None, value)
        for value in gradients[:num_tables]
    ]
    return Outcome(
        loss=values[0],
        inputs_gradient=values[1],
        weights_gradients=tables[:num_pieces],
        biases_gradients=tables[num_pieces:],
        drawn=drawn or None,
        count_gradients=gradients[num_tables:] or None,
    )
