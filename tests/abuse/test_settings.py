"""TensorFlow's settings: threads, determinism, a limit of memory. Each needs a fresh process."""

import pytest

from tests.abuse.process import run

THREADS = """
intra, inter = map(int, sys.argv[1:])
tf.config.threading.set_intra_op_parallelism_threads(intra)
tf.config.threading.set_inter_op_parallelism_threads(inter)
from tf_sampled_compat.core.backends import library
results = [loss_of(P), loss_of(SMALL), [many(3).numpy()]]
assert library.num_threads() == intra
import hashlib
print(hashlib.sha256(b"".join(a.tobytes() for each in results for a in each)).hexdigest())
"""


def test_the_bits_are_the_same_for_any_threads():
    assert same([(1, 1), (8, 8)])


@pytest.mark.nightly
def test_the_bits_are_the_same_for_more_settings():
    assert same([(1, 2), (2, 1), (2, 8), (8, 2)])


def same(settings):
    return len({run(THREADS, str(intra), str(inter)) for intra, inter in settings}) == 1


DETERMINISM = """
tf.config.experimental.enable_op_determinism()
def trained(implementation):
    tf.random.set_seed(3)
    w, b = tf.Variable(SMALL.weights), tf.Variable(SMALL.biases)
    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            loss = tsc.nn.sampled_softmax_loss(
                w, b, SMALL.labels, x, 64, 200, 2, seed=5, implementation=implementation)
        for v, g in zip((w, b), tape.gradient(loss, [w, b])):
            v.scatter_sub(tf.IndexedSlices(0.1 * g.values, g.indices))
        return loss
    for _ in range(5):
        loss = step(SMALL.inputs)
    found = tsc.nn.full_top_k(w, b, SMALL.inputs, 5, implementation=implementation)
    return [a.numpy() for a in (loss, w, b, *found)]
for implementation in ("fused", "composite"):
    assert equal(trained(implementation), trained(implementation))
    print(implementation)
"""


def test_training_with_op_determinism():
    assert run(DETERMINISM) == "fused\ncomposite\n"


# The calls that need much memory, and so little that they work.
NO_MEMORY = """
import gc
def big(**more):
    n = 2**14
    return tsc.nn.sampled_softmax_loss(
        tf.zeros([n, 8]), tf.zeros([n]), tf.zeros([n, 1], tf.int64), tf.zeros([n, 8]),
        num_sampled=n - 1, num_classes=n, **more)
def fused():
    return tsc.nn.full_softmax_loss(
        tf.zeros([2**10, 2**14]), tf.zeros([2**10]), tf.zeros([2**12, 1], tf.int64),
        tf.zeros([2**12, 2**14]), implementation="fused")
calls = {
    "composite": lambda: big(implementation="composite"),
    "fused": fused,
    "draw": lambda: tsc.random.stateless_uniform_candidate_sampler(
        [[1]], 1, 2**27, False, 2**40, [1, 2]),
}
want = loss_of(SMALL)
loss_of(SMALL, "composite")  # TensorFlow starts its threads, which needs memory.
calls[sys.argv[1]]
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (300 << 20),) * 2)
try:
    calls[sys.argv[1]]()
except (tf.errors.ResourceExhaustedError, MemoryError) as error:
    print("refused")
gc.collect()
assert equal(loss_of(SMALL), want)
"""


@pytest.mark.parametrize(
    "call", ["fused", *(pytest.param(c, marks=pytest.mark.nightly) for c in ("composite", "draw"))]
)
def test_without_memory_a_call_is_refused_and_the_next_is_right(call):
    assert run(NO_MEMORY, call) == "refused\n"
