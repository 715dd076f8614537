"""Serving: an export answers in a process that has TensorFlow but not this package."""

import json
import os
import subprocess
import sys
import tempfile

import numpy as np

# Runs in a process of its own, in which an import of the package would fail.
SERVER = """
import json, sys
sys.modules["tf_sampled_compat"] = None
import numpy as np, tensorflow as tf
for line in sys.stdin:
    export, inputs, outputs = json.loads(line)
    model = tf.saved_model.load(export)
    scores, ids = model.serve(tf.constant(np.load(inputs)))
    np.savez(outputs, scores=scores, ids=ids)
    print("answered", flush=True)
"""


class Server:
    """A process that has TensorFlow but not this package. A context: it ends the process."""

    def __enter__(self):
        command = [sys.executable, "-c", SERVER]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen(command, **pipes)
        return self

    def __exit__(self, *_):
        self._process.communicate()

    def answer(self, export, inputs):
        """Returns the `(scores, ids)` that the process gets from an exported model."""
        with tempfile.TemporaryDirectory() as exchange:
            asked, answered = (os.path.join(exchange, name) for name in ("in.npy", "out.npz"))
            np.save(asked, inputs)
            print(json.dumps([str(export), asked, answered]), file=self._process.stdin, flush=True)
            if self._process.stdout.readline() != "answered\n":
                raise RuntimeError(f"the process that serves {export} has failed")
            with np.load(answered) as answer:
                return answer["scores"], answer["ids"]


def serve(model, inputs, folder):
    """Exports a model, and calls it in a process that cannot import this package.

    Args:
      model: Takes one tensor and returns `(scores, ids)`.
      inputs: An array to call it with.
      folder: Where to write the export.

    Returns:
      The `[N, k]` ids that the process found.

    Raises:
      AssertionError: If its scores differ from those of the model.
    """
    export = folder / "export"
    model.export(export, verbose=False)
    with Server() as server:
        scores, ids = server.answer(export, inputs)
    np.testing.assert_allclose(scores, model.predict(inputs, verbose=0)[0], rtol=1e-3, atol=1e-4)
    return ids
