"""Loads the custom ops for the tests and the benchmark of this folder, without the package."""

import ctypes
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

BUILD = pathlib.Path(
    os.environ.get("SAMPLED_COMPAT_BUILD", pathlib.Path(__file__).parent / "build")
)


def best_instruction_set():
    """Returns the best build that this CPU can run, by its feature flags."""
    flags = set()
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("flags"):
            flags = set(line.split(":")[1].split())
            break
    if {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= flags:
        return "avx512"
    if {"avx2", "fma", "bmi1", "bmi2", "f16c", "movbe"} <= flags:
        return "avx2"
    return "baseline"


def load(instruction_set=None):
    """Returns the module of op wrappers, and a function that sets the number of threads."""
    asked = instruction_set or os.environ.get("SAMPLED_COMPAT_INSTRUCTION_SET")
    path = BUILD / f"libsampled_compat_{asked or best_instruction_set()}.so"
    ops = tf.load_op_library(str(path))
    return ops, ctypes.CDLL(str(path)).SampledCompatSetNumThreads
