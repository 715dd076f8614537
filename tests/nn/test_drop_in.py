"""With `tsc.nn.` for `tf.nn.` nothing else changes: draws, seeds, names, shapes, kinds."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.problems import assert_close, problem
from tf_sampled_compat.core.samplers import tensorflow_kernels

P = problem(C=200, T=2, B=5, S=12)
LOSSES = ["sampled_softmax_loss", "nce_loss"]
v1 = tf.compat.v1


def call(nn, loss, seed=None, labels=None, inputs=None, **options):
    if seed is not None:
        options["seed"] = seed
    return getattr(nn, loss)(
        weights=tf.constant(P.weights), biases=tf.constant(P.biases),
        labels=tf.constant(P.labels) if labels is None else labels,
        inputs=tf.constant(P.inputs) if inputs is None else inputs,
        num_sampled=12, num_classes=200, num_true=2, **options,
    )  # fmt: skip


def in_mode(mode, build):
    """Returns the values of `build()` in eager mode, in a function, or in a v1 graph."""
    tf.random.set_seed(123)  # Also resets cached eager kernels and their state.
    if mode == "eager":
        return [t.numpy() for t in build()]
    if mode == "function":
        return [t.numpy() for t in tf.function(build)()]
    with tf.Graph().as_default() as graph:
        tensors = build()
        with v1.Session(graph=graph) as session:
            return session.run(tensors)


modes = pytest.mark.parametrize("mode", ["eager", "function", "v1 graph"])


@modes
@pytest.mark.parametrize("hits", [True, False])
def test_the_same_op_seed_gives_the_same_loss(mode, hits):
    ours, stock = (
        in_mode(mode, lambda nn=nn: [
            call(nn, "sampled_softmax_loss", seed=7, remove_accidental_hits=hits),
            call(nn, "sampled_softmax_loss", seed=8, remove_accidental_hits=hits),
        ])
        for nn in (tsc.nn, tf.nn)
    )  # fmt: skip
    for a, b in zip(ours, stock):
        assert_close(a, b)


@modes
@pytest.mark.parametrize("hits", [True, False], ids=["hits removed", "hits kept"])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_global_seed_gives_the_same_sequence(mode, hits, loss):
    """Also for draws after the loss: we take as many op seeds as TensorFlow does."""

    def build(nn):
        def run():
            tf.random.set_seed(11)
            first = call(nn, loss, remove_accidental_hits=hits)
            between = tf.random.uniform([3])
            second = call(nn, loss, remove_accidental_hits=hits)
            return [first, between, second, tf.random.normal([3])]

        return run

    for a, b in zip(in_mode(mode, build(tsc.nn)), in_mode(mode, build(tf.nn))):
        assert_close(a, b)


def test_the_seed_keeps_its_place_under_xla_too():
    """There we find the hits ourselves, but also take the op seed of TensorFlow's op."""
    values = tuple(map(tf.constant, P.arguments["sampled_values"]))

    def draw_after(jit):
        tf.random.set_seed(5)

        @tf.function
        def run():
            @tf.function(jit_compile=jit)
            def inner():
                call(tsc.nn, "sampled_softmax_loss", sampled_values=values)
                return tf.compat.v1.get_seed(None)[1]

            return inner()

        return int(run())

    assert draw_after(True) == draw_after(False)


def test_keyword_seed_of_the_losses_that_have_none_in_tensorflow():
    tf.random.set_seed(1)
    values = tf.random.log_uniform_candidate_sampler(P.labels, 2, 12, True, 200, seed=3)
    tf.random.set_seed(1)
    got = call(tsc.nn, "nce_loss", seed=3)
    assert_close(got, call(tf.nn, "nce_loss", sampled_values=values))


SAMPLERS = ["uniform", "log_uniform", "learned_unigram", "fixed_unigram", "all"]


