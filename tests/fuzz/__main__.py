"""Fuzzes the public functions and the raw ops for a given time, and prints what was tried.

    python -m tests.fuzz --seconds N [--only TARGET ...] [--seed N]

The targets share the seconds. A find is printed with the input that shows it, made as small as
possible. To keep it, add the input to the target's `kept`. Exits with 1 if there is a find.
"""

import argparse
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import tensorflow as tf

from tests.fuzz import raw_ops, target
from tests.fuzz.targets import TARGETS


def main(arguments=None):
    """Runs the chosen targets one after another; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=float, default=60, help="in all (default: 60)")
    parser.add_argument("--only", action="append", choices=[each.name for each in TARGETS])
    parser.add_argument("--seed", type=int, default=0, help="of the first round (default: 0)")
    options = parser.parse_args(arguments)
    tf.get_logger().setLevel("ERROR")
    chosen = [each for each in TARGETS if not options.only or each.name in options.only]
    print(f"{'target':<12}{'inputs':>10}{'seconds':>10}{'finds':>8}", flush=True)
    counts = {}
    try:
        for each in chosen:
            count = target.run_for(each, options.seconds / len(chosen), options.seed)
            counts[each.name] = count
            _say(each.name, count.tried, count.seconds, len(count.finds))
    finally:
        raw_ops.stop()
    finds = [(name, find) for name, count in counts.items() for find in count.finds.items()]
    tried, seconds = (sum(column) for column in zip(*(count[:2] for count in counts.values())))
    _say("in all", tried, seconds, len(finds))
    for name, (place, text) in finds:
        print(f"\n{name}: {place}\n{text}")
    return int(bool(finds))


def _say(name, tried, seconds, finds):
    print(f"{name:<12}{tried:>10,}{seconds:>10.0f}{finds:>8}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
