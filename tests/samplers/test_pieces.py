"""Long draws are loops of short ones: the same classes, and an end between any two of them."""

import functools
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests import naive_draws
from tf_sampled_compat.core.backends import library
from tf_sampled_compat.core.samplers import law, pieces

MODES = ["eager", "graph", "composite", "composite graph"]
fused = pytest.mark.skipif(library.missing() is not None, reason="no C++ op")
uniform = tsc.random.stateless_uniform_candidate_sampler
fixed = tsc.random.stateless_fixed_unigram_candidate_sampler
learned = tsc.random.stateless_learned_unigram_candidate_sampler
# The third class comes up once in 2**23 draws, on average.
RARE = [2**40, 2**40, 2**18]


def sample(sampler, mode, *sizes, **more):
    def call():
        return sampler([[0]], 1, *sizes, **more)

    with tsc.implementation("composite" if "composite" in mode else None):
        return (tf.function(call) if "graph" in mode else call)()


def count_and_call(counted, name, op, **arguments):
    counted.append(name.removeprefix("sampled_compat_"))
    return op(**arguments)


@pytest.fixture
def calls(monkeypatch):
    """Counts the runs of the ops in eager mode."""
    ops, counted = library.load().ops, []
    for name in ("sampled_compat_stateless_draws", "sampled_compat_draws_piece"):
        call = functools.partial(count_and_call, counted, name, getattr(ops, name))
        monkeypatch.setattr(ops, name, call)
    return counted


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("num_sampled", [63, 64, 65, 128, 200])
@pytest.mark.parametrize("law", ["uniform", "learned"])
def test_independent_draws_in_pieces(law, num_sampled, mode, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE", 64)
    sizes = (num_sampled, False, 5)
    if law == "uniform":
        naive, more, sampler = naive_draws.uniform, {}, uniform
    else:
        counts = [3, 1, 4, 1, 5]
        naive, more, sampler = naive_draws.weighted(counts), {"counts": counts}, learned
    got = sample(sampler, mode, *sizes, seed=[1, 2], **more)
    classes, _ = naive_draws.draw(naive, [1, 2], *sizes)
    assert got.sampled_candidates.numpy().tolist() == classes
    assert got.sampled_candidates.shape == [num_sampled]
    np.testing.assert_allclose(
        got.true_expected_count, [[num_sampled * (0.2 if law == "uniform" else 3 / 14)]], rtol=1e-6
    )


@fused
@pytest.mark.parametrize("size", [1, 1000, pieces.PIECE])
def test_what_fits_one_piece_is_one_op(size, calls):
    uniform([[0]], 1, size, False, 10**6, seed=[1, 2])
    uniform([[0]], 1, min(size, 10**5), True, 10**6, seed=[1, 2])
    assert calls == ["stateless_draws"] * 2


@fused
def test_as_many_pieces_as_a_draw_needs(calls):
    big = uniform([[0]], 1, pieces.PIECE + 2, False, 10**6, seed=[1, 2])
    assert calls == ["draws_piece"] * 2
    assert len(big.sampled_candidates) == pieces.PIECE + 2
    calls.clear()
    sampled, true_count, _ = learned([[2]], 1, 3, True, 3, seed=[6, 4], counts=RARE)
    assert sorted(sampled.numpy()) == [0, 1, 2]
    p = RARE[2] / sum(RARE)
    tries = np.log1p(-float(true_count[0, 0])) / np.log1p(-p)
    assert len(calls) == np.ceil(tries / pieces.PIECE) == 7
    assert set(calls) == {"draws_piece"}


@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.parametrize("case", ["rare class", "rare weight", "all classes"])
def test_long_draws_are_the_same_everywhere(case, mode):
    call = {
        "rare class": functools.partial(sample, learned, counts=RARE),
        "rare weight": functools.partial(sample, fixed, unigrams=RARE),
        "all classes": functools.partial(sample, uniform),
    }[case]
    size = 400_000 if case == "all classes" else 3  # All of 400,000 classes need 5 million draws.
    one, other = (call(mode, size, True, size, seed=[6, 4]) for mode in ("eager", mode))
    np.testing.assert_array_equal(one.sampled_candidates, other.sampled_candidates)
    np.testing.assert_allclose(one.true_expected_count, other.true_expected_count, rtol=1e-6)
    assert len(set(one.sampled_candidates.numpy())) == size


@pytest.mark.parametrize("mode", ["composite", "xla"])
def test_no_op_draws_too_much_at_once(mode, monkeypatch):
    """XLA draws all at once, as nothing interrupts what it has compiled."""
    counts, words = [], law.Stream.words

    def counted(stream, first, count):
        counts.append(int(count))
        return words(stream, first, count)

    monkeypatch.setattr(law.Stream, "words", counted)
    if mode == "xla":
        monkeypatch.setattr(pieces, "PIECE", 64)
        for unique in (False, True):
            call = functools.partial(uniform, [[0]], 1, 100, unique, 10**6, seed=[1, 2])
            tf.function(call, jit_compile=True)()
        assert counts == [100, 400]
        return
    sample(uniform, mode, 2**19, True, 2**40, seed=[1, 2])
    assert max(counts) == 2**20
    counts.clear()
    sample(uniform, mode, pieces.PIECE + 8, False, 10**6, seed=[1, 2])
    assert counts == [pieces.PIECE, 8]


# The class comes up once in five billion draws, and not among the first two billion of this seed.
ENDLESS = """
import tensorflow as tf
import tf_sampled_compat as tsc
def draw(counts):
    return tsc.random.stateless_learned_unigram_candidate_sampler(
        [[0]], 1, 2, True, 2, seed=[1, 2], counts=counts)
counts = tf.constant([1.0, 2e-10])
"""
INTERRUPTED = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # A job in the background ignores it.
with tsc.implementation({implementation!r}):
    draw(tf.constant([1.0, 1e-6]))  # Loads what there is to load.
    try:
        print("drawing", flush=True)
        draw(counts)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""
CANCELLED = """
tf.compat.v1.disable_eager_execution()
with tsc.implementation({implementation!r}), tf.Graph().as_default():
    sampled = draw(counts_in_graph := tf.compat.v1.placeholder(tf.float32, [2]))[0]
    with tf.compat.v1.Session() as session:
        print(session.run(sampled, {{counts_in_graph: [1.0, 1e-6]}}).tolist(), flush=True)
        options = tf.compat.v1.RunOptions(timeout_in_ms=200)
        try:
            session.run(sampled, {{counts_in_graph: [1.0, 2e-10]}}, options=options)
        except tf.errors.DeadlineExceededError:
            print("cancelled", flush=True)
        print(session.run(sampled, {{counts_in_graph: [1.0, 1e-6]}}).tolist(), flush=True)
"""
each = pytest.mark.parametrize("implementation", [pytest.param(None, marks=fused), "composite"])


@each
def test_control_c_ends_a_draw(implementation):
    code = ENDLESS + INTERRUPTED.format(implementation=implementation)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "drawing\n", process.stderr.read()[-2000:]
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert out == "interrupted\n", err[-2000:]


@each
def test_a_graph_that_is_cancelled_ends_a_draw(implementation):
    code = ENDLESS + CANCELLED.format(implementation=implementation)
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120
    )
    assert process.stdout.splitlines() == ["[0, 1]", "cancelled", "[0, 1]"], process.stderr[-2000:]
