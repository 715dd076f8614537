"""Builds the C++ op's libraries into the package; pyproject.toml has all other settings.

Without make or a C++ compiler, the package still installs and computes with TensorFlow's ops. Set
TF_SAMPLED_COMPAT_BUILD=require to make a failed build an error, or =skip to build nothing.
"""

import os
import pathlib
import platform
import subprocess
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # setuptools < 70.1
    from wheel.bdist_wheel import bdist_wheel

ROOT = pathlib.Path(__file__).resolve().parent
LIBRARIES = "tf_sampled_compat.lib"
BUILD = os.environ.get("TF_SAMPLED_COMPAT_BUILD", "try")


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


setup(
    ext_modules=[Extension(LIBRARIES, sources=[])],
    cmdclass={"build_ext": BuildLibraries, "bdist_wheel": AnyPythonWheel},
)
