"""Forks, exits and signals while a kernel runs."""

import pytest

from tests.abuse.process import run

FORKS = """
import time
want = loss_of(SMALL)
many(1)
started = threading.Event()
def compute():
    started.set()
    many(600)
thread = threading.Thread(target=compute)
thread.start()
started.wait()
alive = 0
for _ in range(6):
    child = os.fork()
    if child == 0:
        signal.alarm(100)  # Rather than hang.
        try:
            from tf_sampled_compat.core.backends import library
            os._exit(0 if equal(kernel(), first) else 1)
        except tf.errors.OpError:
            os._exit(0)
    alive += thread.is_alive()
    assert os.waitpid(child, 0)[1] == 0
assert alive, "the thread was done before the forks"
thread.join()
assert equal(loss_of(SMALL), want)
print("done")
"""

# The raw op: what TensorFlow does around it needs threads, which a child does not have.
KERNEL = """
from tf_sampled_compat.core.backends import library
r = np.random.RandomState(0)
ROWS, X = r.randn(3000, 64).astype("f"), r.randn(500, 64).astype("f")
def kernel():
    return [library.load().ops.sampled_compat_full_reduce(
        inputs=X, weights=ROWS, biases=np.zeros(3000, "f"), labels=np.zeros([500, 1], "i8"),
        kind="softmax")[0].numpy()]
first = kernel()
"""


def test_forks_while_a_thread_computes():
    assert run(KERNEL + FORKS) == "done\n"


SPAWN = """
import multiprocessing
with multiprocessing.get_context("spawn").Pool(2) as pool:
    results = pool.map(loss_of, [SMALL] * 4)
assert all(equal(each, loss_of(SMALL)) for each in results)
print("done")
"""


@pytest.mark.nightly
def test_spawned_processes_compute_the_same_bits():
    assert run(SPAWN) == "done\n"


# name: (the last lines, the exit code, whether the thread is a daemon). A daemon computes until the
# process is gone: CPython up to 3.13 aborts if it comes back to Python meanwhile, from any op.
EXITS = {
    "the end of the program, a daemon": ("", 0, True),
    "the end of the program, a thread": ("", 0, False),
    "sys.exit": ("sys.exit(3)", 3, True),
    "os._exit": ("os._exit(4)", 4, True),
    "SIGTERM": ("signal.raise_signal(signal.SIGTERM)", -15, True),
}
IN_A_THREAD = """
many(1)
started = threading.Event()
def compute():
    started.set()
    many({times})
threading.Thread(target=compute, daemon={daemon}).start()
started.wait()
many(100)  # By the end of this the thread is in its own call.
print("leaving", flush=True)
"""


SLOW = ("the end of the program, a daemon", "os._exit", "SIGTERM")


@pytest.mark.parametrize(
    "how", [pytest.param(how, marks=[pytest.mark.nightly] * (how in SLOW)) for how in EXITS]
)
def test_the_process_ends_while_a_thread_is_in_a_kernel(how):
    """A daemon's work is given up, another thread's is waited for."""
    code, status, daemon = EXITS[how]
    times = 10_000 if daemon else 1_000
    out = run(IN_A_THREAD.format(times=times, daemon=daemon) + code, code=status)
    assert out == "leaving\n"


INTERRUPTED = """
want = loss_of(SMALL)
many(1)
for compute in (lambda: many(40), lambda: [loss_of(P) for _ in range(40)]):
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        while True:
            compute()
    except KeyboardInterrupt:
        print("interrupted")
    assert equal(loss_of(SMALL), want)
"""


def test_an_interrupt_in_a_kernel_is_one_of_python():
    """The kernel ends, then the exception comes, and the next call is right."""
    assert run(INTERRUPTED) == "interrupted\ninterrupted\n"
