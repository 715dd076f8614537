"""Files that were cut, changed or made up: an error, never a crash, a hang or a file written.

TensorFlow and Keras read the files; here it is this package's objects that are in them.
"""

import json

import numpy as np
import pytest
import tensorflow as tf

from tests.abuse.process import run

MODEL = """
import importlib, json, faulthandler, traceback
faulthandler.enable()
os.chdir(sys.argv[3])
keras, ours = importlib.import_module(sys.argv[1]), importlib.import_module(sys.argv[2])
from tests.abuse import corruption
inputs = keras.Input([4])
model = keras.Model(inputs, ours.layers.SampledDense(20)(inputs))
loss = ours.losses.SampledSoftmax(5, sampler=tsc.random.LearnedUnigramSampler(20, seed=1))
model.compile(ours.optimizers.LazyAdam(), loss, metrics=[ours.metrics.ExactRecallAtK(3)])
model.fit(np.ones([8, 4]), np.zeros([8, 1], int), verbose=0)
model.save("good.keras")
keras.models.load_model("good.keras")
raw = open("good.keras", "rb").read()
# Without LazyAdam: its numbers are those of Keras's optimizers, which check no type.
classes = ("SampledDense", "SampledSoftmax", "ExactRecallAtK", "LearnedUnigramSampler")

def files():
    return {os.path.join(place, name) for place, _, names in os.walk("..") for name in names}

before = files()
outcomes = []
sources = {
    "files": [corruption.of_bytes(raw), corruption.of_zip(raw)],
    "values": [corruption.of_config(raw, classes)],
}
for source in sources[sys.argv[4]]:
    for name, data in source:
        with open("good.keras", "wb") as file:
            file.write(data)
        print("loading", name, file=sys.stderr, flush=True)
        try:
            loaded = keras.models.load_model("good.keras")
            loaded.fit(np.ones([8, 4]), np.zeros([8, 1], int), verbose=0)
            outcomes.append((name, "loaded"))
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1].filename
            place = "ours, " if last.startswith(os.path.dirname(tsc.__file__)) else ""
            outcomes.append((name, f"{place}{type(error).__name__}: {error}"[:300]))
        assert files() == before, (name, files() ^ before)
print(json.dumps(outcomes))
"""


def loaded(keras, what, folder):
    """Loads the files, and returns what came of each."""
    pytest.importorskip(keras)
    (folder / "inside").mkdir()
    out = run(MODEL, keras, f"tf_sampled_compat.{keras}", str(folder / "inside"), what)
    return dict(json.loads(out.splitlines()[-1]))


@pytest.mark.parametrize("keras", ["keras", pytest.param("tf_keras", marks=pytest.mark.nightly)])
def test_keras_files(keras, tmp_path):
    outcomes = loaded(keras, "files", tmp_path)
    assert len(outcomes) > 30
    assert outcomes["empty"] != "loaded" and outcomes["noise"] != "loaded"


@pytest.mark.nightly
@pytest.mark.parametrize("keras", ["keras", "tf_keras"])
def test_odd_values_in_keras_files(keras, tmp_path):
    """An error of this package names the value; one of Python's own would be an oversight."""
    outcomes = loaded(keras, "values", tmp_path)
    assert len(outcomes) > 60
    raw = ("Attribute", "Key", "Index", "Overflow", "ZeroDivision")
    raised_here = tuple(f"ours, {name}Error" for name in raw)
    assert not {name: text for name, text in outcomes.items() if text.startswith(raised_here)}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A checkpoint of a table, which is to be re-sharded."""
    prefix = str(tmp_path_factory.mktemp("checkpoint") / "good")
    table = np.arange(700.0).reshape([-1, 7])
    tf.raw_ops.SaveV2(
        prefix=prefix, tensor_names=["a", "b"], shape_and_slices=[""] * 2,
        tensors=[tf.constant(table), tf.constant(table[:, 0])],
    )  # fmt: skip
    return prefix


RESHARD = """
import json
from tests.abuse import corruption
L = tsc.compat.v1.Layout
good, folder = sys.argv[1:]
files = {end: open(good + end, "rb").read() for end in (".index", ".data-00000-of-00001")}
outcomes = []
cases = [(part, *case) for part in files for case in corruption.of_bytes(files[part], changes=40)]
for part, name, data in cases:
    name += part
    for end, raw in files.items():
        with open(os.path.join(folder, "bad" + end), "wb") as file:
            file.write(data if end == part else raw)
    before = sorted(os.listdir(folder))
    print("reading", name, file=sys.stderr, flush=True)
    try:
        tsc.compat.v1.reshard_checkpoint(
            os.path.join(folder, "bad"), os.path.join(folder, "new"), [(L("a"), L("a", "mod", 3))])
        outcomes.append((name, "value"))
        reader = tf.train.load_checkpoint(os.path.join(folder, "new"))
        column = reader.get_tensor("a")[:34, 0]  # Those of the first piece.
        assert np.array_equal(column, np.arange(0, 700, 21)), "wrong numbers"
        for left in os.listdir(folder):
            if left.startswith("new"):
                os.unlink(os.path.join(folder, left))
    except (ValueError, OSError, tf.errors.OpError) as error:
        outcomes.append((name, type(error).__name__))
    assert sorted(os.listdir(folder)) == before, (name, os.listdir(folder))
print(json.dumps(outcomes))
"""


def test_checkpoints(checkpoint, tmp_path):
    outcomes = dict(json.loads(run(RESHARD, checkpoint, str(tmp_path))))
    assert len(outcomes) > 80
    for part in (".index", ".data-00000-of-00001"):
        assert outcomes["empty" + part] != "value" and outcomes["noise" + part] != "value"