@modes
@pytest.mark.parametrize("unique", [True, False])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_samplers_draw_what_tensorflow_draws(sampler, unique, mode):
    options = {"num_true": 2, "num_sampled": 20, "unique": unique, "seed": 5}
    if sampler != "all":
        options["range_max"] = 20 if unique else 200
    if sampler == "fixed_unigram":
        options["unigrams"] = list(range(1, options["range_max"] + 1))

    def draw(namespace):
        fn = getattr(namespace, f"{sampler}_candidate_sampler")
        return lambda: list(fn(tf.constant(P.labels % 20), **options))

    for a, b in zip(in_mode(mode, draw(tsc.random)), in_mode(mode, draw(tf.random))):
        assert np.array_equal(a, b)


@modes
def test_accidental_hits_are_tensorflows(mode):
    """With every class as a candidate, each label is a hit in its own row."""
    labels = np.array([[1, 2], [0, 4], [3, 3]])

    def find(namespace):
        def run():
            candidates, _, _ = namespace.all_candidate_sampler(labels, 2, 5, True)
            return list(namespace.compute_accidental_hits(labels, candidates, 2))

        return run

    rows, ids, weights = in_mode(mode, find(tsc.compat.v1.nn))
    for ours, stock in zip((rows, ids, weights), in_mode(mode, find(v1.nn))):
        assert np.array_equal(ours, stock) and ours.ndim == 1
    assert set(zip(rows, ids)) == {(0, 1), (0, 2), (1, 0), (1, 4), (2, 3)}
    assert (weights < -1e37).all()


@modes
def test_learned_sampler_learns_as_tensorflows_does(mode):
    def draws(namespace):
        def run():
            results, labels = [], tf.constant(P.labels % 20)
            for _ in range(3):
                with tf.control_dependencies(results):
                    sampler = namespace.learned_unigram_candidate_sampler
                    results += sampler(labels, 2, 5, True, 20, seed=4)
            return results

        return run

    got, want = in_mode(mode, draws(tsc.random)), in_mode(mode, draws(tf.random))
    for a, b in zip(got, want):
        assert np.array_equal(a, b)


def test_fixed_unigram_reads_a_vocabulary(tmp_path):
    path = tmp_path / "vocabulary"
    path.write_text("".join(f"word{i},{i + 1}\n" for i in range(30)))
    options = {"vocab_file": str(path), "distortion": 0.75, "seed": 3}
    got, want = (
        in_mode(
            "eager",
            lambda r=r: list(r.fixed_unigram_candidate_sampler([[1]], 1, 10, True, 30, **options)),
        )
        for r in (tsc.random, tf.random)
    )
    for a, b in zip(got, want):
        assert np.array_equal(a, b)


def names_in_graph(nn, loss, name):
    with tf.Graph().as_default() as graph:
        for _ in range(2):
            call(nn, loss, name=name)
        return {op.name.split("/")[0] for op in graph.get_operations() if "/" in op.name}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", ["mine", None])
def test_name_scopes(loss, name):
    """All ops but the result's are in TensorFlow's scope; a second call gets the next name.

    test_result_names.py tests the name of the result.
    """
    scope = name or "compute_sampled_logits"
    ours = names_in_graph(tsc.nn, loss, name)
    result = "softmax_cross_entropy_with_logits"
    assert ours - {result, f"{result}_1"} == {scope, f"{scope}_1"}
    assert ours <= names_in_graph(tf.nn, loss, name)


def test_name_scope_of_tapas():
    with tf.Graph().as_default() as graph:
        tsc.contrib.nn.rank_sampled_softmax_loss(
            P.weights, P.biases, P.labels, P.inputs, 12, 4, 200, 2, None, 1.0, True, "div"
        )
        scopes = {op.name.split("/")[0] for op in graph.get_operations() if "/" in op.name}
    assert scopes == {"rank_sampled_softmax_loss"}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("batch", [5, None])
