"""Runs programs one after another, in one process; prints JSON.

    python -m tests.legacy.run {install|alone} folder [program ...]

A program whose name ends in "_0x" is run under `install("0.x")`; "alone" is without it, for
programs that name the package themselves. A program that does not clip its gradients is run again
as "program_clipped", with clipping. The answer says for each run what it printed, and which of the
package's losses it called.
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
from tests.legacy import clipping, generate, printed


def run(path, how, clipped=contextlib.nullcontext):
    """Returns what a program printed, read, and its calls."""
    output = io.StringIO()
    installed = {"install": tsc.installed, "alone": contextlib.nullcontext}[how]
    # A program that took TensorFlow's own losses shows in the calls that are not explained.
    with tsc.explain() as calls, contextlib.redirect_stdout(output):
        with installed(printed.era(path.stem)), clipped(path.stem):
            runpy.run_path(str(path), run_name="__main__")
    counts = collections.Counter(call.function for call in calls)
    return {"values": printed.read(output.getvalue()), "calls": dict(counts)}


def main(how, folder, *names):
    paths = sorted(pathlib.Path(folder).glob("*.py"))
    chosen = [path for path in paths if not names or path.stem in names]
    outcomes = {path.stem: run(path, how) for path in chosen}
    for path in chosen:
        if path.stem in clipping.NORMS:
            outcomes[path.stem + generate.CLIPPED] = run(path, how, clipping.clipped)
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(*sys.argv[1:])
