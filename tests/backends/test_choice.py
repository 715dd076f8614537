"""The choice of the implementation: the rules, and their effect in traced graphs."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.problems import assert_close, problem
from tf_sampled_compat.core.backends import library, setting
from tf_sampled_compat.core.backends.choice import Call, doubt, obstacle, path
from tf_sampled_compat.core.tf import private

P = problem()
LOSSES = {
    "softmax": tsc.nn.sampled_softmax_loss,
    "nce": tsc.nn.nce_loss,
    "sparse": tsc.nn.sampled_sparse_softmax_loss,
    "rank": lambda *args, **kwargs: tsc.nn.rank_sampled_softmax_loss(
        *args, num_resampled=4, **kwargs
    ),
}
TABLES = (tf.constant(P.weights), tf.constant(P.biases))
FUSED = [
    Call(),
    *(Call(dtypes=frozenset({a, b})) for a, b in itertools.product(
        ("float32", "float64", "float16", "bfloat16"), repeat=2)),
    Call(devices=frozenset()),
]  # fmt: skip
CANNOT = [
    (Call(compiled=True), "XLA"),
    (Call(devices=frozenset({"GPU"})), "on a GPU"),
    (Call(devices=frozenset({"TPU"})), "on a TPU"),
    (Call(devices=frozenset({"CPU", "GPU"})), "on a GPU"),
    (Call(devices=frozenset({"XLA_CPU"})), "on a XLA_CPU"),
    (Call(dtypes=frozenset({"float8_e4m3fn", "float32"})), "no kernel for float8_e4m3fn"),
    (Call(dtypes=frozenset({"complex64"})), "no kernel for complex64"),
    (Call(counts_by_row=True), "row to row"),
    # Of several reasons the first is told.
    (Call(compiled=True, devices=frozenset({"GPU"}), counts_by_row=True), "XLA"),
]
RATHER_NOT = [(Call(remote=True), "tsc.load_ops"), (Call(vectorized=True), "vectorized_map")]


@pytest.mark.parametrize("call", FUSED)
def test_fused(call):
    assert obstacle(call) is None and doubt(call) is None
    assert path(call) == ("fused", None)


@pytest.mark.parametrize(("call", "why"), CANNOT)
def test_cannot(call, why):
    assert why in obstacle(call)
    assert path(call) == ("composite", obstacle(call))


@pytest.mark.parametrize(("call", "why"), RATHER_NOT)
def test_only_if_asked_to(call, why):
    assert obstacle(call) is None and why in doubt(call)
    assert path(call) == ("composite", doubt(call))


def test_what_cannot_be_fused_loads_nothing(monkeypatch):
    monkeypatch.setattr(library, "missing", lambda: pytest.fail("it was loaded"))
    for call, _ in [*CANNOT, *RATHER_NOT]:
        assert path(call)[0] == "composite"


class Piece:
    def __init__(self, device):
        self.device = device


@pytest.mark.parametrize(
    ("device", "kind", "remote"),
    [
        ("/job:localhost/replica:0/task:0/device:CPU:0", "CPU", False),
        ("/job:localhost/replica:0/task:0/device:GPU:3", "GPU", False),
        ("/device:TPU:0", "TPU", False),
        ("/job:ps/replica:0/task:1/device:CPU:0", "CPU", True),
        ("/job:ps/task:1", "CPU", True),
        ("/job:worker/replica:0/task:1/device:CPU:0", "CPU", False),
        ("", "CPU", False),
        (None, "CPU", False),
    ],
)
def test_devices(device, kind, remote):
    assert private.device_type(Piece(device)) == kind
    assert private.is_on_parameter_server(Piece(device)) == remote


def test_a_table_without_a_device_goes_where_tensorflow_puts_it(monkeypatch):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: ["one"])
    assert private.device_type(Piece("")) == "GPU"


def op_types(graph):
    """Returns the types of the ops of a graph and of the functions in it."""
    functions = graph.as_graph_def().library.function
    nodes = [n.op for f in functions for n in f.node_def]
    return {*(op.type for op in graph.get_operations()), *nodes}


def traced(call, **options):
    function = tf.function(call, autograph=False, **options)
    # A function for XLA can be traced here even if it cannot run.
    return {t for t in op_types(function.get_concrete_function().graph) if "SampledCompat" in t}


def loss_and_gradient(loss, *tables, **options):
    with tf.GradientTape() as tape:
        x = tf.constant(P.inputs)
        tape.watch(x)
        options = {"num_sampled": 10, "num_classes": 50, **options}
        value = LOSSES[loss](*(tables or TABLES), P.labels, x, **options)
    return value, tape.gradient(value, x)


OPS = {"SampledCompat>Plan", "SampledCompat>SampledLoss", "SampledCompat>SampledLossGrad"}
CHECKED = {"SampledCompat>LogOffset"}  # The labels are constants here, checked while tracing.


@pytest.mark.parametrize("loss", LOSSES)
def test_a_call_of_the_default_kind_is_fused(loss):
    first_pass = {"SampledCompat>TapasScores"} if loss == "rank" else set()
    assert traced(lambda: loss_and_gradient(loss)) == OPS | CHECKED | first_pass


@pytest.mark.parametrize("loss", LOSSES)
def test_composite_and_compiled_calls_hold_stock_ops_only(loss):
    assert not traced(lambda: loss_and_gradient(loss, implementation="composite"))
    values = P.arguments["sampled_values"]
    assert not traced(lambda: loss_and_gradient(loss, sampled_values=values), jit_compile=True)


def test_a_ref_variable_of_tensorflow_1_is_fused():
    """Its dtype is float32_ref."""
    with tf.Graph().as_default() as graph:
        tables = [tf.compat.v1.Variable(a, use_resource=False) for a in (P.weights, P.biases)]
        loss_and_gradient("softmax", *tables)
        assert OPS <= op_types(graph)


def test_a_function_inside_a_compiled_one_is_compiled():
    inner = tf.function(lambda: loss_and_gradient("softmax"))
    assert not traced(lambda: inner(), jit_compile=True)


def test_a_table_on_a_gpu_is_composite(monkeypatch):
    """TensorFlow places tables on a GPU if there is one; the device's name is enough here."""
    monkeypatch.setattr(private, "device_type", lambda piece: "GPU")
    assert not traced(lambda: loss_and_gradient("softmax"))
    with pytest.raises(RuntimeError, match="fused.* the table is on a GPU"):
        loss_and_gradient("softmax", implementation="fused")


