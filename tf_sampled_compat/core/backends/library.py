"""Finds the C++ op's library, chooses the one for this CPU, and loads it once, at first use."""

from __future__ import annotations

import ctypes
import functools
import os
import pathlib
import platform
import threading
from typing import Any, NamedTuple, Optional, Union

import tensorflow as tf
from absl import logging

from tf_sampled_compat.core.backends import elf

# The folder of the libraries, for users who build their own. Default: the package's own folder. A
# relative one would name another folder after a change of the working directory.
DIRECTORY_VARIABLE = "TF_SAMPLED_COMPAT_LIBRARY_DIR"
OLDEST_TENSORFLOW = (2, 12)
# The ops' interface that this Python code is written against; the binary states its own.
INTERFACE_VERSION = 7
_VERSION = "SampledCompatInterfaceVersion"  # the function that returns the binary's

# Best first, each with the flags of /proc/cpuinfo that it needs.
INSTRUCTION_SETS = {
    "avx512": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
    "avx2": {"avx2", "fma", "bmi1", "bmi2", "f16c", "movbe"},
    "baseline": set(),
}
_REINSTALL = (
    "reinstall tf_sampled_compat where a C++17 compiler and make are installed, to build it again"
)

_lock = threading.Lock()


class LibraryError(RuntimeError):
    """The C++ op is not available. The message says why and what to do."""


class Library(NamedTuple):
    """A loaded library.

    Attributes:
      ops: The module of op wrappers that TensorFlow generated.
      native: The plain C functions of the same file.
      path: The file.
      instruction_set: The instruction set that it was compiled for.
    """

    ops: Any
    native: ctypes.CDLL
    path: pathlib.Path
    instruction_set: str

    @property
    def threads(self) -> int:
        """The number of threads that its kernels use."""
        return num_threads()


def load_ops() -> None:
    """Registers the C++ ops with TensorFlow. A loss does this itself when it first needs them.

    Call it before a process that has computed no loss loads a graph with the ops: by
    `tf.compat.v1.train.import_meta_graph`, by `tf.saved_model.load` of a training function, or as
    a TensorFlow server whose graphs are built elsewhere. A second call does nothing.

    Raises:
      RuntimeError: If the ops are not available. The message says why and what to do.

    >>> tsc.load_ops()  # doctest: +SKIP
    >>> saver = tf.compat.v1.train.import_meta_graph("model.meta")  # doctest: +SKIP
    """
    _loaded()


def load() -> Library:
    """Returns the library, and loads it at the first call.

    Raises:
      LibraryError: If it is not available. The result is kept; loading is tried once.
    """
    library = _loaded()
    _size_pool_again(library)
    return library


def why_not() -> Optional[str]:
    """Returns why there is no library, or None if there is one."""
    with _lock:
        outcome = _load_once()
    return outcome if isinstance(outcome, str) else None


def missing() -> Optional[str]:
    """Does the same, and warns once if this platform should have a library."""
    reason = why_not()
    if reason is not None:
        with _lock:
            _warn_once(reason)
    return reason


def promised() -> bool:
    """Whether the op should be available on this platform."""
    return platform.system() == "Linux" and platform.machine() == "x86_64"


def supported() -> bool:
    """Whether the op supports this TensorFlow."""
    return tuple(int(part) for part in tf.__version__.split(".")[:2]) >= OLDEST_TENSORFLOW


def directory() -> pathlib.Path:
    """Returns the folder of the libraries.

    Raises:
      LibraryError: If the environment names a relative one.
    """
    here = pathlib.Path(__file__).resolve().parents[2] / "lib"
    folder = pathlib.Path(os.environ.get(DIRECTORY_VARIABLE) or here)
    if not folder.is_absolute():
        raise LibraryError(
            f"{DIRECTORY_VARIABLE}: expected an absolute path, got {str(folder)!r}: {_remedy()}"
        )
    return folder


def best_instruction_set(flags: set[str]) -> str:
    """Returns the best instruction set of a CPU with these flags."""
    return next(name for name, needed in INSTRUCTION_SETS.items() if needed <= flags)


