"""Twenty thousand steps take no more memory than the first two thousand."""

import pytest

from tests.abuse.process import run

STEPS = """
w, b = tf.Variable(SMALL.weights), tf.Variable(SMALL.biases)
x, labels = tf.constant(SMALL.inputs), tf.constant(SMALL.labels)

def step(x, labels):
    with tf.GradientTape() as tape:
        loss = tsc.nn.sampled_softmax_loss(w, b, labels, x, 64, 200, 2, implementation="fused")
    for v, g in zip((w, b), tape.gradient(loss, [w, b])):
        v.scatter_sub(tf.IndexedSlices(1e-6 * g.values, g.indices))

kind, steps = sys.argv[1], int(sys.argv[2])
if kind == "function":
    step = tf.function(step)
elif kind == "draws":
    def step(x, labels):
        tsc.random.stateless_log_uniform_candidate_sampler(
            labels, 2, 64, True, 200, [step.number, 7])
        step.number += 1
    step.number = 0

def memory():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * resource.getpagesize()

for number in range(steps):
    step(x, labels)
    if number == steps // 10:
        start = memory()
print((memory() - start) // 1024)
"""


@pytest.mark.parametrize(
    "kind, steps",
    [
        ("function", 20_000),
        pytest.param("eager", 20_000, marks=pytest.mark.nightly),
        pytest.param("draws", 20_000, marks=pytest.mark.nightly),
    ],
)
def test_memory_is_flat(kind, steps):
    """200 bytes a step would be more than is allowed."""
    assert int(run(STEPS, kind, str(steps))) < 3500
