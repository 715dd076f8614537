"""What a model exports holds TensorFlow's ops alone, unless the C++ op is asked for by name."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.eager import context

import tf_sampled_compat as tsc
from tests.keras.conftest import C, D, head_of, logits_of, sequential

K = 5
OP = "SampledCompat>FullTopK"

LOADER = """
import sys
sys.modules["tf_sampled_compat"] = None  # as where the package is not installed
import numpy as np, tensorflow as tf
data = np.load(sys.argv[1])
for folder in sys.argv[2:]:
    serve = tf.saved_model.load(folder).signatures["serving_default"]
    given = {name: tf.constant(data[name]) for name in serve.structured_input_signature[1]
             if name in data}
    if not given:  # Keras 3 names a lone input by itself.
        (name,) = serve.structured_input_signature[1]
        given = {name: tf.constant(data["x"])}
    found = serve(**given).values()
    ids = next(value for value in found if value.dtype == tf.int64)
    want = data["ids_of_seen"] if "seen" in given else data["ids"]
    np.testing.assert_array_equal(ids, want)
"""


def ops_in(folder):
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    (meta_graph,) = saved.meta_graphs
    graph = meta_graph.graph_def
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    return {node.op for node in nodes}


def trained(kerases, batch):
    model = sequential(kerases)
    model.compile("adam", kerases.ours.losses.SampledSoftmax(10))
    model.fit(*batch, verbose=0)
    return model


def a_model_that_calls_top_k(kerases, trained, **options):
    class Server(kerases.keras.Model):
        def __init__(self):
            super().__init__()
            self.trained = trained

        def call(self, inputs):
            hidden, head = trained.layers
            return head.top_k(hidden(inputs), K, **options)

    return Server()


def functional_server(kerases, trained, width=None, **options):
    hidden, head = trained.layers
    x = kerases.keras.Input([D], name="x")
    seen = kerases.keras.Input([width], dtype="int64", name="seen")
    layer = kerases.ours.layers.TopK(head, K, **options)
    return kerases.keras.Model({"x": x, "seen": seen}, list(layer(hidden(x), exclude=seen)))


def signature(model):
    spec = [tf.TensorSpec([None, D], tf.float32, name="x")]
    return tf.function(lambda x: dict(zip("vi", model(x))), input_signature=spec)


def test_what_is_exported_loads_without_this_package(kerases, batch, tmp_path):
    """By Keras's export and by TensorFlow's, also of a function that has been traced before."""
    x = batch[0]
    model = trained(kerases, batch)
    seen = np.random.RandomState(1).randint(-1, C, (len(x), 3))
    logits = logits_of(model, x)
    without = np.array(logits)
    for row, ids in zip(without, seen):
        row[ids[ids >= 0]] = -np.inf
    folders = [tmp_path / name for name in ("a", "b", "c")]
    caller, server = a_model_that_calls_top_k(kerases, model), functional_server(kerases, model)
    caller(x), caller.predict(x, verbose=0)
    caller.export(folders[0]) if kerases.is_3 else caller.save(folders[0], save_format="tf")
    server.export(folders[1])
    serve = signature(caller)
    serve(x)
    tf.saved_model.save(caller, str(folders[2]), {"serving_default": serve})
    for folder in folders:
        assert not [op for op in ops_in(folder) if "Sampled" in op]
    np.savez(
        tmp_path / "data.npz",
        x=x,
        seen=seen,
        ids=np.argsort(-logits, axis=1, kind="stable")[:, :K],
        ids_of_seen=np.argsort(-without, axis=1, kind="stable")[:, :K],
    )
    result = subprocess.run(
        [sys.executable, "-c", LOADER, str(tmp_path / "data.npz"), *map(str, folders)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd="/",
    )
    assert result.returncode == 0, result.stderr[-2000:]


def test_the_op_is_exported_if_it_is_asked_for(kerases, batch, tmp_path):
    model = trained(kerases, batch)
    by_argument = a_model_that_calls_top_k(kerases, model, implementation="fused")
    by_layer = functional_server(kerases, model, implementation="fused")
    by_block = a_model_that_calls_top_k(kerases, model)
    for number, server in enumerate((by_argument, by_layer, by_block)):
        folder = tmp_path / str(number)
        if server is by_layer:
            server.export(folder)
        else:
            with tsc.implementation("fused" if server is by_block else None):
                tf.saved_model.save(server, str(folder), {"serving_default": signature(server)})
        assert OP in ops_in(folder)


def executed(run):
    context.enable_run_metadata()
    try:
        run()
        metadata = context.export_run_metadata()
    finally:
        context.disable_run_metadata()
    graphs = [graph for graphs in metadata.function_graphs for graph in graphs.partition_graphs]
    functions = [function for graph in graphs for function in graph.library.function]
    nodes = [node for graph in graphs for node in graph.node]
    return {node.op for node in nodes + [n for f in functions for n in f.node_def]}


def test_predict_runs_the_op(kerases, batch):
    """Steps of Keras are not exported, so they are as fast as a call outside a graph."""
    model = trained(kerases, batch)
    for steps in (1, 2):
        server = a_model_that_calls_top_k(kerases, model)
        server.compile(steps_per_execution=steps)
        x = tf.data.Dataset.from_tensors(batch[0]).repeat(2)
        assert OP in executed(lambda: server.predict(x, verbose=0))  # noqa: B023


def test_the_choice_is_explained(kerases, batch):
    head = head_of(trained(kerases, batch))
    hidden = tf.ones([3, 16])
    with tsc.explain() as calls:
        tf.function(lambda: head.top_k(hidden, K))()
        head.top_k(hidden, K)
    in_a_graph, outside = calls
    assert in_a_graph.implementation == "composite"
    assert "the graph is or may be exported" in in_a_graph.reason
    assert outside.implementation == "fused"


def test_tflite(kerases, batch, tmp_path):
    lite = getattr(tf, "lite", None)
    if lite is None:
        pytest.skip("this TensorFlow has no tf.lite")
    x = batch[0][:4]
    model = trained(kerases, batch)
    server = functional_server(kerases, model, width=3)
    seen = np.array([[1, 2, 3]] * 4)
    server.export(tmp_path / "exported")
    converted = lite.TFLiteConverter.from_saved_model(str(tmp_path / "exported")).convert()
    serve = lite.Interpreter(model_content=converted).get_signature_runner()
    found = serve(x=x, seen=seen)
    ids = next(value for value in found.values() if value.dtype == np.int64)
    want = server.predict({"x": x, "seen": seen}, verbose=0)[1]
    np.testing.assert_array_equal(ids, want)
