"""The fixtures that several folders share; quiet TensorFlow, no accelerator, fresh seeds."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.fresh_library import forget_the_library
from tf_sampled_compat import __main__ as commands
from tf_sampled_compat.core.backends import library

tf.get_logger().setLevel("ERROR")
# Two, so that a MirroredStrategy has something to mirror.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)


@pytest.fixture(scope="session")
def two_replicas():
    """The process's one strategy: TensorFlow takes a second one's collectives for the first's."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture(scope="module", autouse=True)
def _fresh_seeds_for_a_module():
    yield
    tf.random.set_seed(None)


@pytest.fixture(autouse=True)
def _fresh_seeds(request):
    """Resets the seeds after a test, with the state of eager kernels that have op seeds.

    TensorFlow then makes every eager kernel anew, which takes several times as long as a small
    test. A module without op seeds says so by the mark `no_op_seeds`, and keeps its kernels.
    """
    yield
    keeps_kernels = request.node.get_closest_marker("no_op_seeds") is not None
    has_global_seed = tf.compat.v1.get_seed(None) != (None, None)
    if has_global_seed or not keeps_kernels:
        tf.random.set_seed(None)


@pytest.fixture(params=["composite", "fused"])
def implementation(request):
    """Runs a test once with each implementation as the default."""
    with tsc.implementation(request.param):
        yield request.param


@pytest.fixture
def warnings(monkeypatch):
    """Collects the package's warnings, in a process that has loaded no library yet."""
    given = []
    monkeypatch.setattr(library.logging, "warning", lambda text, *args: given.append(text % args))
    forget_the_library()
    yield given
    forget_the_library()


@pytest.fixture
def doctor(warnings, capsys):
    """Runs the command; returns its exit code, its report's facts by name, and the report."""

    def run():
        code = commands.main(["doctor"])
        text = capsys.readouterr().out
        assert text.isascii() and "\x1b" not in text
        lines = [line.strip().split("  ", 1) for line in text.splitlines() if "  " in line.strip()]
        return code, {name: fact.strip() for name, fact in lines}, text

    return run
