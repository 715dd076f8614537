"""What is exported holds TensorFlow's ops, unless the C++ op is asked for by name."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import tf_sampled_compat as tsc

B, C, D, K = 4, 30, 6, 3
SPECS = [tf.TensorSpec([None, 1], tf.int64), tf.TensorSpec([None, D])]
LABELS, INPUTS = tf.constant([[1], [2], [3], [4]], tf.int64), tf.ones([B, D])


def top_k(weights, biases, labels, inputs, **options):
    return tsc.nn.full_top_k(weights, biases, inputs, K, **options)


def sampled(weights, biases, labels, inputs, **options):
    return tsc.nn.sampled_softmax_loss(weights, biases, labels, inputs, 5, C, **options)


def stateless(weights, biases, labels, inputs, **options):
    values = tsc.random.stateless_uniform_candidate_sampler(labels, 1, 5, True, C, [1, 2])
    return sampled(weights, biases, labels, inputs, sampled_values=values, **options)


def in_batch(weights, biases, labels, inputs, **options):
    return tsc.nn.in_batch_softmax_loss(inputs, inputs * 2, labels[:, 0], **options)


FUNCTIONS = {
    "full_top_k": top_k,
    "full_softmax_loss": tsc.nn.full_softmax_loss,
    "full_sigmoid_loss": tsc.nn.full_sigmoid_loss,
    "sampled_softmax_loss": sampled,
    "a stateless sampler": stateless,
    "in_batch_softmax_loss": in_batch,
}


class Server(tf.Module):
    def __init__(self, compute, with_signature=True, **options):
        super().__init__()
        self.weights = tf.Variable(tf.reshape(tf.range(C * D, dtype=tf.float32), [C, D]) / (C * D))
        self.biases = tf.Variable(tf.zeros([C]))

        def serve(labels, inputs):
            return compute(self.weights, self.biases, labels, inputs, **options)

        self.serve = tf.function(serve, input_signature=SPECS if with_signature else None)


def our_ops(folder):
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    (meta_graph,) = saved.meta_graphs
    graph = meta_graph.graph_def
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    return {node.op for node in nodes if node.op.startswith("SampledCompat>")}


@pytest.mark.parametrize("with_signature", [True, False])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_was_called_before(name, with_signature, tmp_path):
    """TensorFlow traces it anew while it saves it."""
    server = Server(FUNCTIONS[name], with_signature)
    with tsc.explain() as calls:
        before = server.serve(LABELS, INPUTS)
    assert calls[0].implementation == "fused"  # Elsewhere a graph has the C++ op.
    tf.saved_model.save(server, str(tmp_path))
    assert our_ops(tmp_path) == set()
    loaded = tf.saved_model.load(str(tmp_path))
    after = loaded.serve(LABELS, INPUTS)
    if name != "sampled_softmax_loss":  # This one draws anew.
        for got, want in zip(tf.nest.flatten(after), tf.nest.flatten(before)):
            np.testing.assert_allclose(got, want, rtol=1e-5)
    with tsc.explain() as calls:
        tf.function(lambda: FUNCTIONS[name](server.weights, server.biases, LABELS, INPUTS))()
    assert calls[0].implementation == "fused"


@pytest.mark.parametrize("called", [True, False])
def test_a_signature(called, tmp_path):
    server = Server(lambda *tensors: {"ids": top_k(*tensors)[1]})
    if called:
        server.serve(LABELS, INPUTS)
    tf.saved_model.save(server, str(tmp_path), signatures=server.serve)
    assert our_ops(tmp_path) == set()


@pytest.mark.parametrize("package", ["keras", "tf_keras"])
@pytest.mark.parametrize("called", [True, False])
def test_an_export_archive(package, called, tmp_path):
    export = getattr(pytest.importorskip(package), "export", None)
    if export is None:
        pytest.skip("this Keras has no ExportArchive")
    server, archive = Server(top_k, with_signature=False), export.ExportArchive()
    archive.track(server)
    if called:
        server.serve(LABELS, INPUTS)
        archive.add_endpoint("serve", server.serve)
    else:
        archive.add_endpoint("serve", server.serve, input_signature=SPECS)
    archive.write_out(str(tmp_path))
    assert our_ops(tmp_path) == set()


def test_the_op_is_exported_if_it_is_asked_for(tmp_path):
    by_argument = Server(top_k, implementation="fused")
    by_block = Server(top_k)
    for server in (by_argument, by_block):
        folder = tmp_path / str(server is by_block)
        with tsc.implementation("fused" if server is by_block else None):
            tf.saved_model.save(server, str(folder))
        assert our_ops(folder) == {"SampledCompat>FullTopK"}


def test_a_samplers_op_is_exported_if_it_is_asked_for(tmp_path):
    with tsc.implementation("fused"):
        tf.saved_model.save(Server(stateless), str(tmp_path))
    assert "SampledCompat>StatelessDraws" in our_ops(tmp_path)


def test_a_concrete_function_is_saved_as_it_was_traced(tmp_path):
    """TensorFlow does not trace it anew, and says nothing before: the recipe of docs/serving.md."""
    server = Server(top_k)
    with tsc.implementation("composite"):
        serve = server.serve.get_concrete_function()
    module = tf.Module()
    module.weights, module.biases = server.weights, server.biases
    tf.saved_model.save(module, str(tmp_path / "recipe"), {"serving_default": serve_ids(serve)})
    assert our_ops(tmp_path / "recipe") == set()


def serve_ids(concrete):
    serve = tf.function(lambda labels, inputs: {"ids": concrete(labels, inputs)[1]}, SPECS)
    return serve.get_concrete_function()


def test_the_reason_is_explained(tmp_path):
    with tsc.explain() as calls:
        tf.saved_model.save(Server(top_k), str(tmp_path))
    assert {call.implementation for call in calls} == {"composite"}
    assert "exported" in calls[0].reason
