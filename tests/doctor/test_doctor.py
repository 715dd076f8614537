"""The doctor reports what is installed and what calls use; its exit code says if all is well."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.core.backends import cpp_op, library, setting
from tf_sampled_compat.core.tf import private


def test_where_all_is_well(doctor, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    code, facts, text = doctor()
    assert code == 0 and "All is well." in text
    assert facts["TensorFlow"] == tf.__version__ and facts["NumPy"] == np.__version__
    assert facts["tf_sampled_compat"] == tsc.__version__
    assert facts["keras"][0].isdigit()
    best = library.best_instruction_set(library.cpu_flags())
    assert facts["instruction set"].startswith(best)
    assert facts["binary"].endswith(f"libsampled_compat_{best}.so")
    assert facts["threads"].startswith(f"{len(os.sched_getaffinity(0))} ")
    assert facts["trial"].endswith("in every dtype")
    taken = ["float32", "float64", "float16", "bfloat16", "float16 inputs, float32 table",
             "a table on a CPU", "a table placed by TensorFlow: CPU"]  # fmt: skip
    assert all(facts[kind] == "fused" for kind in taken)
    others = {"XLA (jit_compile=True)": "XLA", "a table on a GPU": "GPU", "a table on a TPU": "TPU",
              "a table on parameter servers": "load_ops", "inside tf.vectorized_map": "loop",
              "sampled_expected_count of shape [batch, num_sampled]": "row to row"}  # fmt: skip
    for kind, why in others.items():
        assert facts[kind].startswith("composite: ") and why in facts[kind]


@pytest.fixture
def distributions(tmp_path, monkeypatch):
    """Replaces the installed distributions by these: name -> (version, module)."""

    def make(**those):
        for name, (version, module) in those.items():
            folder = tmp_path / f"{name}-{version}.dist-info"
            folder.mkdir()
            (folder / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
            (folder / "top_level.txt").write_text(module)
        library_only = [path for path in sys.path if "site-packages" not in path]
        monkeypatch.setattr(sys, "path", [str(tmp_path), *library_only])

    return make


def test_a_package_that_is_not_installed(doctor, distributions):
    distributions()
    code, facts, _ = doctor()
    assert code == 0 and facts["TensorFlow"] == tf.__version__
    assert facts["keras"] == facts["tf_keras"] == "not installed"


def test_nightly_and_other_builds_are_found_by_their_module(doctor, distributions, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    distributions(
        tf_nightly=("2.99.0", "tensorflow"),
        keras_nightly=("3.99.0", "keras"),
        tf_keras=("2.99.0", "tf_keras"),
        tf_keras_nightly=("2.99.1", "tf_keras"),
        other=("1.0", "other"),
    )
    _, facts, _ = doctor()
    assert facts["TensorFlow"] == f"{tf.__version__} (tf-nightly)"
    assert facts["keras"] == "3.99.0 (keras-nightly) (backend: as in its configuration)"
    assert facts["tf_keras"] == "2.99.0, 2.99.1 (tf_keras-nightly)"


@pytest.mark.skipif(sys.version_info < (3, 10), reason="Python 3.9 looks up the usual names only")
def test_a_fork_is_found_by_its_module(doctor, distributions):
    distributions(tensorflow_of_somebody=("2.99.0", "tensorflow"))
    assert doctor()[1]["TensorFlow"] == f"{tf.__version__} (tensorflow_of_somebody)"


def test_a_missing_binary_is_an_error(doctor, tmp_path, monkeypatch):
    monkeypatch.setenv(library.DIRECTORY_VARIABLE, str(tmp_path))
    code, facts, text = doctor()
    assert code == 1
    assert f"in {tmp_path}: correct TF_SAMPLED_COMPAT_LIBRARY_DIR" in facts["why"]
    assert f"Wrong: {facts['why']}" in text
    assert facts["float32"].startswith("composite")


@pytest.mark.parametrize("where", ["on another machine", "with an old TensorFlow"])
def test_no_op_where_none_is_due_is_no_error(where, doctor, monkeypatch):
    if where == "on another machine":
        monkeypatch.setattr(library.platform, "machine", lambda: "aarch64")
    else:
        monkeypatch.setattr(tf, "__version__", "2.11.0")
    code, facts, text = doctor()
    assert code == 0 and "All is well, without the op." in text
    assert facts["state"] == "not available" and facts["float32"].startswith("composite")


@pytest.mark.parametrize("ails", ["is wrong", "fails"])
def test_a_binary_that_computes_badly_is_an_error(ails, doctor, monkeypatch):
    computed = cpp_op.Fused.loss

    def broken(backend, gathered, kind, *name):
        if kind != "sigmoid":
            return computed(backend, gathered, kind, *name)
        if ails == "fails":
            raise tf.errors.InternalError(None, None, "no kernel")
        return computed(backend, gathered, kind, *name) * 1.001

    monkeypatch.setattr(cpp_op.Fused, "loss", broken)
    code, facts, text = doctor()
    assert code == 1 and "nce_loss" in facts["trial"] and "Wrong: nce_loss" in text
    monkeypatch.setattr(cpp_op.Fused, "loss", computed)
    code, facts, text = doctor()
    assert code == 0 and "nce_loss" not in facts["trial"], "each report makes its own trial"


def test_the_environments_choice_is_told(doctor, tmp_path, monkeypatch):
    monkeypatch.setenv(setting.ENVIRONMENT_VARIABLE, "composite")
    code, facts, _ = doctor()
    assert code == 0
    assert facts["float32"] == "composite: TF_SAMPLED_COMPAT_IMPLEMENTATION says so"
    monkeypatch.setenv(setting.ENVIRONMENT_VARIABLE, "fused")
    code, facts, _ = doctor()
    assert facts["float32"].startswith("fused") and facts["a table on a GPU"].startswith("an error")
    monkeypatch.setenv(setting.ENVIRONMENT_VARIABLE, "quick")
    code, facts, text = doctor()
    assert code == 1 and "Wrong: TF_SAMPLED_COMPAT_IMPLEMENTATION: expected 'fused'" in text


def test_a_machine_with_a_gpu(doctor, monkeypatch):
    monkeypatch.setattr(private, "device_type", lambda piece: "GPU" if piece is None else "CPU")
    code, facts, _ = doctor()
    assert code == 0
    assert facts["a table placed by TensorFlow: GPU"].startswith("composite")


def test_where_the_threads_come_from(doctor, monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "3")
    assert doctor()[1]["threads"] == "3 (TF_NUM_INTRAOP_THREADS)"


def test_as_a_command(tmp_path):
    """Runs in its own process, without an op: the exit code is 1, and no error is raised."""
    environment = {**os.environ, library.DIRECTORY_VARIABLE: str(tmp_path)}
    environment["PYTHONPATH"] = os.path.dirname(os.path.dirname(tsc.__file__))
    result = subprocess.run(
        [sys.executable, "-m", "tf_sampled_compat", "doctor"], env=environment, cwd=tmp_path,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert result.returncode == 1, result.stderr
    assert "Wrong: there is no libsampled_compat" in result.stdout
    assert "Traceback" not in result.stderr
