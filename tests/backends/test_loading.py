"""The op's library is loaded late and once, from any thread, or refused with a single warning."""

import os
import pathlib
import shutil
import subprocess
import threading
import time

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.fresh_library import forget_the_library
from tests.problems import assert_close, problem
from tf_sampled_compat.core.backends import library

P = problem(C=200, D=16, B=64, T=2, S=64)


def binary():
    """Returns the library for this CPU."""
    name = library.best_instruction_set(library.cpu_flags())
    return library.directory() / f"libsampled_compat_{name}.so"


def loss(**options):
    return tsc.nn.nce_loss(P.weights, P.biases, P.labels, P.inputs, **P.arguments, **options)


def assert_composite_with_one_warning(warnings, why):
    with pytest.MonkeyPatch.context() as patch:
        opened = []
        load = tf.load_op_library
        patch.setattr(tf, "load_op_library", lambda path: opened.append(path) or load(path))
        for _ in range(3):
            assert np.array_equal(loss(), loss(implementation="composite"))
            for fails in (lambda: loss(implementation="fused"), tsc.load_ops):
                with pytest.raises(RuntimeError) as error:
                    fails()
                assert why in str(error.value)
        assert len(opened) <= 1, "tried twice"
    assert len(warnings) == 1 and why in warnings[0]
    assert "computes with TensorFlow's ops" in warnings[0]


def truncated(size):
    return lambda data: data[:size]


def for_another_machine(data):
    return data[:18] + b"\xb7\x00" + data[20:]  # AArch64


def with_no_code(data):
    return data[:64] + bytes(len(data) - 64)


def without_sections(data):
    return data[:60] + bytes(4) + data[64:]


def sections_elsewhere(data):
    return data[:40] + b"\xff" * 8 + data[48:]


