"""Fixtures shared by several folders; makes TensorFlow quiet, hides accelerators, resets seeds."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests import sharing
from tests.fresh_library import forget_the_library
from tf_sampled_compat import __main__ as commands
from tf_sampled_compat.core.backends import library

tf.get_logger().setLevel("ERROR")
# Two devices, so that a MirroredStrategy has two replicas.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)


def pytest_collection_modifyitems(items):
    """Puts the long files first; see `sharing`."""
    items.sort(key=sharing.rank)


@pytest.hookimpl(optionalhook=True)  # There may be no xdist.
def pytest_xdist_make_scheduler(config, log):
    """Hands out files, and shares of the largest; see `sharing`."""
    return sharing.scheduler(config, log)


@pytest.fixture(scope="session")
def two_replicas():
    """The only strategy of the process: TensorFlow confuses the collectives of two."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture(scope="module", autouse=True)
def _fresh_seeds_for_a_module():
    yield
    tf.random.set_seed(None)


@pytest.fixture(autouse=True)
def _fresh_seeds(request):
    """Resets the seeds after a test, and the state of eager kernels with op seeds.

    TensorFlow then creates every eager kernel again, which takes several times as long as a small
    test. A module without op seeds has the mark `no_op_seeds` and keeps its kernels.
    """
    yield
    keeps_kernels = request.node.get_closest_marker("no_op_seeds") is not None
    has_global_seed = tf.compat.v1.get_seed(None) != (None, None)
    if has_global_seed or not keeps_kernels:
        tf.random.set_seed(None)


@pytest.fixture(params=["composite", "fused"])
def implementation(request):
    """Runs a test with each implementation as the default."""
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
