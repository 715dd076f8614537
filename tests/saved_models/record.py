"""Records SavedModels that train, for test_saved_models.py to load with every later version.

    python -m tests.saved_models.record VERSION

writes `tests/saved_models/VERSION/{softmax,sigmoid}` and the losses of their first steps. It does
not overwrite a version. Users have such files: if a recorded model no longer loads, theirs do not
either. Record a new version, and keep the old ones.
"""

import json
import pathlib
import sys

import numpy as np
import tensorflow as tf

import tf_sampled_compat as tsc

HERE = pathlib.Path(__file__).parent
CLASSES, DIM, BATCH, NUM_TRUE, NUM_SAMPLED = 50, 8, 16, 2, 20
LOSSES = {"softmax": tsc.nn.sampled_softmax_loss, "sigmoid": tsc.nn.nce_loss}
STEPS = 5


class Trainer(tf.Module):
    """A table of classes, and a step that trains it by the C++ op."""

    def __init__(self, kind):
        super().__init__()
        rng = np.random.default_rng(0)
        self.weights = tf.Variable(rng.normal(size=(CLASSES, DIM), scale=0.5).astype("f"))
        self.biases = tf.Variable(np.zeros(CLASSES, "f"))
        self._loss = LOSSES[kind]

    @tf.function(
        autograph=False,
        input_signature=[
            tf.TensorSpec([None, NUM_TRUE], tf.int64, "labels"),
            tf.TensorSpec([None, DIM], tf.float32, "inputs"),
            tf.TensorSpec([NUM_SAMPLED], tf.int64, "sampled"),
            tf.TensorSpec([None, NUM_TRUE], tf.float32, "true_expected_count"),
            tf.TensorSpec([NUM_SAMPLED], tf.float32, "sampled_expected_count"),
        ],
    )
    def step(self, labels, inputs, sampled, true_expected_count, sampled_expected_count):
        """Returns the mean loss of a batch, and takes a gradient step."""
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(
                self._loss(
                    self.weights,
                    self.biases,
                    labels,
                    inputs,
                    NUM_SAMPLED,
                    CLASSES,
                    NUM_TRUE,
                    (sampled, true_expected_count, sampled_expected_count),
                    True,
                    implementation="fused",
                )  # fmt: skip
            )
        variables = [self.weights, self.biases]
        for variable, gradient in zip(variables, tape.gradient(loss, variables)):
            # Make the gradient dense, by ops that always sum in the same order.
            variable.assign_sub(0.5 * tf.convert_to_tensor(gradient))
        return loss


def batch(step):
    """Returns the arguments of step number `step`; some candidates are labels."""
    rng = np.random.default_rng(step)
    return [
        tf.constant(rng.integers(0, CLASSES, (BATCH, NUM_TRUE))),
        tf.constant(rng.normal(size=(BATCH, DIM)).astype("f")),
        tf.constant(rng.integers(0, CLASSES, NUM_SAMPLED)),
        tf.constant(rng.uniform(0.1, 1, (BATCH, NUM_TRUE)).astype("f")),
        tf.constant(rng.uniform(0.1, 1, NUM_SAMPLED).astype("f")),
    ]


def losses(model):
    """Trains a model, recorded or not, for a few steps; returns the losses."""
    return [float(model.step(*batch(step))) for step in range(STEPS)]


def record(folder):
    """Writes a model and its first losses for each kind of loss."""
    recorded = {}
    for kind in LOSSES:
        trainer = Trainer(kind)
        tf.saved_model.save(
            trainer, str(folder / kind), options=tf.saved_model.SaveOptions(save_debug_info=False)
        )
        (folder / kind / "fingerprint.pb").unlink(missing_ok=True)
        recorded[kind] = losses(trainer)
    (folder / "losses.json").write_text(json.dumps(recorded, indent=2) + "\n")


if __name__ == "__main__":
    (version,) = sys.argv[1:]
    if (HERE / version).exists():
        sys.exit(f"{HERE / version} exists: a recorded model is never written again")
    record(HERE / version)
