"""What is published: the same bytes from two builds, all that building needs, and a bill of it.

`make wheel-twice` does the same with the C++ libraries, which take minutes to build.
"""

import gzip
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

from tests.supply import contents

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILT = shutil.ignore_patterns("*.so", "build", "__pycache__")

pytestmark = pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="no sources here")


def build(folder, umask, mtime):
    """Builds the sdist and, from it, a wheel without the op, from files of this age and mode."""
    for name in ("tf_sampled_compat", "custom_ops"):
        shutil.copytree(ROOT / name, folder / name, ignore=BUILT)
    for path in [*ROOT.glob("*.*"), ROOT / "LICENSE"]:
        if path.is_file():
            shutil.copy(path, folder)
    for path in folder.rglob("*"):
        os.utime(path, (mtime, mtime))
        path.chmod(0o777 & ~umask if path.is_dir() else 0o666 & ~umask)
    skip = {"TF_SAMPLED_COMPAT_BUILD": "skip", "SOURCE_DATE_EPOCH": ""}
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", "dist", "."]
    options = {"cwd": folder, "env": {**os.environ, **skip}, "umask": umask}
    result = subprocess.run(command, capture_output=True, text=True, **options)
    assert result.returncode == 0, result.stdout + result.stderr
    return next(folder.glob("dist/*.tar.gz")), next(folder.glob("dist/*.whl"))


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    first, second = (tmp_path_factory.mktemp(name) for name in ("one", "another"))
    return build(first, 0o022, 1e9), build(second, 0o002, 1.5e9)


def test_two_builds_have_the_same_bytes(builds):
    for one, other in zip(*builds):
        assert contents.differences(one, other) == []


def test_the_sdist_has_what_building_the_op_needs(builds):
    (archive, _), _ = builds
    assert list(contents.faults_of_sdist(archive, ROOT)) == []


def test_the_wheel_has_a_bill_of_materials(builds):
    (_, wheel), _ = builds
    files = {name: content for name, _, content in contents.entries(wheel)}
    (bill,) = (name for name in files if ".dist-info/sboms/" in name)
    assert list(contents.faults_of_bills(set(), [files[bill].decode()], files)) == []


def test_a_changed_time_is_a_difference(tmp_path):
    for name, day in (("one.whl", 1), ("another.whl", 2)):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(zipfile.ZipInfo("file", (2020, 1, day, 0, 0, 0)), "content")
    (found,) = contents.differences(tmp_path / "one.whl", tmp_path / "another.whl")
    assert found.startswith("file: ((2020, 1, 1")


def test_a_changed_header_of_the_archive_is_a_difference(tmp_path):
    for name, time in (("one.tar.gz", 1), ("another.tar.gz", 2)):
        with gzip.GzipFile(tmp_path / name, "wb", mtime=time) as packed:
            with tarfile.open(fileobj=packed, mode="w"):
                pass
    found = contents.differences(tmp_path / "one.tar.gz", tmp_path / "another.tar.gz")
    assert found == ["the archive's own header or its compression"]


BILL = """{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [
    {"type": "file", "name": "lib/a.so", "hashes": [{"alg": "SHA-256", "content": "%s"}]}]}"""


@pytest.mark.parametrize(
    "libraries, bill, fault",
    [
        ({"lib/a.so"}, BILL % contents.sha256(b"b"), "states another hash of lib/a.so"),
        ({"lib/a.so", "lib/b.so"}, BILL % contents.sha256(b"a"), "lib/b.so is in no bill"),
        ({"lib/a.so"}, BILL.replace("file", "thing") % contents.sha256(b"a"), "no CycloneDX 1.6"),
    ],
    ids=["hash", "missing", "schema"],
)
def test_a_false_bill_is_a_fault(libraries, bill, fault):
    (found,) = contents.faults_of_bills(libraries, [bill], {"lib/a.so": b"a", "lib/b.so": b"b"})
    assert fault in found


def test_a_true_bill_is_none():
    bill = BILL % contents.sha256(b"a")
    assert list(contents.faults_of_bills({"lib/a.so"}, [bill], {"lib/a.so": b"a"})) == []