def cpu_flags() -> set[str]:
    """Returns this CPU's flags, as the kernel names them."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return next((set(l.split(":")[1].split()) for l in lines if l.startswith("flags")), set())


def num_threads() -> int:
    """Returns how many threads a kernel may use: TensorFlow's intra-op setting, or all CPUs."""
    asked = tf.config.threading.get_intra_op_parallelism_threads()
    if not asked:
        text = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
        asked = int(text) if text.isdecimal() else 0
    return asked or len(os.sched_getaffinity(0))


def _loaded() -> Library:
    with _lock:
        outcome = _load_once()
    if isinstance(outcome, str):
        # Make a new one each time: an exception keeps its frames alive, and so their tensors.
        raise LibraryError(outcome)
    return outcome


@functools.cache
def _load_once() -> Union[Library, str]:
    try:
        return _open(best_instruction_set(cpu_flags()))
    except LibraryError as error:
        return str(error)


def _open(instruction_set: str) -> Library:
    if not promised():
        raise LibraryError(
            f"the C++ op is built for Linux on x86-64, and this is {platform.system()} on "
            f"{platform.machine()}"
        )
    if not supported():
        oldest = ".".join(map(str, OLDEST_TENSORFLOW))
        raise LibraryError(
            f"the C++ op needs TensorFlow {oldest} or later, and this is {tf.__version__}: "
            "upgrade TensorFlow"
        )
    path = directory() / f"libsampled_compat_{instruction_set}.so"
    if not path.exists():
        raise LibraryError(f"there is no {path.name} in {path.parent}: {_remedy()}")
    try:
        if reason := elf.damage(path) or _foreign(path) or _another_copy(path):
            raise LibraryError(f"{path} {reason}: {_remedy()}")
        # The ops register themselves while the file is being opened, so TensorFlow must open it.
        ops = tf.load_op_library(str(path))
        native = ctypes.CDLL(str(path))
        if reason := _refusal(native):
            raise LibraryError(f"{path} {reason}: {_remedy()}")
    except LibraryError:
        raise
    except Exception as error:  # Any error will do: the composite still computes the losses.
        raise LibraryError(f"{path} cannot be loaded ({error}): {_remedy()}") from error
    _size_pool(native)
    return Library(ops, native, path, instruction_set)


def _another_copy(path: pathlib.Path) -> Optional[str]:
    """Returns an error if another such library is open, or None. Two would break their ops."""
    mapped = {line.split()[-1] for line in pathlib.Path("/proc/self/maps").read_text().splitlines()}
    for name in sorted(mapped - {str(path.resolve())}):
        if pathlib.Path(name).name.startswith("libsampled_compat_"):
            return f"is not loaded beside {name}, which this process has open"
    return None


def _refusal(native: ctypes.CDLL) -> Optional[str]:
    """Returns why an opened library cannot be used, or None."""
    version = getattr(native, _VERSION, None)
    return _other_interface(0 if version is None else version())  # The first had no version.


def _foreign(path: pathlib.Path) -> Optional[str]:
    """Returns why a file must not be opened, or None. To open a library runs its constructors."""
    if not elf.exports(path, _VERSION):
        return _other_interface(0)
    # A build without optimization does not state it as plainly: see `_refusal`.
    interface = elf.returned_number(path, _VERSION)
    return None if interface is None else _other_interface(interface)


def _other_interface(interface: int) -> Optional[str]:
    if interface == INTERFACE_VERSION:
        return None
    return f"has interface {interface}, and this package needs {INTERFACE_VERSION}"


def _remedy() -> str:
    if os.environ.get(DIRECTORY_VARIABLE):
        return f"correct {DIRECTORY_VARIABLE}, or unset it"
    return _REINSTALL


def _size_pool(native: ctypes.CDLL) -> None:
    native.SampledCompatSetNumThreads(num_threads())


@functools.cache
def _size_pool_again(library: Library) -> None:
    # The program may set its number of threads until TensorFlow computes something. So the ops may
    # have been loaded before.
    _size_pool(library.native)


@functools.cache
def _warn_once(reason: str) -> None:
    if promised():
        logging.warning("tf_sampled_compat computes with TensorFlow's ops, slower: %s", reason)
