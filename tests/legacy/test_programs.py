"""Each unchanged legacy program prints under `install()` what the old TensorFlow printed."""

import pytest

from tests.legacy import clipping, generate, printed
from tests.legacy.corpus import (
    HERE,
    LOSSES,
    PROGRAMS,
    RUNS,
    assert_equals_the_old_tensorflow,
    golden,
    run_programs,
)


@pytest.fixture(scope="module")
def outcomes():
    return run_programs(PROGRAMS)


@pytest.fixture(scope="module")
def rewritten(tmp_path_factory):
    """Returns the outcomes of the programs with the package's names written in by hand."""
    folder = tmp_path_factory.mktemp("rewritten")
    for name in LOSSES:
        version = "v0" if printed.era(name) else "v1"
        text = (PROGRAMS / f"{name}.py").read_text()
        text = text.replace("from tensorflow.contrib", "from tf_sampled_compat.contrib")
        for loss in ("sampled_softmax_loss", "nce_loss"):
            text = text.replace(f"tf.nn.{loss}(", f"tsc.compat.{version}.nn.{loss}(")
        text = text.replace("import numpy", "import tf_sampled_compat as tsc\nimport numpy", 1)
        (folder / f"{name}.py").write_text(text)
    return run_programs(folder, "alone")


def test_every_program_is_here():
    assert set(generate.names()) == set(RUNS)
    assert {path.stem for path in (HERE / "golden").iterdir()} == set(RUNS)


@pytest.mark.parametrize("name", RUNS)
def test_values_are_those_of_the_program_as_it_stands(name):
    assert golden(name)[0] == generate.header(name)


@pytest.mark.parametrize("name", LOSSES)
def test_program_knows_nothing_of_the_package(name):
    text = (PROGRAMS / f"{name}.py").read_text()
    assert "sampled_compat" not in text and "tsc" not in text


@pytest.mark.parametrize("way", ["outcomes", "rewritten"])
@pytest.mark.parametrize("name", RUNS)
def test_equals_the_old_tensorflow_step_by_step(name, way, request):
    assert_equals_the_old_tensorflow(name, request.getfixturevalue(way)[name])


@pytest.mark.parametrize("name", ["ptb_lm", *clipping.NORMS])
def test_most_steps_are_clipped(name):
    clip_norm = clipping.NORMS.get(name, 1.0)
    run = name + generate.CLIPPED if name in clipping.NORMS else name
    norms = golden(run)[1]["global_norm"]
    assert len(norms) == 50 and sum(norm > clip_norm for norm in norms) > 35
