"""The golden values, in eager mode, in `tf.function`s and in v1 graphs, on each implementation."""

import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from golden import cases, inputs, replay, store

IMPLEMENTATIONS = ["composite", "fused"]

# Of the largest |value| of an array: what two float32 summation orders may differ by.
RTOL = 2e-5

# Our twin of each API: the namespace of the losses, and that of the samplers. The golden values of
# two eras are compared with one run where the twin is the same.
TWINS = {
    "compat.v0.nn": ((cases.TF012,), tsc.compat.v0.nn, tsc.compat.v0.nn),
    "compat.v1.nn": ((cases.TF115, cases.TF221_V1), tsc.compat.v1.nn, tsc.compat.v1.nn),
    "contrib.nn": ((cases.TF115_CONTRIB,), tsc.contrib.nn, tsc.compat.v1.nn),
    "nn": ((cases.TF221,), tsc.nn, tsc.random),
}

golden_values = functools.lru_cache(maxsize=None)(store.read)


def assert_close(actual, expected, what):
    """Fails unless two arrays differ by at most RTOL of the largest |expected|."""
    actual = np.asarray(actual)
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, not {expected.shape}"
    assert actual.dtype == expected.dtype, f"{what}: {actual.dtype}, not {expected.dtype}"
    error = np.max(np.abs(actual.astype(np.float64) - expected))
    largest = np.max(np.abs(expected))
    assert error <= RTOL * largest, f"{what}: off by {error:.3g}, largest value {largest:.3g}"


def golden_value(case, api):
    """Returns what the API of its era returned for a case."""
    return golden_values(cases.era_of(api))[store.key(case, api)]


def assert_equals(case, outcome, expected, what, *, exact_counts=True):
    """Fails unless a `replay.Outcome` has the values, draws and gradient kinds of a record."""
    record = store.record(case, outcome)
    assert record["sparse"].tolist() == expected["sparse"].tolist(), f"{what}: gradients' kinds"
    if "sampled" in record.dtype.names:
        np.testing.assert_array_equal(record["sampled"], expected["sampled"], f"{what}: draws")
    assert set(record.dtype.names) >= set(expected.dtype.names) - set(_not_seen(outcome))
    for name in record.dtype.names:
        if name not in ("sparse", "sampled"):
            unit = 1 if exact_counts else _unit(case, name)
            assert_close(unit * record[name], unit * expected[name], f"{what}: {name}")


def _unit(case, name):
    """What to measure a gradient in: for the expected counts, per change of their logarithm.

    The losses depend on log(count). In a graph, TensorFlow 2 rearranges the gradient of its own
    sigmoid cross entropy and so rounds it to 6e-8 of 1, which a count of 1e-6 divides.
    """
    counts = {"true_gradient": "true_expected_count", "sampled_gradient": "sampled_expected_count"}
    return inputs.arrays(case)[counts[name]] if name in counts else 1


def assert_ids_once(outcome):
    """Fails if a piece's IndexedSlices holds an id twice."""
    for piece in outcome.weights_gradients + outcome.biases_gradients:
        if piece.indices is not None:
            assert len(set(piece.indices.tolist())) == len(piece.indices), "an id comes twice"


def _not_seen(outcome):
    """What the default sampler drew shows in a graph only."""
    return () if outcome.drawn else replay.SAMPLED_VALUES


# The three modes.


def run_graph(losses, samplers, case, api):
    """Runs a case in a v1 graph with a session and placeholders."""
    return replay.in_graph(tf.compat.v1, losses, samplers, case, api)


def run_eager(losses, samplers, case, api):
    """Runs a case eagerly, under a gradient tape."""
    # Eager kernels are cached by their attributes, with their seeds' state: start afresh.
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
    """Returns what TensorFlow 1.15's TAPAS gives on the ops of the live TensorFlow."""
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


# The tests.


def _turns(mode):
    """The (case, twin, implementation) of a mode. Tracing is slow: not all of them run there.

    Eager mode runs them all. Functions and graphs run one twin of a case, and the C++ op, whose
    traced ops are the same, in one of the two; whose turn it is varies from case to case. A
    PartitionedVariable exists in v1 graphs only, and there every twin has it.
    """
    for number, case in enumerate(cases.all_cases()):
        twins = [twin for twin, (apis, _, _) in TWINS.items() if set(apis) & set(case.apis)]
        if mode != "graph" and case.table == "partitioned":
            continue
        if mode != "eager" and case.table != "partitioned":
            twins = [twins[(number + (mode == "graph")) % len(twins)]]
        implementations = IMPLEMENTATIONS
        if mode != "eager" and case.table != "partitioned" and number // 2 % 2 == (mode == "graph"):
            implementations = ["composite"]
        for twin, implementation in itertools.product(twins, implementations):
            yield pytest.param(
                case, twin, implementation, id=f"{case.name}-{twin}-{implementation}"
            )


def _run_and_compare(mode, case, twin, implementation):
    apis, losses, samplers = TWINS[twin]
    apis = [api for api in apis if api in case.apis]
    with tsc.implementation(implementation):
        outcome = MODES[mode](losses, samplers, case, apis[0])
    assert_ids_once(outcome)
    for api in apis:
        tied = cases.ties_decide(case)
        expected = live_rank_record(case) if tied else golden_value(case, api)
        exact_counts = mode == "eager" or implementation == "fused"
        assert_equals(case, outcome, expected, api, exact_counts=exact_counts)


@pytest.mark.parametrize(("case", "twin", "implementation"), _turns("eager"))
def test_eager(case, twin, implementation):
    _run_and_compare("eager", case, twin, implementation)


@pytest.mark.parametrize(("case", "twin", "implementation"), _turns("function"))
def test_function(case, twin, implementation):
    _run_and_compare("function", case, twin, implementation)


@pytest.mark.parametrize(("case", "twin", "implementation"), _turns("graph"))
def test_graph(case, twin, implementation):
    _run_and_compare("graph", case, twin, implementation)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name)
        for case in cases.all_cases()
        if case.loss in (cases.SPARSE, cases.RANK) and case.table != "partitioned"
    ],
)
def test_contrib_losses_in_nn(case, implementation):
    with tsc.implementation(implementation):
        outcome = run_eager(tsc.nn, tsc.random, case, cases.TF115_CONTRIB)
    assert_ids_once(outcome)
    tied = cases.ties_decide(case)
    expected = live_rank_record(case) if tied else golden_value(case, cases.TF115_CONTRIB)
    assert_equals(case, outcome, expected, "1.15")


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("mode", MODES)
def test_sparse_loss_of_a_batch_of_one(mode, implementation):
    """TensorFlow 1.15 fails there; the softmax loss with one label is the same number."""
    batch_of_one = [
        case
        for case in cases.all_cases()
        if case.loss == cases.SOFTMAX and case.batch == case.num_true == 1
    ]
    assert batch_of_one
    for case in batch_of_one:
        sparse = case._replace(loss=cases.SPARSE)
        with tsc.implementation(implementation):
            outcome = MODES[mode](tsc.contrib.nn, tsc.compat.v1.nn, sparse, cases.TF115_CONTRIB)
        assert_equals(case, outcome, golden_value(case, cases.TF115), case.name)