def test_expected_counts_by_row_are_composite():
    sampled, true_count, count = P.arguments["sampled_values"]
    by_row = (sampled, true_count, np.tile(count, [6, 1]))
    assert not traced(lambda: loss_and_gradient("softmax", sampled_values=by_row))
    one_row = (sampled, true_count, count[None])
    assert traced(lambda: loss_and_gradient("softmax", sampled_values=one_row)) == OPS


def test_a_table_on_a_parameter_server_is_composite_unless_asked():
    with tf.Graph().as_default() as graph:
        with tf.device("/job:ps/task:0/cpu:0"):
            tables = [tf.compat.v1.placeholder(tf.float32, s) for s in ([50, 8], [50])]
        loss_and_gradient("rank", *tables)
        assert not any("SampledCompat" in t for t in op_types(graph))
        loss_and_gradient("rank", *tables, implementation="fused")
        assert any("SampledCompat" in t for t in op_types(graph))


@pytest.mark.parametrize("fallback", [False, True])
def test_vectorized_map_needs_no_loop(fallback):
    """TensorFlow's losses need none either. In a function, the body is traced in an inner graph."""

    def loss(x):
        values = P.arguments
        return tsc.nn.sampled_softmax_loss(P.weights, P.biases, P.labels, x, **values)

    stack = tf.stack([P.inputs, -P.inputs])
    want = [loss(x) for x in stack]
    for body in (loss, tf.function(loss)):
        assert_close(tf.vectorized_map(body, stack, fallback_to_while_loop=fallback), want)


def test_the_name_asked_for_wins(monkeypatch):
    fused = lambda **o: bool(traced(lambda: loss_and_gradient("nce", **o)))  # noqa: E731
    monkeypatch.setenv(setting.ENVIRONMENT_VARIABLE, "composite")
    assert not fused() and fused(implementation="fused")
    with tsc.implementation("fused"):
        assert fused() and not fused(implementation="composite")
        with tsc.implementation(None):
            assert not fused()
    monkeypatch.setenv(setting.ENVIRONMENT_VARIABLE, "quick")
    with pytest.raises(ValueError, match="TF_SAMPLED_COMPAT_IMPLEMENTATION.*'quick'"):
        fused()
    with pytest.raises(ValueError, match="implementation.*'quick'"):
        fused(implementation="quick")
