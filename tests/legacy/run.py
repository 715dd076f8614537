"""Runs programs one after another in one process and prints JSON.

    python -m tests.legacy.run {install|alone} folder [program ...]

A program whose name ends in "_0x" runs under `install("0.x")`. "alone" runs without `install`, for
programs that import the package themselves. The JSON has each program's output and the losses of
the package that it called.
"""

import collections
import contextlib
import io
import json
import os
import pathlib
import runpy
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import tf_sampled_compat as tsc
from tests.legacy import printed


def run(path, how):
    """Returns a program's parsed output and its calls."""
    output = io.StringIO()
    installed = {"install": tsc.installed, "alone": contextlib.nullcontext}[how]
    # Calls of TensorFlow's own losses would be missing among the explained calls.
    with tsc.explain() as calls, contextlib.redirect_stdout(output):
        with installed(printed.era(path.stem)):
            runpy.run_path(str(path), run_name="__main__")
    counts = collections.Counter(call.function for call in calls)
    return {"values": printed.read(output.getvalue()), "calls": dict(counts)}


def main(how, folder, *names):
    paths = sorted(pathlib.Path(folder).glob("*.py"))
    chosen = [path for path in paths if not names or path.stem in names]
    print(json.dumps({path.stem: run(path, how) for path in chosen}))


if __name__ == "__main__":
    main(*sys.argv[1:])
