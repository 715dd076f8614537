"""Installs one wheel beside every TensorFlow that it supports, and tests it there.

    python -m tests.matrix WHEEL [--tensorflow 2.12.1] [a test file or option of pytest ...]

Each TensorFlow gets an environment in .matrix/, which is kept. Its Python is the first one with
wheels of this TensorFlow, on the PATH or among pyenv's. Tests run from a copy, so that they cannot
import the package's source. Prints a table, and exits with 1 if anything failed or was missing.
"""

import argparse
import glob
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOME = ROOT / ".matrix"
COPY = HOME / "tests"

# The Pythons that both each TensorFlow and this package support, ordered so that many are used.
PYTHONS = {
    "2.12.1": ("3.9", "3.10", "3.11"),
    "2.15.1": ("3.10", "3.11", "3.9"),
    "2.18.1": ("3.12", "3.11", "3.10", "3.9"),
    "2.21.0": ("3.13", "3.12", "3.11", "3.10"),
    # A pre-release; pip installs it because the exact version is given.
    "2.22.0rc0": ("3.13", "3.12", "3.11"),
}
TESTS = (
    "tests/golden/test_golden.py",
    "tests/backends/test_loading.py",
    "tests/project/test_fresh_process.py",
    "tests/doctor/test_doctor.py",
    "tests/backends/test_choice.py",
)
# Other packages that tests import. A change of this line makes the environments again.
TOOLS = ("pytest", "rich", "matplotlib", "scipy-openblas32")


class Failed(Exception):
    """One TensorFlow failed. The message says why, in a few words."""


def interpreter(versions):
    """Returns the first interpreter of these versions that runs and can make environments."""
    for version in versions:
        pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
        found = sorted(glob.glob(f"{pyenv}/versions/{version}.*/bin/python"))
        for python in [shutil.which(f"python{version}"), *found]:
            check = f"import sys, ensurepip, venv; assert sys.version.startswith('{version}.')"
            if python and not subprocess.run([python, "-c", check], capture_output=True).returncode:
                return python
    raise Failed(f"there is no Python {', '.join(versions)}")


def run(command, log, what, **environment):
    """Runs a command with its output in a file; returns the last line of it."""
    clean = {name: value for name, value in os.environ.items() if not _ours(name)}
    with open(log, "w") as file:
        options = {"cwd": COPY, "env": {**clean, "TF_CPP_MIN_LOG_LEVEL": "3", **environment}}
        code = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, **options).returncode
    lines = log.read_text().splitlines() or [""]
    if code:
        print("\n".join(lines[-30:]), f"\nall of it: {log}", flush=True)
        raise Failed(f"{what}: {lines[-1] if 'tests' in what else f'exit code {code}'}")
    return lines[-1]


def _ours(name):
    return name == "PYTHONPATH" or name.startswith(("TF_SAMPLED_COMPAT_", "SAMPLED_COMPAT_"))


def environment(tensorflow, wheel):
    """Makes an environment if needed, installs the wheel, and returns its Python."""
    base = interpreter(PYTHONS[tensorflow])
    folder = HOME / f"tensorflow-{tensorflow}"
    python = folder / "bin" / "python"
    wanted = " ".join([base, *TOOLS])
    made = folder / "made-of"
    if not made.exists() or made.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        run([base, "-m", "venv", folder], folder / "venv.log", "venv")
        packages = [f"tensorflow=={tensorflow}", *TOOLS]
        run([python, "-m", "pip", "install", *packages], folder / "pip.log", "pip")
        made.write_text(wanted)
    command = [python, "-m", "pip", "install", "--force-reinstall", "--no-deps", wheel]
    run(command, folder / "wheel.log", "the wheel")
    return python


def outcome(tensorflow, wheel, tests):
    """Returns a row of the table: the results of one TensorFlow."""
    row = {"TensorFlow": tensorflow}
    try:
        python = environment(tensorflow, wheel)
        version = subprocess.run([python, "--version"], capture_output=True, text=True).stdout
        row["Python"] = version.split()[-1]
        folder = python.parents[1]
        command = [python, COPY / "tests/matrix/training.py"]
        row.update(json.loads(run(command, folder / "training.log", "training")))
        row["training"] = "fused"
        pytest = [python, "-m", "pytest", "-p", "no:cacheprovider"]
        libraries = next(folder.glob("lib/python*/site-packages/tf_sampled_compat/lib"))
        the_ops = {"what": "the ops' tests", "SAMPLED_COMPAT_BUILD": str(libraries)}
        row["the ops"] = run([*pytest, "custom_ops/tests"], folder / "ops.log", **the_ops)
        row["tests"] = run([*pytest, *tests], folder / "tests.log", "the tests")
        row["outcome"] = "ok"
    except Failed as failure:
        row["outcome"] = f"FAILED: {failure}"
    return row


def table(rows):
    """Returns rows as lines of aligned columns."""
    names = dict.fromkeys(name for row in rows for name in row)
    names = sorted(names, key=lambda name: name == "outcome")
    cells = [names, *([row.get(name, "-") for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    return ["  ".join(c.ljust(w) for c, w in zip(line, widths)).rstrip() for line in cells]


def main():
    """Tests the chosen TensorFlows one after another; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix")
    parser.add_argument("wheel", type=pathlib.Path)
    parser.add_argument("--tensorflow", action="append", choices=PYTHONS)
    chosen, tests = parser.parse_known_args()
    shutil.rmtree(COPY, ignore_errors=True)
    for name in ("tests", "golden", "custom_ops"):
        shutil.copytree(ROOT / name, COPY / name, ignore=shutil.ignore_patterns("build"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, COPY)
    rows = []
    for tensorflow in chosen.tensorflow or PYTHONS:
        rows.append(outcome(tensorflow, chosen.wheel.resolve(strict=True), tests or TESTS))
        print(f"TensorFlow {tensorflow}: {rows[-1]['outcome']}", flush=True)
    print("\n".join(["", *table(rows)]))
    libraries = {row["library"] for row in rows if "library" in row}
    return int(any(row["outcome"] != "ok" for row in rows) or len(libraries) > 1)


if __name__ == "__main__":
    sys.exit(main())
