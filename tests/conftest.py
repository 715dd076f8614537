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


@pytest.fixture(autouse=True)
def _fresh_seeds():
    yield
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
