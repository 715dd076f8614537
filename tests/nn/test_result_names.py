"""In a graph a loss has the name that TensorFlow's loss has, whatever `name` is."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc

tf1 = tf.compat.v1
NAMES = {"default": {}, "given": {"name": "mine"}, "none": {"name": None}}
SPARSE = "SparseSoftmaxCrossEntropyWithLogits"
SOFTMAX = "softmax_cross_entropy_with_logits"
# What TensorFlow 1.15.5's `tf.contrib.nn` and 0.12.1's `tf.nn` gave, whatever `name` was: of two
# calls, and of a third in the scope "outer". TAPAS's name scope is `name`.
RECORDED = {
    ("contrib", "sampled_sparse_softmax_loss"): [
        f"{SPARSE}/{SPARSE}", f"{SPARSE}_1/{SPARSE}", f"outer/{SPARSE}/{SPARSE}",
    ],
    ("contrib", "rank_sampled_softmax_loss"): [
        f"{{}}/{SOFTMAX}/Reshape_2", f"{{}}_1/{SOFTMAX}/Reshape_2",
        f"outer/{{}}/{SOFTMAX}/Reshape_2",
    ],
    ("v0", "sampled_softmax_loss"): ["Reshape_2", "Reshape_5", "outer/Reshape_2"],
    ("v0", "nce_loss"): ["Reshape", "Reshape_1", "outer/Reshape"],
}  # fmt: skip
OURS = {"v0": tsc.compat.v0.nn, "contrib": tsc.contrib.nn}
TAPAS = {
    "num_true": 1,
    "num_resampled": 3,
    "sampled_values": None,
    "resampling_temperature": 1.0,
    "remove_accidental_hits": True,
    "partition_strategy": "div",
}


def call(loss, dtype="float32", draws=False, batch=None, **options):
    """Calls a loss in the default graph, on tensors in a scope of their own."""
    with tf1.name_scope("tensors"):
        weights, biases = (tf1.placeholder(tf.float32, shape) for shape in ([50, 8], [50]))
        labels, inputs = tf1.placeholder(tf.int64, [batch, 1]), tf1.placeholder(dtype, [4, 8])
        if draws:
            values = tf.random.uniform_candidate_sampler(labels, 1, 5, True, 50)
            options["sampled_values"] = values
    if loss.__name__ == "rank_sampled_softmax_loss":
        options = {**TAPAS, **options}
    return loss(
        weights=weights, biases=biases, labels=labels, inputs=inputs, num_sampled=5,
        num_classes=50, **options,
    )  # fmt: skip


def names(loss, **options):
    """The names of two losses, and of one in a scope; each is found again by it."""
    with tf.Graph().as_default() as graph:
        losses = [call(loss, **options) for _ in range(2)]
        with tf1.name_scope("outer"):
            losses.append(call(loss, **options))
    for each in losses:
        assert graph.get_tensor_by_name(each.name) is each and each.name.endswith(":0")
        assert each.shape.as_list() == [4]
    return [each.op.name for each in losses]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("hits", [True, False])
@pytest.mark.parametrize("draws", [False, True])
@pytest.mark.parametrize("loss", ["sampled_softmax_loss", "nce_loss"])
@pytest.mark.parametrize("era", ["v1", "v2"])
def test_it_is_tensorflows(era, loss, draws, hits, name, implementation):
    options = {**NAMES[name], "draws": draws, "remove_accidental_hits": hits}
    stock, ours = (tf1.nn, tsc.compat.v1.nn) if era == "v1" else (tf.nn, tsc.nn)
    assert names(getattr(ours, loss), **options) == names(getattr(stock, loss), **options)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("namespace, loss", RECORDED)
def test_it_is_the_old_tensorflows(namespace, loss, name, implementation):
    scope = NAMES[name].get("name") or loss
    expected = [each.format(scope) for each in RECORDED[namespace, loss]]
    assert names(getattr(OURS[namespace], loss), **NAMES[name]) == expected


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize("loss", ["sampled_softmax_loss", "nce_loss"])
def test_it_is_the_same_in_other_dtypes(loss, dtype, implementation):
    """TensorFlow's own losses take float32 alone."""
    loss = getattr(tsc.compat.v1.nn, loss)
    assert names(loss, dtype=dtype) == names(loss)


@pytest.mark.parametrize("loss", ["sampled_softmax_loss", "nce_loss"])
def test_it_is_the_same_where_the_batch_is_known_late(loss, implementation):
    assert names(getattr(tsc.nn, loss), batch=4) == names(getattr(tsc.nn, loss), batch=None)


@pytest.mark.parametrize(
    "loss, result",
    {"sampled_softmax_loss": f"{SOFTMAX}/Reshape_2:0", "nce_loss": "Reshape:0"}.items(),
)
def test_an_imported_graph_computes_it_by_its_name(loss, result, implementation):
    p = np.random.default_rng(3)
    feeds = {"w": p.normal(size=(50, 8)), "b": p.normal(size=50), "x": p.normal(size=(4, 8))}
    with tf.Graph().as_default() as graph:
        given = {key: tf1.placeholder(tf.float32, value.shape, key) for key, value in feeds.items()}
        sampled = tf.constant([1, 2, 3]), tf.ones([4, 1]), tf.ones([3])
        getattr(tsc.compat.v1.nn, loss)(
            given["w"], given["b"], tf.constant([[1], [4], [6], [9]]), given["x"], 3, 50,
            sampled_values=sampled,
        )  # fmt: skip
    with tf.Graph().as_default(), tf1.Session() as session:
        tf.import_graph_def(graph.as_graph_def(), name="")
        got = session.run(result, {f"{key}:0": value for key, value in feeds.items()})
    assert got.shape == (4,) and np.isfinite(got).all()
