"""A process that runs cases in one mode and prints the outcome of each.

`processes.py` starts it: the mode is an argument, the names of the cases come on standard input,
and JSON goes to standard output. It prints a line `{"begin": …}` before each call, so that a crash
or a hang can be assigned to a call.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any, Callable

# A call fails before it fills the memory (TensorFlow's learned sampler with 2e9 classes would).
_ADDRESS_SPACE = 24 * 2**30


def main() -> None:
    """Runs the cases named on standard input in the mode named by the first argument."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    import tensorflow as tf

    import tf_sampled_compat as tsc
    from tests.bad_input import modes, table

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    mode = sys.argv[1]
    for name in json.load(sys.stdin):
        case = table.CASES[name]
        sides = [("ours", case.ours, tsc)]
        if table.asks_tensorflow(case):
            sides.append(("stock", case.stock, tf))
        for side, call, root in sides:
            tf.random.set_seed(7)
            _say({"begin": [name, side]})
            _say({"end": [name, side], "outcome": outcome(modes.run, mode, case, call, root)})


def outcome(run: Callable, mode: str, case: Any, call: Callable, root: Any) -> dict[str, Any]:
    """Returns the outcome of a call: values or an error, and its duration."""
    start = time.monotonic()
    try:
        values = run(mode, case, lambda tensors: call(root, tensors))
        result = {
            "shapes": [list(value.shape) for value in values],
            "values": [value.ravel().astype(float).tolist() for value in values],
        }
    except Exception as error:  # The parent judges any error.
        classes = [each.__name__ for each in type(error).__mro__]
        result = {"classes": classes, "message": getattr(error, "message", None) or str(error)}
    return {**result, "seconds": time.monotonic() - start}


def _say(record: dict[str, Any]) -> None:
    print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
