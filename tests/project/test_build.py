"""The package built without the C++ op installs, computes, and says what is missing."""

import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "tf_sampled_compat", "custom_ops")
BUILT = shutil.ignore_patterns("*.so", "build", "__pycache__")
SHELL = ("sh", "mkdir", "echo", "nproc", "grep", "cp", "mv")

LOSS = """
import numpy as np, tensorflow as tf, tf_sampled_compat as tsc
def loss(**options):
    table = np.eye(9, 4, dtype="f")
    values = [[3, 4], np.full([2, 1], 0.5, "f"), np.full([2], 0.5, "f")]
    return tsc.nn.nce_loss(table, table[:, 0], [[1], [2]], table[:2], 2, 9, sampled_values=values,
        **options).numpy()
assert all((loss() == loss(implementation="composite")).all() for _ in range(3))
print(tsc.__file__)
"""

pytestmark = pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="no sources here")


@pytest.fixture
def sources(tmp_path):
    """Makes a copy of the sources without build results."""
    folder = tmp_path / "sources"
    folder.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=BUILT)
        else:
            shutil.copy(ROOT / name, folder)
    return folder


def a_path_of(folder, *names):
    """Makes a folder with only these commands, for use as PATH."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(shutil.which(name))
    return folder


def pip(path, *arguments, **environment):
    environment = {**os.environ, "PATH": str(path), **environment}
    environment.pop("CXX", None)
    return subprocess.run(
        [sys.executable, "-m", "pip", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
    )


def wheel(path, sources, **environment):
    options = ["--no-deps", "--no-build-isolation", "--verbose", "--wheel-dir", sources.parent]
    return pip(path, "wheel", *options, sources, **environment)


def assert_it_suits_every_platform(file):
    assert file.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        (about,) = (archive.read(name).decode() for name in names if name.endswith("/WHEEL"))
    assert not [name for name in names if name.endswith(".so")]
    assert "tf_sampled_compat/__init__.py" in names
    assert "Root-Is-Purelib: true" in about and "Tag: py3-none-any" in about.splitlines()


def test_asked_to_skip_the_op_it_builds_a_wheel_for_every_platform(sources, tmp_path):
    built = wheel(os.environ["PATH"], sources, TF_SAMPLED_COMPAT_BUILD="skip")
    assert built.returncode == 0, built.stdout + built.stderr
    assert "the C++ op was not built" not in built.stderr
    assert_it_suits_every_platform(next(tmp_path.glob("*.whl")))


def test_a_wheel_with_libraries_names_its_platform(sources, tmp_path):
    """The build is skipped, but the tree has libraries, as after `make -C custom_ops install`."""
    (sources / "tf_sampled_compat" / "lib").mkdir(exist_ok=True)
    (sources / "tf_sampled_compat" / "lib" / "libsampled_compat_baseline.so").touch()
    built = wheel(os.environ["PATH"], sources, TF_SAMPLED_COMPAT_BUILD="skip")
    assert built.returncode == 0, built.stdout + built.stderr
    file = next(tmp_path.glob("*.whl"))
    assert "-py3-none-" in file.name and not file.name.endswith("-any.whl")


@pytest.mark.parametrize("there_is", [[], ["make"]], ids=["neither", "make"])
def test_without_a_compiler_it_installs_and_says_so(there_is, sources, tmp_path):
    path = a_path_of(tmp_path / "path", *SHELL, *there_is)
    built = wheel(path, sources)
    assert built.returncode == 0, built.stdout + built.stderr
    assert built.stderr.count("the C++ op was not built") == 1, built.stderr
    assert "It needs make and a C++17 compiler." in built.stderr
    file = next(tmp_path.glob("*.whl"))
    assert_it_suits_every_platform(file)

    installed = tmp_path / "installed"
    result = pip(path, "install", "--no-deps", "--no-index", "--target", installed, file)
    assert result.returncode == 0, result.stderr
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TF_SAMPLED_COMPAT_")}
    ran = subprocess.run(
        [sys.executable, "-c", LOSS],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**clean, "PYTHONPATH": str(installed)},
    )
    assert ran.returncode == 0, ran.stderr
    assert str(installed) in ran.stdout
    assert ran.stderr.count("computes with TensorFlow's ops") == 1, ran.stderr
    assert "reinstall tf_sampled_compat where a C++17 compiler and make are" in ran.stderr


def test_asked_to_require_the_op_it_does_not_install_without(sources, tmp_path):
    path = a_path_of(tmp_path / "path", *SHELL)
    built = wheel(path, sources, TF_SAMPLED_COMPAT_BUILD="require")
    assert built.returncode != 0 and "'make'" in built.stderr
    assert not list(tmp_path.glob("*.whl"))
