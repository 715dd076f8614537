"""SavedModels recorded by earlier versions load, and training gives the recorded losses."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

HERE = pathlib.Path(__file__).parent
VERSIONS = sorted(path.parent.name for path in HERE.glob("*/losses.json"))

# In a process that has traced no loss, only `load_ops` registers the ops.
TRAIN = """
import json, sys
import tensorflow as tf, tf_sampled_compat as tsc
tsc.load_ops()
model = tf.saved_model.load(sys.argv[1])
from tests.saved_models import record
print(json.dumps(record.losses(model)))
"""


def test_there_is_a_recorded_model():
    assert "0.1.0" in VERSIONS


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_recorded_model_trains_on(version, kind):
    recorded = json.loads((HERE / version / "losses.json").read_text())[kind]
    command = [sys.executable, "-c", TRAIN, str(HERE / version / kind)]
    process = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parents[1])
    assert process.returncode == 0, process.stderr[-2000:]
    got = json.loads(process.stdout.splitlines()[-1])
    assert recorded[-1] != recorded[0]
    # Another instruction set sums in another order.
    np.testing.assert_allclose(got, recorded, rtol=2e-6)


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_recorded_model_holds_the_ops_and_no_error_text(version, kind):
    graph = (HERE / version / kind / "saved_model.pb").read_bytes()
    for op in ("Plan", "ClassIds", "LogOffset", "SampledLoss", "SampledLossGrad"):
        assert f"SampledCompat>{op}".encode() in graph, op
    assert b"expected class ids" not in graph and b"positive finite counts" not in graph
