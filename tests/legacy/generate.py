"""Runs the programs inside an era's interpreter and records what they print.

    python tests/legacy/generate.py                # dry: says what it would record
    python tests/legacy/generate.py --write        # records the programs that have no values yet
    python tests/legacy/generate.py --write --overwrite [program ...]

Runs on CPython 2.7 with TensorFlow 0.12.1, for the programs whose name ends in "_0x", and on
CPython 3.7 with TensorFlow 1.15.5, for the others. A program that does not clip its gradients is
recorded a second time, as "program_clipped", under clipping.py. README.md says when making values
anew is wrong.
"""

from __future__ import absolute_import, division, print_function

import glob
import hashlib
import io
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
VERSIONS = {True: "0.12.1", False: "1.15.5"}  # by whether it is a "_0x" program


CLIPPED = "_clipped"


def program_of(name):
    """Returns the program that was recorded as `name`."""
    return name[: -len(CLIPPED)] if name.endswith(CLIPPED) else name


def version(name):
    """Returns the TensorFlow that a program is for."""
    return VERSIONS[program_of(name).endswith("_0x")]


def golden_path(name):
    return os.path.join(HERE, "golden", name + ".txt")


def program_path(name):
    return os.path.join(HERE, "programs", program_of(name) + ".py")


def header(name):
    """Returns the first line of a golden file: which TensorFlow, and which text of the program."""
    with io.open(program_path(name), "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    return "# tensorflow %s, program %s" % (version(name), digest)


def names():
    found = []
    for path in glob.glob(os.path.join(HERE, "programs", "*.py")):
        found.append(os.path.basename(path)[: -len(".py")])
        with io.open(path) as file:
            if "clip_by_global_norm" not in file.read():
                found.append(found[-1] + CLIPPED)
    return sorted(found)


def record(name):
    launcher = [os.path.join(HERE, "clipping.py")] if name.endswith(CLIPPED) else []
    command = [sys.executable, "-W", "ignore"] + launcher + [program_path(name)]
    output = subprocess.check_output(command)
    text = header(name) + "\n" + output.decode("ascii")
    with io.open(golden_path(name), "w", newline="\n") as file:
        file.write(text)


def main(arguments):
    import tensorflow as tf

    if tf.__version__ not in VERSIONS.values():
        sys.exit("values are made by TensorFlow 0.12.1 and 1.15.5, and this is " + tf.__version__)
    os.environ.update(CUDA_VISIBLE_DEVICES="-1", TF_CPP_MIN_LOG_LEVEL="3")
    chosen = [argument for argument in arguments if not argument.startswith("--")]
    for name in chosen or names():
        if version(name) != tf.__version__:
            continue
        if os.path.exists(golden_path(name)) and "--overwrite" not in arguments:
            print(name, "has values")
        elif "--write" in arguments:
            record(name)
            print(name, "recorded")
        else:
            print(name, "would be recorded (--write)")


if __name__ == "__main__":
    main(sys.argv[1:])