BAD_FILES = {
    "cut in the middle": (truncated(100_000), "is cut short"),
    "cut in the first page": (truncated(300), "is cut short"),
    "cut in the header": (truncated(40), "is cut short"),
    "empty": (truncated(0), "is not a shared library"),
    "text": (lambda data: b"404: Not Found\n", "is not a shared library"),
    "another machine": (for_another_machine, "is for another machine (ELF machine 183"),
    "32 bits": (lambda data: data[:4] + b"\x01" + data[5:], "is for another machine"),
    "zeros": (with_no_code, "has interface 0"),
    "no section names it": (without_sections, "has interface 0"),
    "sections out of the file": (sections_elsewhere, "has interface 0"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file(kind, warnings, tmp_path, monkeypatch):
    change, why = BAD_FILES[kind]
    source = binary()
    (tmp_path / source.name).write_bytes(change(source.read_bytes()))
    monkeypatch.setenv(library.DIRECTORY_VARIABLE, str(tmp_path))
    monkeypatch.setattr(library, "_another_copy", lambda path: None)
    assert_composite_with_one_warning(warnings, why)
    assert str(tmp_path / source.name) in warnings[0]
    assert "correct TF_SAMPLED_COMPAT_LIBRARY_DIR" in warnings[0]


def test_no_file(warnings, tmp_path, monkeypatch):
    monkeypatch.setattr(library, "directory", lambda: tmp_path)
    assert_composite_with_one_warning(warnings, f"there is no {binary().name} in {tmp_path}")
    assert "reinstall tf_sampled_compat where a C++17 compiler" in warnings[0]


@pytest.mark.parametrize("version", ["2.11.1", "2.9.0", "1.15.5"])
def test_an_unsupported_tensorflow(version, warnings, monkeypatch):
    monkeypatch.setattr(tf, "__version__", version)
    monkeypatch.setattr(tf, "load_op_library", lambda path: pytest.fail("it was opened"))
    assert_composite_with_one_warning(warnings, f"TensorFlow 2.12 or later, and this is {version}")
    assert "upgrade TensorFlow" in warnings[0]


@pytest.mark.parametrize("version", ["2.12.0", "2.21.0", "2.22.0-dev20260101", "3.0.0"])
def test_a_supported_tensorflow(version, monkeypatch):
    monkeypatch.setattr(tf, "__version__", version)
    assert library.supported()


@pytest.mark.parametrize("plain", [True, False])
def test_an_interface_of_another_version_is_refused(plain, warnings, monkeypatch):
    """Before it is opened, if the file states it plainly; else after it registered its ops."""
    actual = library.INTERFACE_VERSION
    with monkeypatch.context() as patch:
        patch.setattr(library, "INTERFACE_VERSION", 99)
        if plain:
            patch.setattr(tf, "load_op_library", lambda path: pytest.fail("it was opened"))
        else:
            patch.setattr(library.elf, "returned_number", lambda *_: None)
        why = f"has interface {actual}, and this package needs 99"
        assert_composite_with_one_warning(warnings, why)
    # A refused library may have registered its ops, and the package can still use them afterwards.
    forget_the_library()
    assert_close(loss(implementation="fused"), loss(implementation="composite"))


def test_a_library_that_does_not_say_its_interface_is_refused():
    class Old:
        pass

    assert "has interface 0" in library._refusal(Old())


FOREIGN = """
#include <stdio.h>
__attribute__((constructor)) static void run(void) { fclose(fopen("TRACE", "w")); }
"""
VERSIONS = {
    "none": ("", "has interface 0"),
    "another": ("int SampledCompatInterfaceVersion(void) { return 3; }", "has interface 3"),
    "undefined": (
        "int SampledCompatInterfaceVersion(void);\n"
        "int f(void) { return SampledCompatInterfaceVersion(); }",
        "has interface 0",
    ),
}


@pytest.mark.skipif(not shutil.which("gcc"), reason="no compiler")
@pytest.mark.parametrize("protection", ["none", "branch"])
@pytest.mark.parametrize("version", VERSIONS)
def test_no_code_of_a_foreign_library_runs(version, protection, warnings, tmp_path, monkeypatch):
    code, why = VERSIONS[version]
    trace, path = tmp_path / "it-ran", tmp_path / binary().name
    (tmp_path / "a.c").write_text(FOREIGN.replace("TRACE", str(trace)) + code)
    build = ["gcc", "-O2", "-shared", "-fPIC", f"-fcf-protection={protection}"]
    subprocess.run([*build, "-o", str(path), str(tmp_path / "a.c")], check=True)
    monkeypatch.setenv(library.DIRECTORY_VARIABLE, str(tmp_path))
    monkeypatch.setattr(library, "_another_copy", lambda path: None)
    assert_composite_with_one_warning(warnings, why)
    assert not trace.exists()


@pytest.mark.skipif(not shutil.which("gcc"), reason="no compiler")
@pytest.mark.parametrize("number", [0, 1, 5, 2**31 - 1, -7])
@pytest.mark.parametrize("protection", ["none", "branch"])
def test_a_number_is_read_from_a_file(number, protection, tmp_path):
    (tmp_path / "a.c").write_text(
        f"int f(void) {{ return {number}; }} int g(int x) {{ return x; }}"
    )
    build = ["gcc", "-O2", "-shared", "-fPIC", f"-fcf-protection={protection}"]
    subprocess.run([*build, "-o", str(tmp_path / "a.so"), str(tmp_path / "a.c")], check=True)
    # A compiler sets a register to 0 in another way, and no interface has that number.
    assert library.elf.returned_number(tmp_path / "a.so", "f") == (number or None)
    assert library.elf.returned_number(tmp_path / "a.so", "g") is None
    assert library.elf.returned_number(tmp_path / "a.so", "h") is None


def test_each_library_of_the_package_states_its_interface():
    for path in library.directory().glob("libsampled_compat_*.so"):
        stated = library.elf.returned_number(path, "SampledCompatInterfaceVersion")
        assert stated == library.INTERFACE_VERSION, path.name


@pytest.mark.parametrize("folder", ["lib", "./lib", "../lib", "~/lib"])
def test_a_relative_folder_is_refused(folder, warnings, tmp_path, monkeypatch):
    """The working directory decides what it means, and who may write there."""
    (tmp_path / "lib").mkdir()
    shutil.copy(binary(), tmp_path / "lib")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(library.DIRECTORY_VARIABLE, folder)
    monkeypatch.setattr(tf, "load_op_library", lambda path: pytest.fail("it was opened"))
    why = f"TF_SAMPLED_COMPAT_LIBRARY_DIR: expected an absolute path, got '{pathlib.Path(folder)}'"
    assert_composite_with_one_warning(warnings, why)


def test_a_second_copy_is_not_opened(warnings, tmp_path, monkeypatch):
    """It would register each kernel again, and TensorFlow fails if it finds two."""
    tsc.load_ops()
    forget_the_library()
    first = binary()
    shutil.copy(first, tmp_path)
    monkeypatch.setenv(library.DIRECTORY_VARIABLE, str(tmp_path))
    assert_composite_with_one_warning(warnings, f"is not loaded beside {first}")


def test_elsewhere_there_is_no_op_and_no_warning(warnings, monkeypatch):
    monkeypatch.setattr(library.platform, "machine", lambda: "aarch64")
    assert np.array_equal(loss(), loss(implementation="composite"))
    assert not warnings
    with pytest.raises(RuntimeError, match="built for Linux on x86-64, and this is .* aarch64"):
        tsc.load_ops()


def test_a_refusal_keeps_no_frames(warnings, tmp_path, monkeypatch):
    """Otherwise the tensors of each failing call would live as long as the process."""
    monkeypatch.setattr(library, "directory", lambda: tmp_path)
    errors = []
    for _ in range(2):
        with pytest.raises(library.LibraryError) as caught:
            library.load()
        errors.append(caught.value)
    assert errors[0] is not errors[1]


def in_threads(count, work):
    """Runs work(i) in several threads that start together; returns their results."""
    results, barrier = [None] * count, threading.Barrier(count)

    def run(i):
        barrier.wait()
        results[i] = work(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("fails", [False, True])
def test_threads_load_once_and_warn_once(fails, warnings, monkeypatch):
    opened = []
    real = library._open

    def slow(instruction_set):
        opened.append(instruction_set)
        time.sleep(0.1)
        if fails:
            raise library.LibraryError("no such luck")
        return real(instruction_set)

    monkeypatch.setattr(library, "_open", slow)
    reasons = in_threads(8, lambda i: library.missing())
    assert reasons == ["no such luck" if fails else None] * 8
    assert len(opened) == 1 and len(warnings) == int(fails)


def test_many_threads_compute_at_once():
    step = tf.function(lambda x: tsc.nn.nce_loss(P.weights, P.biases, P.labels, x, **P.arguments))

    def work(i):
        x = tf.Variable(P.inputs * (1 + i))
        results = []
        for _ in range(10):
            with tf.GradientTape() as tape:
                value = step(x) if i % 2 else step.python_function(x)
            results.append([value.numpy(), tape.gradient(value, x).numpy()])
        return results

    with tsc.implementation("fused"):  # Each thread has its own default.
        alone = [work(i)[0] for i in range(6)]
    for results, want in zip(in_threads(6, work), alone):
        for got in results:
            for g, w in zip(got, want):
                assert_close(g, w, 1e-6)


def test_the_number_of_threads_is_tensorflows(monkeypatch):
    cpus = len(os.sched_getaffinity(0))
    assert library.num_threads() == cpus
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "3")
    assert library.num_threads() == 3
    monkeypatch.setattr(tf.config.threading, "get_intra_op_parallelism_threads", lambda: 5)
    assert library.num_threads() == 5
