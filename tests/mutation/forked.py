"""Runs tests in a fork of a process that has imported TensorFlow, which alone takes five seconds.

The process that forks must have no threads, so it imports TensorFlow and computes nothing. (mutmut
forks after it has run the tests once; its children then wait for threads that they do not have.)
"""

import os
import pathlib
import resource
import select
import signal
import sys
import traceback
from typing import NamedTuple

# Seconds on the clock for each second of the processor that is allowed, as the machine may be busy.
PATIENCE = 20


class Result(NamedTuple):
    """How the tests ended.

    Attributes:
      verdict: "passed", "failed", "no tests", "crashed" or "too long".
      seconds: The seconds of the processor that they took.
      output: What they printed.
    """

    verdict: str
    seconds: float
    output: str


def prepare():
    """Imports what the tests import, apart from this package and its tests."""
    for name in ("numpy", "scipy.stats", "pytest", "_pytest.assertion.rewrite", "tensorflow"):
        __import__(name)
    import tensorflow as tf

    tf.keras.layers.Layer  # noqa: B018  (Keras is imported at its first use.)
    threads = os.listdir("/proc/self/task")
    if len(threads) != 1:
        raise SystemExit(f"expected one thread before the first fork, got {len(threads)}")


def run_tests(tests, log, seconds):
    """Runs pytest on some tests until the first failure.

    Args:
      tests: Files, or other arguments of pytest.
      log: The path of a file for the output.
      seconds: How long it may use the processor.
    """
    log = pathlib.Path(log)
    child = os.fork()
    if child == 0:
        _run_and_exit(tests, log, int(seconds))
    descriptor = os.pidfd_open(child)
    try:
        if not select.select([descriptor], [], [], seconds * PATIENCE)[0]:
            os.killpg(child, signal.SIGKILL)
    finally:
        os.close(descriptor)
    _, status, usage = os.wait4(child, 0)
    _kill_what_is_left(child)
    used = usage.ru_utime + usage.ru_stime
    return Result(_verdict(status), used, log.read_text(errors="replace"))


def _run_and_exit(tests, log, seconds):
    """The child: becomes the leader of a group, so that what it starts can be killed with it."""
    code = 70
    try:
        os.setpgid(0, 0)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        import pytest

        code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests]))
    except BaseException:  # noqa: B036  (It must not return into the parent's loop.)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _kill_what_is_left(group):
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _verdict(status):
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return "too long" if number in (signal.SIGXCPU, signal.SIGKILL) else "crashed"
    # 1: a test failed. 2 and 4: a module could not be imported. 5: there was no test.
    return {0: "passed", 5: "no tests"}.get(os.WEXITSTATUS(status), "failed")
