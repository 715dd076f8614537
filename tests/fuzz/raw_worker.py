"""A process that calls raw ops: a line of JSON in, the outcome of the call out.

`raw_ops.py` starts it and sees it die or hang.
"""

from __future__ import annotations

import json
import math
import resource
import sys

import numpy as np
import tensorflow as tf

from tests.fuzz.raw_cases import Call, Tensor, as_call
from tf_sampled_compat.core.backends import library

# A call fails before it fills the memory of the machine.
MEMORY = 4 << 30


def array(tensor: Tensor) -> np.ndarray:
    """Makes the numbers of an input."""
    r = np.random.RandomState(tensor.seed)
    if tensor.dtype == "string":
        return np.full(tensor.shape, "x", object)
    if 0 in tensor.shape:
        numbers = np.zeros(0)  # NumPy cannot shape some that TensorFlow can.
    elif float(tensor.low).is_integer() and float(tensor.high).is_integer():
        whole = r.randint(int(tensor.low), int(tensor.high), tensor.shape)
        fraction = 0 if tensor.dtype.startswith(("int", "uint")) else r.rand(*tensor.shape)
        numbers = whole + fraction
    else:
        numbers = r.uniform(tensor.low, tensor.high, tensor.shape)
    dtype = tf.as_dtype(tensor.dtype).as_numpy_dtype
    with np.errstate(all="ignore"):
        made = np.array(numbers).astype(dtype)
    flat = made.reshape(-1)
    for place, value in tensor.odd:
        if len(flat):
            flat[place % len(flat)] = _fitting(value, made.dtype)
    return flat.reshape(made.shape)


def _fitting(value, dtype):
    """Returns the number, or its low bits where the dtype is too small."""
    if dtype.kind in "iu":
        number = int(value) if np.isfinite(float(value)) else 0
        return np.array(number & (2**64 - 1), np.uint64).astype(dtype)
    return np.array(float(value)).astype(dtype)


def constant(tensor: Tensor) -> tf.Tensor:
    if 0 in tensor.shape:
        return tf.zeros(tf.constant(tensor.shape, tf.int64), tensor.dtype)
    return tf.constant(array(tensor))


def run(call: Call) -> None:
    """Calls, and computes the results."""
    op = getattr(library.load().ops, f"sampled_compat_{call.op}")
    attributes = dict(call.attributes)
    if attributes.get("log2_range") == "right":
        attributes["log2_range"] = math.floor(math.log2(attributes["range_max"] + 1) * 2**56)
    if call.mode == "eager":
        op(**{name: constant(each) for name, each in call.inputs.items()}, **attributes)
        return
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        feeds, inputs = {}, {}
        for name, each in call.inputs.items():
            if call.mode == "graph" and 0 not in each.shape:
                inputs[name] = tf.compat.v1.placeholder(each.dtype)
                feeds[inputs[name]] = array(each)
            else:
                inputs[name] = constant(each)
        session.run(list(tf.nest.flatten(op(**inputs, **attributes))), feeds)


def main() -> None:
    library.load()
    tf.reduce_sum(tf.ones([3]))  # TensorFlow starts its threads before memory is scarce.
    pages = int(open("/proc/self/statm").read().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            run(as_call(json.loads(line)))
            outcome = "value", ""
        except Exception as error:  # The parent judges any error.
            outcome = type(error).__name__, str(error)[:500]
        print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main()
