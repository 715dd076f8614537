"""Checks TF 1 graphs in its own process, after `disable_v2_behavior()`; prints each verdict.

    python -m tests.legacy.graphs folder

Each check compares our losses with TensorFlow's own (`tf.nn` of compat.v1) in graphs that are
otherwise equal.
"""

import json
import os
import sys
import traceback

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np
import tensorflow.compat.v1 as tf

import tf_sampled_compat as tsc

tf.disable_v2_behavior()

CLASSES, DIM, BATCH, SAMPLED = 50, 6, 8, 12
STOCK = tf.nn
PARTITIONERS = {
    "whole": None,
    "fixed": tf.fixed_size_partitioner(5),
    "uneven": tf.fixed_size_partitioner(4),
    "min_max": tf.min_max_variable_partitioner(max_partitions=3, min_slice_size=64),
    "axis_size": tf.variable_axis_size_partitioner(max_shard_bytes=17 * 4 * DIM),
}
OPTIMIZERS = {
    "sgd": lambda: tf.train.GradientDescentOptimizer(0.2),
    "adagrad": lambda: tf.train.AdagradOptimizer(0.2),
    "adam": lambda: tf.train.AdamOptimizer(0.02),
    "momentum": lambda: tf.train.MomentumOptimizer(0.1, 0.9),
}
LOSSES = ("sampled_softmax_loss", "nce_loss")


def start(name, *shape):
    """An initializer that gives the requested part of a table."""
    array = np.random.RandomState(len(name)).randn(*shape).astype(np.float32)

    def initializer(shape, dtype=None, partition_info=None):
        offset = partition_info.var_offset if partition_info else [0] * len(shape)
        part = tuple(slice(first, first + size) for first, size in zip(offset, shape))
        return tf.constant(array[part], dtype)

    return initializer


def tables(partitioner="whole", use_resource=False, classes=CLASSES):
    return [
        tf.get_variable(
            name, shape, tf.float32, start(name, *shape), use_resource=use_resource,
            partitioner=PARTITIONERS[partitioner],
        )
        for name, shape in (("weights", [classes, DIM]), ("biases", [classes]))
    ]  # fmt: skip


def batch(step):
    random = np.random.RandomState(100 + step)
    return random.randint(0, CLASSES, (BATCH, 1)), random.randn(BATCH, DIM)


def build(nn, loss="sampled_softmax_loss", optimizer="adagrad", shapes=((None, 1), (None, DIM)),
          partitioner="whole", use_resource=False, **arguments):  # fmt: skip
    """Builds a model with a hidden layer; returns (loss, train op, feeds of a step)."""
    weights, biases = tables(partitioner, use_resource)
    labels = tf.placeholder(tf.int64, shapes[0], "labels")
    inputs = tf.placeholder(tf.float32, shapes[1], "inputs")
    kernel = tf.get_variable("kernel", [DIM, DIM], tf.float32, start("kernel", DIM, DIM))
    negatives = tf.nn.log_uniform_candidate_sampler(labels, 1, SAMPLED, True, CLASSES, seed=5)
    value = tf.reduce_mean(getattr(nn, loss)(
        weights, biases, labels, tf.matmul(inputs, kernel), SAMPLED, CLASSES,
        sampled_values=negatives, **arguments))  # fmt: skip
    step = tf.train.get_or_create_global_step()
    update = OPTIMIZERS[optimizer]().minimize(value, global_step=step)
    return value, update, lambda n: dict(zip((labels, inputs), batch(n)))


def train(nn, steps=4, **arguments):
    """Returns the losses and every variable afterwards, slots included, by name."""
    with tf.Graph().as_default(), tf.Session() as session:
        value, update, feeds = build(nn, **arguments)
        session.run(tf.global_variables_initializer())
        losses = [session.run([value, update], feeds(n))[0] for n in range(steps)]
        variables = {v.name: v for v in tf.global_variables()}
        return losses, session.run(variables)


def same(got, expected, rtol=2e-5):
    """Asserts that nests of arrays are equal, and have the same names."""
    tf.nest.assert_same_structure(got, expected)
    for ours, theirs in zip(tf.nest.flatten(got), tf.nest.flatten(expected)):
        np.testing.assert_allclose(ours, theirs, rtol, rtol * np.abs(theirs).max())


def twins(**arguments):
    ours, stock = train(tsc.compat.v1.nn, **arguments), train(STOCK, **arguments)
    assert len(set(stock[0])) == len(stock[0])
    same(ours, stock)
    return ours


def check_partitioners(folder):
    for use_resource in (False, True):
        for partitioner in PARTITIONERS:
            for strategy in ("mod", "div"):
                loss = LOSSES[strategy == "div"]
                variables = twins(
                    use_resource=use_resource, partitioner=partitioner, loss=loss,
                    partition_strategy=strategy)[1]  # fmt: skip
            pieces = [name for name in variables if name.startswith("weights")]
            assert (len(pieces) > 2) == (partitioner != "whole"), pieces  # each with its slot


