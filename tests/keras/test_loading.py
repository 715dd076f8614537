"""`import tf_sampled_compat` is all that a process needs before it loads a `.keras` file."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

import tf_sampled_compat as tsc
from tests.keras.conftest import functional, head_of
from tf_sampled_compat.keras_common import stand_ins

IMPORTS = {
    "keras first": "import {keras} as keras\nimport tf_sampled_compat",
    "keras last": "import tf_sampled_compat\nimport {keras} as keras",
    "tf.keras": "import tf_sampled_compat\nimport tensorflow as tf\nkeras = tf.keras",
    # TensorFlow imports no tf_keras, so it has to come first, or our namespace for it last.
    "our namespace last": "import tf_sampled_compat\nimport {keras} as keras\n"
    "import tf_sampled_compat.{keras}",
}
LOAD = """
import sys
assert not [name for name in sys.modules if name.startswith("tf_sampled_compat.keras.")]
import numpy as np
data = np.load(sys.argv[2])
model = keras.models.load_model(sys.argv[1])
np.testing.assert_allclose(model.evaluate(data["x"], data["y"], verbose=0), data["want"], rtol=1e-5)
model.fit(data["x"], data["y"], verbose=0)
again = keras.models.clone_model(model)
model.save(sys.argv[1])
keras.models.load_model(sys.argv[1])
"""


@pytest.mark.parametrize("order", IMPORTS)
def test_a_fresh_process_loads_a_model(kerases, order, batch, tmp_path):
    if order in ("keras last", "tf.keras") and kerases.name == "tf_keras":
        pytest.skip("tf_keras, which TensorFlow does not import, has to come first")
    if order == "our namespace last" and kerases.name == "keras":
        pytest.skip("`import tf_sampled_compat` is enough")
    x, y = batch
    ours = kerases.ours
    model = functional(kerases)
    metrics = [ours.metrics.ExactMRR(), ours.metrics.ExactRecallAtK(3)]
    model.compile(ours.optimizers.LazyAdam(), ours.losses.NCE(10), metrics=metrics)
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "m.keras")
    np.savez(tmp_path / "data.npz", x=x, y=y, want=model.evaluate(x, y, verbose=0))
    name = kerases.keras.__name__.split(".")[0]
    result = subprocess.run(
        [sys.executable, "-c", IMPORTS[order].format(keras=name) + LOAD,
         str(tmp_path / "m.keras"), str(tmp_path / "data.npz")],
        capture_output=True, text=True, timeout=200, env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]


def test_keras_names_the_module_where_nothing_was_imported(kerases):
    """The message of Keras holds the layer's config, which names the module to import."""
    config = kerases.keras.utils.serialize_keras_object(head_of(functional(kerases)))
    assert config["module"] == f"tf_sampled_compat.{kerases.name}.layers"


def test_there_is_a_stand_in_for_each_class():
    for module, names in stand_ins.CLASSES.items():
        for namespace in ("keras", "tf_keras"):
            if importlib.util.find_spec("tf_keras") or namespace == "keras":
                ours = getattr(getattr(tsc, namespace), module)
                assert sorted(ours.__all__) == sorted(names)


def test_a_class_takes_the_place_of_its_stand_in(kerases):
    known = kerases.keras.utils.get_custom_objects()
    for module, names in stand_ins.CLASSES.items():
        for name in names:
            cls = getattr(getattr(kerases.ours, module), name)
            assert known[f"tf_sampled_compat>{name}"] is cls
    stand_ins.register()  # It leaves classes alone.
    assert known["tf_sampled_compat>SampledDense"] is kerases.ours.layers.SampledDense


def test_a_stand_in_makes_the_real_thing(kerases):
    stand_in = stand_ins._stand_in(kerases.name, "layers", "SampledDense")
    real = kerases.ours.layers.SampledDense
    assert type(stand_in(7)) is real
    assert type(stand_in.from_config(real(7).get_config())) is real