def test_shapes_known_while_tracing(loss, batch):
    shapes = {}
    for nn in (tf.nn, tsc.nn):

        @tf.function(
            input_signature=[
                tf.TensorSpec([batch, 2], tf.int64), tf.TensorSpec([batch, 8], tf.float32)
            ]
        )  # fmt: skip
        def traced(labels, inputs, nn=nn):
            value = call(nn, loss, labels=labels, inputs=inputs)
            shapes[nn] = value.shape
            return value

        traced.get_concrete_function()
    assert shapes[tsc.nn].as_list() == [batch]
    assert shapes[tf.nn].is_compatible_with(shapes[tsc.nn])


@pytest.mark.parametrize("loss", LOSSES)
def test_placeholders_of_unknown_shape(loss):
    with tf.Graph().as_default() as graph:
        labels, inputs = v1.placeholder(tf.int64), v1.placeholder(tf.float32)
        w = v1.get_variable("w", initializer=P.weights, use_resource=False)
        b = v1.get_variable("b", initializer=P.biases, use_resource=True)
        tensors = []
        for nn in (tsc.compat.v1.nn, v1.nn):
            value = getattr(nn, loss)(w, b, labels, inputs, 12, 200, 2,
                                      sampled_values=P.arguments["sampled_values"])  # fmt: skip
            gradients = tf.compat.v1.gradients(value, [w, b, inputs])
            assert [isinstance(g, tf.IndexedSlices) for g in gradients] == [True, True, False]
            tensors.append([value, *map(tf.convert_to_tensor, gradients)])
        with v1.Session(graph=graph) as session:
            session.run(v1.global_variables_initializer())
            ours, stock = session.run(tensors, {labels: P.labels, inputs: P.inputs})
    for a, b in zip(ours, stock):
        assert_close(a, b)


@pytest.mark.parametrize("how", ["fused", "composite"])
@pytest.mark.parametrize("given", [True, False], ids=["given", "drawn"])
def test_no_gradient_reaches_the_counts(how, given, monkeypatch):
    counts = tf.constant(P.true_count), tf.constant(P.sampled_count)
    if not given:  # The sampler's counts, made to depend on a variable.
        scale = tf.ones([])
        drawn = tensorflow_kernels.SampledValues(tf.constant(P.sampled), *counts)
        scaled = lambda *_, **__: drawn._replace(true_expected_count=counts[0] * scale)  # noqa: E731
        monkeypatch.setattr(tensorflow_kernels, "log_uniform_candidate_sampler", scaled)
    values = (P.sampled, *counts) if given else None
    watched = [*counts] if given else [scale]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        loss = tsc.nn.nce_loss(
            P.weights, P.biases, P.labels, P.inputs,
            **{**P.arguments, "sampled_values": values}, implementation=how,
        )  # fmt: skip
    assert tape.gradient(loss, watched) == [None] * len(watched)


def test_implementation_is_chosen_by_argument_context_and_environment(monkeypatch):
    def run(**options):
        return call(tsc.nn, "nce_loss", sampled_values=P.arguments["sampled_values"], **options)

    want = run()
    with tsc.implementation("composite"):
        assert_close(run(), want)
    with tsc.implementation("composite"), tsc.implementation(None):
        assert_close(run(), want)
    monkeypatch.setenv("TF_SAMPLED_COMPAT_IMPLEMENTATION", "nonsense")
    with pytest.raises(ValueError, match="TF_SAMPLED_COMPAT_IMPLEMENTATION.*'nonsense'"):
        run()
    assert_close(run(implementation="composite"), want)
    with pytest.raises(ValueError, match="implementation: expected 'fused', 'composite' or None"):
        run(implementation="quick")


@pytest.mark.parametrize("loss", LOSSES)
def test_candidates_whose_rank_only_the_run_knows(loss, implementation):
    counts = P.true_count, P.sampled_count

    @tf.function(input_signature=[tf.TensorSpec(None, tf.int64)])
    def ours(sampled):
        return call(tsc.nn, loss, sampled_values=(sampled, *counts))

    stock = call(tf.nn, loss, sampled_values=(P.sampled, *counts))
    assert_close(ours(tf.constant(P.sampled)), stock)
