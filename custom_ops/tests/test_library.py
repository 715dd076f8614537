"""What the libraries show to the rest of a process."""

import re
import shutil
import subprocess

import op_loader
import pytest

# What the libraries of Debian 9 have: glibc 2.24 and GCC 6.
OLDEST = {"GLIBC": (2, 24), "GLIBCXX": (3, 4, 22), "CXXABI": (1, 3, 10), "GCC": (4, 8)}


@pytest.mark.skipif(shutil.which("nm") is None, reason="nm comes with the compiler's linker")
@pytest.mark.parametrize("instruction_set", ["baseline", "avx2", "avx512"])
def test_three_functions_are_exported(instruction_set):
    """A template of the C++ library that is exported would be replaced by TensorFlow's copy."""
    path = op_loader.BUILD / f"libsampled_compat_{instruction_set}.so"
    command = ["nm", "--dynamic", "--defined-only", "--format=posix", str(path)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert {line.split()[0] for line in lines} == {
        "SampledCompatInstructionSet",
        "SampledCompatInterfaceVersion",
        "SampledCompatSetNumThreads",
    }


@pytest.mark.skipif(shutil.which("objdump") is None, reason="objdump comes with the linker")
@pytest.mark.parametrize("instruction_set", ["baseline", "avx2", "avx512"])
def test_the_systems_that_tensorflow_runs_on_have_all_it_needs(instruction_set):
    path = op_loader.BUILD / f"libsampled_compat_{instruction_set}.so"
    text = subprocess.run(["objdump", "-p", str(path)], capture_output=True, text=True).stdout
    needed = re.findall(r"\b(GLIBC|GLIBCXX|CXXABI|GCC)_([\d.]+)", text)
    assert needed
    for library, version in needed:
        assert tuple(map(int, version.split("."))) <= OLDEST[library], f"{library}_{version}"
