"""Changes one place of the code at a time, and fails if the tests pass and nothing explains it.

    python -m tests.mutation [--each N] [--minutes M] [--seed S] [--since COMMIT] [FILE ...]

It works in a copy of the tree in .nightly/mutation, because AutoGraph reads the source files. Each
file has the tests of `watched.py`, and `survivors.txt` explains the survivors. Without a list of
files, it takes N places in each file of the losses, samplers and tables. Each result is added to
.nightly/mutation/results.txt as soon as it is known. Exits with 1 if a survivor is not explained.
"""

import argparse
import compileall
import os
import pathlib
import py_compile
import shutil
import subprocess
import sys

from tests.mutation import watched

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOME = ROOT / ".nightly" / "mutation"


def copy_tree(target):
    """Copies the files that git knows, and the built libraries."""
    shutil.rmtree(target, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    names = [name for name in listed.stdout.decode().split("\0") if name]
    libraries = [str(p.relative_to(ROOT)) for p in ROOT.glob("tf_sampled_compat/lib/*.so")]
    for name in (*names, *libraries):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    # Bytecode that is compared with its source by content: a mutant may be as old and as long.
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    for folder in ("tf_sampled_compat", "tests", "golden"):
        compileall.compile_dir(target / folder, quiet=2, invalidation_mode=mode)


def changed_since(commit):
    """Returns the watched files that differ from a commit."""
    command = ["git", "diff", "--name-only", commit, "--"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [file for file in watched.files(ROOT) if file in listed.stdout.splitlines()]


def main():
    """Makes the copy and runs `runner` in it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--each", type=int, default=2, help="places in each file")
    parser.add_argument("--minutes", type=float, default=90, help="begin none after so long")
    parser.add_argument("--seed", type=int, default=0, help="another sample")
    parser.add_argument("--since", metavar="COMMIT", help="only files that changed since then")
    chosen = parser.parse_args()
    files = chosen.files or (changed_since(chosen.since) if chosen.since else watched.files(ROOT))
    tree = HOME / "tree"
    copy_tree(tree)
    options = [f"--each={chosen.each}", f"--minutes={chosen.minutes}", f"--seed={chosen.seed}"]
    command = [sys.executable, "-m", "tests.mutation.runner", *options, str(HOME), *files]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    # OpenBLAS starts threads when NumPy is imported, and a process with threads cannot be forked.
    alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    paths = {"PYTHONPATH": str(tree)}
    return subprocess.run(
        command, cwd=tree, env={**os.environ, **quiet, **alone, **paths}
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
