"""Builds the C++ op's libraries into the package; pyproject.toml has all other settings.

Without make or a C++ compiler, the package still installs and computes with TensorFlow's ops. Set
TF_SAMPLED_COMPAT_BUILD=require to make a failed build an error, or =skip to build nothing.

Two builds of the same sources give the same bytes; `python -m tests.supply` checks it.
"""

import datetime
import gzip
import hashlib
import json
import os
import pathlib
import platform
import subprocess
import sys
import tarfile
import uuid

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist

ROOT = pathlib.Path(__file__).resolve().parent
LIBRARIES = "tf_sampled_compat.lib"
BUILD = os.environ.get("TF_SAMPLED_COMPAT_BUILD", "try")
# The time of everything in an archive, by default 2020-01-01. setuptools reads the variable too.
DATE = int(os.environ.get("SOURCE_DATE_EPOCH") or 1577836800)
os.environ["SOURCE_DATE_EPOCH"] = str(DATE)
# The modes of built files are in the wheel.
os.umask(0o022)


class BuildLibraries(build_ext):
    """Runs custom_ops/Makefile, which builds a library for each instruction set."""

    def build_extension(self, ext):
        if BUILD == "skip" or (platform.system(), platform.machine()) != ("Linux", "x86_64"):
            return
        self.announce("building the C++ op for three instruction sets", level=3)
        command = ["make", "-C", str(ROOT / "custom_ops"), f"INSTALL={self._target()}", "install"]
        try:
            subprocess.run([*command, f"PYTHON={sys.executable}"], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            if BUILD == "require":
                raise
            self.warn(
                f"the C++ op was not built ({error}): tf_sampled_compat will compute with "
                "TensorFlow's ops, slower. It needs make and a C++17 compiler."
            )

    def _target(self):
        base = ROOT if self.inplace or self.editable_mode else ROOT / self.build_lib
        return base / LIBRARIES.replace(".", "/")

    def get_ext_filename(self, fullname):
        return str(pathlib.Path(*fullname.split(".")) / "libsampled_compat_baseline.so")

    def get_outputs(self):
        return sorted(map(str, self._target().glob("*.so")))

    def copy_extensions_to_source(self):
        """Does nothing: an editable build writes the libraries into the source tree."""


class AnyPythonWheel(bdist_wheel):
    """One wheel for every Python; a wheel without the libraries also suits every platform."""

    def run_command(self, command):
        super().run_command(command)
        # Only the build shows whether there are libraries; `run` reads both settings after it.
        if command == "build" and not self.get_finalized_command("build_ext").get_outputs():
            self.root_is_pure = True
            self.distribution.ext_modules = []

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]

    def write_wheelfile(self, wheelfile_base, *arguments, **options):
        super().write_wheelfile(wheelfile_base, *arguments, **options)
        libraries = self.get_finalized_command("build_ext").get_outputs()
        bill = bill_of_materials(self.distribution.get_version(), map(pathlib.Path, libraries))
        folder = pathlib.Path(wheelfile_base, "sboms")
        folder.mkdir(exist_ok=True)
        (folder / "tf_sampled_compat.cdx.json").write_text(json.dumps(bill, indent=2) + "\n")


def bill_of_materials(version, libraries):
    """Returns what the wheel holds as CycloneDX, which PEP 770 has beside the metadata.

    It holds this package and its C++ libraries. If auditwheel adds a library of the system, it
    also adds a bill of its own. Written here, because a library for it and its six dependencies
    would be needed by everyone who builds; tests/supply checks the result with that library.
    """
    purl = f"pkg:pypi/tf-sampled-compat@{version}"
    files = [
        {
            "type": "file",
            "bom-ref": f"{purl}#{path.name}",
            "name": f"{LIBRARIES.replace('.', '/')}/{path.name}",
            "hashes": [{"alg": "SHA-256", "content": sha256(path)}],
        }
        for path in libraries
    ]
    content = json.dumps([purl, files])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.datetime.fromtimestamp(DATE, datetime.timezone.utc).isoformat(),
            "component": {
                "type": "library",
                "bom-ref": purl,
                "name": "tf-sampled-compat",
                "version": version,
                "purl": purl,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": files,
        "dependencies": [{"ref": purl, "dependsOn": [file["bom-ref"] for file in files]}],
    }


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class SourceArchive(sdist):
    """Writes the archive so that it depends on names and contents alone.

    setuptools' own holds the times, owners and modes of the files, and the time of the build.
    """

    def make_archive(self, base_name, format, root_dir=None, base_dir=None, **_):
        if format != "gztar":
            raise SystemExit(f"sdist: expected --formats=gztar, got {format}")
        target = pathlib.Path(f"{base_name}.tar.gz")
        paths = sorted(p for p in pathlib.Path(base_dir).rglob("*") if not p.is_dir())
        with open(target, "wb") as file:
            # Without a name, and with a time, gzip's header is the same each time.
            with gzip.GzipFile("", "wb", fileobj=file, mtime=DATE) as packed:
                with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
                    for path in paths:
                        with open(path, "rb") as content:
                            archive.addfile(plain_entry(path), content)
        return str(target)


def plain_entry(path):
    """Returns a file's header without its owner, its time and what the umask made of its mode."""
    entry = tarfile.TarInfo(path.as_posix())
    entry.size, entry.mtime = path.stat().st_size, DATE
    entry.mode = 0o755 if os.access(path, os.X_OK) else 0o644
    return entry


setup(
    ext_modules=[Extension(LIBRARIES, sources=[])],
    cmdclass={"build_ext": BuildLibraries, "bdist_wheel": AnyPythonWheel, "sdist": SourceArchive},
)
