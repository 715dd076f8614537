"""A description of the machine, which goes with every figure."""

from __future__ import annotations

import os
import pathlib
import platform
from typing import Any

import numpy as np
import tensorflow as tf

from tf_sampled_compat.bench import floor
from tf_sampled_compat.core.backends import library
from tf_sampled_compat.version import __version__


def describe() -> dict[str, Any]:
    """Returns the CPU, its threads and load, the versions and the instruction set."""
    loaded = library.load()
    return {
        "cpu": _cpu(),
        "cpus": len(os.sched_getaffinity(0)),
        "threads": library.num_threads(),
        "instruction_set": loaded.instruction_set,
        "load": load(),
        "floor_by": floor.blas().name,
        "tf_sampled_compat": __version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def load() -> float:
    """Returns the load average of the last minute, which includes this process."""
    return os.getloadavg()[0]


def _cpu() -> str:
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