def check_optimizers(folder):
    slots = {"sgd": 0, "adagrad": 1, "adam": 2, "momentum": 1}
    for use_resource in (False, True):
        for optimizer, count in slots.items():
            partitioner = "uneven" if use_resource else "fixed"
            variables = twins(
                use_resource=use_resource, optimizer=optimizer, partitioner=partitioner,
                partition_strategy="div")[1]  # fmt: skip
            held = [name for name in variables if name.startswith("weights/part_0")]
            assert len(held) == 1 + count, held


def check_unknown_shapes(folder):
    for shapes in ((None, None), ([None, None], [None, None]), ([BATCH, 1], [BATCH, DIM])):
        for loss in LOSSES:
            twins(loss=loss, shapes=shapes, steps=2)
            twins(loss=loss, shapes=shapes, steps=2, partitioner="uneven", partition_strategy="div")


def check_default_sampler_and_global_seed(folder):
    def draw(nn, **seeds):
        with tf.Graph().as_default(), tf.Session() as session:
            tf.set_random_seed(3)
            weights, biases = tables("uneven")
            labels, inputs = batch(0)
            args = (weights, biases, tf.placeholder_with_default(labels, [None, 1]),
                    tf.cast(inputs, tf.float32), SAMPLED, CLASSES)  # fmt: skip
            fetches = [nn.sampled_softmax_loss(*args, **seeds), nn.nce_loss(*args)]
            session.run(tf.global_variables_initializer())
            return [session.run(fetches) for _ in range(3)]

    same(draw(tsc.compat.v1.nn, seed=4), draw(STOCK, seed=4))


def check_monitored_session(folder):
    """A resumed run trains as an uninterrupted one, and TensorFlow's own graph can resume ours."""

    def run(nn, name, steps):
        losses = []
        with tf.Graph().as_default():
            value, update, feeds = build(nn, partitioner="uneven", optimizer="momentum")
            step = tf.train.get_global_step()
            with tf.train.MonitoredTrainingSession(
                checkpoint_dir=os.path.join(folder, name), save_checkpoint_steps=2,
                hooks=[tf.train.StopAtStepHook(num_steps=steps)], log_step_count_steps=None,
                summary_dir=None, save_summaries_steps=None, save_summaries_secs=None,
            ) as session:  # fmt: skip
                while not session.should_stop():
                    n = session.run(step)
                    losses.append(session.run([value, update], feeds(n))[0])
        return losses

    ours = tsc.compat.v1.nn
    # The sampler op starts again with each session, so all runs stop at the same step.
    assert len(run(ours, "both", 3)) == 3 and len(run(ours, "ours", 3)) == 3
    run(STOCK, "stock", 3)
    expected = run(STOCK, "stock", 3)
    same(run(ours, "ours", 3), expected)
    same(run(STOCK, "both", 3), expected)


def check_saver(folder):
    """A checkpoint of TensorFlow's own graph restores into ours and back, slots included."""
    path = os.path.join(folder, "saver")

    def save(nn):
        with tf.Graph().as_default(), tf.Session() as session:
            value, update, feeds = build(nn, partitioner="fixed", use_resource=True)
            session.run(tf.global_variables_initializer())
            session.run(update, feeds(0))
            return tf.train.Saver().save(session, path)

    def restore(nn, saved, partitioner):
        with tf.Graph().as_default(), tf.Session() as session:
            value, update, feeds = build(nn, partitioner=partitioner, partition_strategy="div")
            tf.train.Saver().restore(session, saved)
            return [session.run([value, update], feeds(n))[0] for n in (1, 2)]

    for writer, reader in ((STOCK, tsc.compat.v1.nn), (tsc.compat.v1.nn, STOCK)):
        saved = save(writer)
        results = [restore(reader, saved, p) for p in ("fixed", "uneven", "whole")]
        # Under "div", differently partitioned variables hold the same table.
        same(results[1:], results[:1] * 2)
        same(results[0], restore(STOCK, saved, "fixed"))


def check_meta_graph(folder):
    """Writes a training graph, which test_graphs.py continues in another process."""
    path = os.path.join(folder, "meta")
    with tf.Graph().as_default():
        value, update, feeds = build(tsc.compat.v1.nn, partitioner="uneven", optimizer="adam")
        for name, item in (("loss", value), ("update", update)):
            tf.add_to_collection(name, item)
        saver = tf.train.Saver()
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(update, feeds(0))
            saver.save(session, path)
        with tf.Session() as session:  # A new session restarts the sampler.
            saver.restore(session, path)
            losses = [session.run([value, update], feeds(n))[0] for n in (1, 2, 3)]
    with open(path + ".meta", "rb") as file:
        graph = tf.MetaGraphDef.FromString(file.read()).graph_def
    assert any("SampledCompat" in node.op for node in graph.node)
    with open(path + ".json", "w") as file:
        json.dump([float(loss) for loss in losses], file)


