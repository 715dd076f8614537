"""Records golden values from the TensorFlow that runs it: 0.12.1, 1.15.5 or 2.21.0.

    python golden/generate.py                        # dry: says what it would write
    python golden/generate.py --write                # adds the cases that have no values yet
    python golden/generate.py --write --overwrite --only REGEX

Read README.md before overwriting: never record again to let a failing test pass.
"""

from __future__ import absolute_import, division, print_function

import argparse
import os
import platform
import re
import sys

import numpy as np
import tensorflow as tf

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from golden import cases, inputs, replay, store

VERSIONS = {"0.12.1": "0.12", "1.15.5": "1.15", "2.21.0": "2.21"}


def main():
    """Runs the command line."""
    options = _options()
    era = VERSIONS.get(tf.__version__)
    if era is None:
        known = ", ".join(sorted(VERSIONS))
        sys.exit("golden values come from TensorFlow %s only; this is %s" % (known, tf.__version__))
    manifest = store.read_manifest()
    _check_inputs(manifest)
    kept = store.read(era)
    wanted = {store.key(case, api): (case, api) for case, api in cases.pairs(era)}
    todo = [
        name
        for name in sorted(wanted)
        if re.search(options.only, name) and (options.overwrite or name not in kept)
    ]
    numbers = len((set(kept) & set(wanted)) - set(todo)), len(todo), len(set(kept) - set(wanted))
    print("%s: %d values kept, %d to record, %d of no case any more" % ((era,) + numbers))
    if not options.write:
        for name in todo:
            print("  would record", name)
        return
    values = {name: value for name, value in kept.items() if name in wanted}
    for name in todo:
        case, api = wanted[name]
        values[name] = store.record(case, run(case, api))
    store.write(era, values)
    store.write_manifest(_updated(manifest, era, len(values)))


def run(case, api):
    """Runs a case through the running TensorFlow's own loss and returns its `replay.Outcome`."""
    tf1 = tf.compat.v1 if tf.__version__.startswith("2.") else tf
    losses = {
        cases.TF115_CONTRIB: lambda: tf.contrib.nn,
        cases.TF221_V1: lambda: tf.compat.v1.nn,
    }.get(api, lambda: tf.nn)()
    samplers = tf.random if api == cases.TF221 else tf1.nn
    return replay.in_graph(tf1, losses, samplers, case, api)


def _options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write; without it nothing changes")
    parser.add_argument("--overwrite", action="store_true", help="replace values that exist")
    parser.add_argument("--only", default="", metavar="REGEX", help="names that match, only")
    return parser.parse_args()


def _check_inputs(manifest):
    """The arrays must be the same in every era and for ever, or the values do not compare."""
    recorded = manifest.get("inputs", {})
    drifted = [
        case.name
        for case in cases.all_cases()
        if recorded.get(case.name) not in (None, inputs.fingerprint(case))
    ]
    if drifted:
        advice = "these cases' arrays are not those of their values; rename changed cases: "
        sys.exit(advice + ", ".join(drifted))


def _updated(manifest, era, count):
    manifest["inputs"] = {case.name: inputs.fingerprint(case) for case in cases.all_cases()}
    manifest["cases"] = len(cases.all_cases())
    manifest["sampler_seeds"] = {
        case.name: case.seed for case in cases.all_cases() if case.seed is not None
    }
    manifest["eras"][era] = {
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "values": count,
        "sha256": store.sha256(store.values_path(era)),
    }
    return manifest


if __name__ == "__main__":
    main()
