"""Records the signatures of the losses, the samplers and `tf.contrib.nn` of one TensorFlow.

    python golden/record_signatures.py            # dry: prints the record of this TensorFlow
    python golden/record_signatures.py --write    # puts it into signatures.json

Runs inside TensorFlow 0.12.1 (CPython 2.7), 1.15.5 and 2.21.0. A record is, per public name,
[argument names, {argument: default}, name of *args or null, name of **kwargs or null].
"""

from __future__ import absolute_import, division, print_function

import inspect
import io
import json
import os
import sys

import tensorflow as tf

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "signatures.json")
LOSSES = ("sampled_softmax_loss", "nce_loss")


def namespaces():
    """Returns {public path: (module, is this name wanted?)} of the running TensorFlow."""

    def in_nn(name):
        return name in LOSSES or is_sampling(name)

    def is_sampling(name):
        return name.endswith("_candidate_sampler") or name == "compute_accidental_hits"

    found = {"nn": (tf.nn, in_nn)}
    if not tf.__version__.startswith("0."):
        found["random"] = (tf.random, is_sampling)
        found["compat.v1.nn"] = (tf.compat.v1.nn, in_nn)
        found["compat.v1.random"] = (tf.compat.v1.random, is_sampling)
    if tf.__version__.startswith("1."):
        found["contrib.nn"] = (tf.contrib.nn, lambda name: not name.startswith("_"))
    return found


def signature(function):
    """Returns [args, defaults, varargs, keywords] of a function, behind its decorators."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    # Python 2 has only getargspec, Python 3.11 no longer has it; their first four fields agree.
    spec = inspect.getargspec if sys.version_info[0] == 2 else inspect.getfullargspec
    args, varargs, keywords, defaults = spec(function)[:4]
    defaults = defaults or ()
    return [args, dict(zip(args[len(args) - len(defaults) :], defaults)), varargs, keywords]


def main():
    """Runs the command line."""
    record = {
        "%s.%s" % (path, name): signature(getattr(module, name))
        for path, (module, wanted) in namespaces().items()
        for name in dir(module)
        if wanted(name)
    }
    if sys.argv[1:] != ["--write"]:
        print(json.dumps(record, indent=1, sort_keys=True))
        return
    everything = {}
    if os.path.exists(PATH):
        with io.open(PATH, encoding="utf-8") as file:
            everything = json.load(file)
    everything[tf.__version__] = record
    with io.open(PATH, "wb") as file:
        file.write(_as_text(everything).encode("ascii"))


def _as_text(everything):
    """JSON with one line per function, so that a change shows as one line."""
    eras = []
    for version in sorted(everything):
        lines = [
            "  %s: %s" % (json.dumps(name), json.dumps(everything[version][name], sort_keys=True))
            for name in sorted(everything[version])
        ]
        eras.append(" %s: {\n%s\n }" % (json.dumps(version), ",\n".join(lines)))
    return "{\n%s\n}\n" % ",\n".join(eras)


if __name__ == "__main__":
    main()
