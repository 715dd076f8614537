"""What the libraries show to the rest of a process."""

import shutil
import subprocess

import op_loader
import pytest


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
