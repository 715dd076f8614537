"""Models survive saving, and exported models do not depend on this package."""

import functools
import pickle
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.keras.conftest import MODELS, C, D, functional, logits_of


@pytest.mark.parametrize("kind", MODELS)
def test_fit_save_load_evaluate(kerases, kind, batch, tmp_path):
    x, y = batch
    model = MODELS[kind](kerases)
    loss = kerases.ours.losses.SampledSoftmax(10, sampler="uniform", seed=4)
    model.compile("adam", loss, metrics=[kerases.ours.metrics.ExactRecallAtK(7)])
    model.fit(x, y, verbose=0)
    logits, results = logits_of(model, x), model.evaluate(x, y, verbose=0)
    model.save(tmp_path / "m.keras")
    again = kerases.keras.models.load_model(tmp_path / "m.keras")
    assert np.array_equal(logits_of(again, x), logits)
    assert again.evaluate(x, y, verbose=0) == results
    assert again.loss.get_config() == loss.get_config()
    before = again.get_weights()
    again.fit(x, y, verbose=0)
    assert all((a != b).any() for a, b in zip(again.get_weights(), before))


def twice(**arguments):
    return tsc.random.uniform_candidate_sampler(**arguments)


@pytest.mark.parametrize("kind", ["SampledSoftmax", "NCE", "RankSampledSoftmax", "Sparse"])
def test_losses_configs(kerases, kind):
    keras, ours = kerases.keras, kerases.ours.losses
    registered = keras.utils.register_keras_serializable(package="tests", name=kerases.name)(twice)
    fixed = tsc.random.fixed_unigram_candidate_sampler
    unigrams = functools.partial(fixed, unigrams=np.arange(1, C), distortion=0.5)
    for sampler in ("uniform", unigrams, tsc.random.learned_unigram_candidate_sampler, registered):
        options = {"sampler": sampler, "seed": 5, "reduction": "sum", "name": "n"}
        loss = {
            "SampledSoftmax": lambda o: ours.SampledSoftmax(9, num_true=2, **o),
            "NCE": lambda o: ours.NCE(9, remove_accidental_hits=True, **o),
            "RankSampledSoftmax": lambda o: ours.RankSampledSoftmax(
                9, 3, resampling_temperature=0.5, **o
            ),
            "Sparse": lambda o: ours.SampledSparseSoftmax(9, implementation="composite", **o),
        }[kind](options)
        config = keras.losses.serialize(loss)
        again = keras.losses.deserialize(config)
        assert type(again) is type(loss) and again.get_config() == loss.get_config()
        assert again.sampler == loss.sampler and again.reduction == "sum"
    assert ours.SampledSoftmax(9, sampler=unigrams).sampler["name"] == "fixed_unigram"


def test_names_are_registered_and_classes_pickle(kerases):
    ours = kerases.ours
    for module in (ours.layers, ours.losses, ours.metrics):
        for name in module.__all__:
            cls = getattr(module, name)
            assert pickle.loads(pickle.dumps(cls)) is cls
            registered = kerases.keras.utils.get_registered_name(cls)
            assert registered == f"tf_sampled_compat>{name}"


def stock_ops_only(saved_model):
    (meta_graph,) = saved_model.meta_graphs
    graph = meta_graph.graph_def
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    functions = {f.signature.name for f in graph.library.function}
    return {node.op for node in nodes} - functions


LOADER = """
import sys
sys.modules["tf_sampled_compat"] = None  # as where the package is not installed
import numpy as np, tensorflow as tf
model, data = tf.saved_model.load(sys.argv[1]), np.load(sys.argv[2])
(got,) = model.signatures["serving_default"](tf.constant(data["x"])).values()
np.testing.assert_allclose(got, data["logits"], rtol=1e-5, atol=1e-6)
"""


@pytest.mark.parametrize("how", ["export", "tf.saved_model.save"])
def test_what_is_exported_loads_without_this_package(kerases, how, batch, tmp_path):
    x, y = batch
    model = functional(kerases)
    if how == "export" and not hasattr(model, "export"):
        pytest.skip("this Keras has no export")
    model.compile("adam", kerases.ours.losses.SampledSoftmax(10))
    model.fit(x, y, verbose=0)
    np.savez(tmp_path / "data.npz", x=x, logits=logits_of(model, x))
    folder = str(tmp_path / "exported")
    if how == "export":
        model.export(folder)
    else:
        serve = tf.function(lambda x: model(x), input_signature=[tf.TensorSpec([None, D])])
        tf.saved_model.save(model, folder, {"serving_default": serve})
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((tmp_path / "exported" / "saved_model.pb").read_bytes())
    ops = stock_ops_only(saved)
    assert "MatMul" in ops and not any("Sampled" in op or "Candidate" in op for op in ops), ops
    if how != "export":
        return
    result = subprocess.run(
        [sys.executable, "-c", LOADER, folder, str(tmp_path / "data.npz")],
        capture_output=True,
        text=True,
        timeout=120,
        cwd="/",
    )
    assert result.returncode == 0, result.stderr[-2000:]