def check_colocation(folder):
    """Each piece is gathered on its own device, placed by devices or by colocate_with."""
    with tf.Graph().as_default() as graph:
        setter = tf.train.replica_device_setter(ps_tasks=3, worker_device="/job:worker/task:0")
        with tf.device(setter):
            weights, biases = tables("min_max")
            labels, inputs = batch(0)
        tsc.compat.v1.nn.nce_loss(
            weights, biases, labels, tf.cast(inputs, tf.float32), 5, CLASSES,
            partition_strategy="div")  # fmt: skip
        assert not [op.type for op in graph.get_operations() if "SampledCompat" in op.type]
        assert {piece.device for piece in weights} == {f"/job:ps/task:{n}" for n in range(3)}
        gathers = [op for op in graph.get_operations() if op.type.endswith("GatherV2")]
        groups = {group for op in gathers for group in op.colocation_groups()}
        for piece in [*weights, *biases]:
            assert piece.op.colocation_groups()[0] in groups, piece.name
    with tf.Graph().as_default():
        weights, biases = tables()
        with tf.colocate_with(weights):
            loss = tsc.compat.v1.nn.nce_loss(
                weights, biases, labels, tf.cast(inputs, tf.float32), 5, CLASSES
            )
        assert loss.op.colocation_groups() == weights.op.colocation_groups()
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert np.isfinite(session.run(loss)).all()


def check_control_flow(folder):
    """Losses work inside `cond` and `while_loop` of TF 1, with gradients."""

    def run(nn):
        with tf.Graph().as_default(), tf.Session() as session:
            weights, biases = tables("uneven")
            labels, inputs = (tf.constant(x) for x in batch(0))
            inputs = tf.cast(inputs, tf.float32)
            values = (np.arange(9), np.full([BATCH, 1], 0.5, "f"), np.full([9], 0.4, "f"))

            def loss(x):
                return tf.reduce_sum(nn.sampled_softmax_loss(
                    weights, biases, labels, x, 9, CLASSES, sampled_values=values,
                    partition_strategy="div"))  # fmt: skip

            flag = tf.placeholder_with_default(True, [])
            total = tf.cond(flag, lambda: loss(inputs), lambda: tf.constant(0.0))
            total += tf.while_loop(
                lambda i, _: i < 3, lambda i, t: (i + 1, t + loss(inputs / 2.0)), (0, 0.0)
            )[1]
            session.run(tf.global_variables_initializer())
            return session.run([total, tf.gradients(total, inputs)[0]])

    same(run(tsc.compat.v1.nn), run(STOCK))


def check_contrib_and_full(folder):
    """The losses of tf.contrib.nn and the evaluation losses build and run here too."""
    with tf.Graph().as_default(), tf.Session() as session:
        weights, biases = tables("uneven")
        labels = tf.placeholder(tf.int64, [None, 1])
        inputs = tf.placeholder(tf.float32, None)
        args = weights, biases, labels, inputs
        sparse = tsc.contrib.nn.sampled_sparse_softmax_loss(
            *args, SAMPLED, CLASSES, partition_strategy="div"
        )
        ranked = tsc.contrib.nn.rank_sampled_softmax_loss(
            *args, 20, 5, CLASSES, 1, None, 1.0, True, "div"
        )
        full = tsc.nn.full_softmax_loss(*args)
        sigmoid = tsc.nn.full_sigmoid_loss(*args)
        best = tsc.nn.full_top_k(weights, biases, inputs, k=3)
        logits = tf.matmul(inputs, tf.convert_to_tensor(weights), transpose_b=True)
        logits += tf.convert_to_tensor(biases)
        exact = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels[:, 0], logits=logits)
        targets = tf.one_hot(labels[:, 0], CLASSES)
        crosses = tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits)
        session.run(tf.global_variables_initializer())
        feeds = dict(zip((labels, inputs), batch(0)))
        same(
            session.run([full, sigmoid, list(best)], feeds),
            session.run([exact, tf.reduce_sum(crosses, 1), list(tf.math.top_k(logits, 3))], feeds),
        )
        for value in session.run([sparse, ranked], feeds):
            assert value.shape == (BATCH,) and np.isfinite(value).all()


def check_clipping(folder):
    """The norm of the sparse gradients is TensorFlow's, which is not the gradient's own."""
    norms = {}
    for name, nn in (("ours", tsc.compat.v1.nn), ("stock", STOCK)):
        with tf.Graph().as_default(), tf.Session() as session:
            weights, biases = tables()
            values = (np.arange(9), np.full([4, 1], 0.5, "f"), np.full([9], 0.4, "f"))
            labels = np.array([[3], [3], [3], [20]])
            loss = nn.nce_loss(
                weights, biases, labels, tf.ones([4, DIM]), 9, CLASSES, sampled_values=values
            )
            gradients = tf.gradients(loss, [weights, biases])
            dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
            session.run(tf.global_variables_initializer())
            norms[name] = session.run([tf.global_norm(gradients), tf.global_norm(dense)])
    same(norms["ours"], norms["stock"])
    assert abs(norms["stock"][0] / norms["stock"][1] - 1) > 0.01


CHECKS = {name[len("check_") :]: f for name, f in globals().items() if name.startswith("check_")}


def main(folder):
    verdicts = {}
    for name, check in CHECKS.items():
        try:
            check(folder)
            verdicts[name] = "ok"
        except Exception:
            verdicts[name] = traceback.format_exc()
    print(json.dumps(verdicts))


if __name__ == "__main__":
    main(sys.argv[1])
