"""Which Keras is used, and the error if there is none; each test has its own process."""

import os
import subprocess
import sys

import pytest
import tensorflow as tf


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )


def test_another_backend_is_an_error_that_names_the_variable():
    if not hasattr(tf.keras, "Variable"):
        pytest.skip("Keras 2 has one backend")
    code = """
import tf_sampled_compat as tsc
assert "keras" in dir(tsc)
try:
    tsc.keras
except ImportError as error:
    print(error)
"""
    result = run(code, KERAS_BACKEND="numpy")
    assert result.returncode == 0, result.stderr[-2000:]
    assert "KERAS_BACKEND" in result.stdout and "'numpy'" in result.stdout


def test_tf_keras_in_the_place_of_tf_dot_keras_is_served_once():
    pytest.importorskip("tf_keras")
    code = """
import sys
import tensorflow as tf, tf_keras
import tf_sampled_compat as tsc
assert not any(name.startswith("tf_sampled_compat.keras.") for name in sys.modules)
from tf_sampled_compat.keras.layers import SampledDense
assert issubclass(SampledDense, tf_keras.layers.Layer)
assert tsc.keras.layers.SampledDense is SampledDense
assert tsc.tf_keras.layers.SampledDense is SampledDense
assert tsc.tf_keras.losses.NCE is tsc.keras.losses.NCE
model = tf.keras.Sequential([SampledDense(9)])
model.compile("sgd", tsc.keras.losses.SampledSoftmax(3), metrics=[tsc.keras.metrics.ExactMRR()])
model.fit(tf.ones([4, 3]), tf.constant([1, 2, 3, 4]), verbose=0)
"""
    result = run(code, TF_USE_LEGACY_KERAS="1")
    assert result.returncode == 0, result.stderr[-2000:]


def test_a_misspelt_name_is_an_attribute_error():
    import tf_sampled_compat as tsc

    with pytest.raises(AttributeError, match="kerass"):
        _ = tsc.kerass
