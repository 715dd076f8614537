"""The floor: the matrix products that a step cannot do without, and nothing else, by a good BLAS.

OpenBLAS from the package scipy-openblas32 if it is there, with as many threads as the C++ op; else
what NumPy multiplies with, which in NumPy's own wheels is an OpenBLAS too.

OpenBLAS's threads wait for each other by spinning, which is the best there is on an idle machine
and costs a slice of the scheduler's at each product on a busy one. So there are two floors, of
which the lower counts: by those threads, and by stripes of the result, each one thread's own.
"""

from __future__ import annotations

import concurrent.futures
import ctypes
import functools
import importlib
import os
import pathlib
from collections.abc import Sequence
from typing import Callable, NamedTuple

import numpy as np

from tf_sampled_compat.bench.steps import Shape
from tf_sampled_compat.bench.timing import Contender
from tf_sampled_compat.core.backends import library

# Logits beyond this size are not kept for the backward pass, but multiplied a second time.
SCRATCH_BYTES = 64 * 2**20

_KERNELS_VARIABLE = "OPENBLAS_CORETYPE"
_ROW_MAJOR, _PLAIN, _TRANSPOSED = 101, 111, 112


class Product(NamedTuple):
    """`out = a · b` of float32 matrices by rows, each of the two transposed or not."""

    a: np.ndarray
    b: np.ndarray
    out: np.ndarray
    transpose_a: bool = False
    transpose_b: bool = False

    def rows(self, chosen: slice) -> Product:
        """Returns the product that makes these rows of the result."""
        a = self.a[:, chosen] if self.transpose_a else self.a[chosen]
        return self._replace(a=a, out=self.out[chosen])


class Blas(NamedTuple):
    """Who multiplies.

    Attributes:
      name: Its name, for the report.
      ways: Ways to do so, of which the fastest counts.
    """

    name: str
    ways: Sequence[Callable[[Product], None]]


@functools.cache
def blas() -> Blas:
    """Returns the best BLAS there is."""
    # Some systems set which kernels OpenBLAS takes, and lower than it would choose: no floor then.
    preset = os.environ.pop(_KERNELS_VARIABLE, None)
    try:
        package = importlib.import_module("scipy_openblas32")
        folder = pathlib.Path(package.get_lib_dir())
        return _openblas(ctypes.CDLL(str(folder / package.get_library(fullname=True))))
    except (ImportError, OSError, AttributeError):
        return Blas(f"NumPy's {_numpy_blas()}", [_by_numpy])
    finally:
        if preset is not None:
            os.environ[_KERNELS_VARIABLE] = preset


def sampled_products(shape: Shape) -> list[Contender]:
    """Logits, their gradients for inputs and for rows; and the logits anew where they don't fit."""
    return _floors(_sampled(shape))


def tapas_products(shape: Shape) -> list[Contender]:
    """The candidates' scores, and the sampled loss of those that are kept."""
    x, w, logits = _matrices(shape.batch, shape.dim, shape.sampled)
    scores = Product(w, x, np.empty(logits.shape[::-1], np.float32), transpose_b=True)
    return _floors([scores, *_sampled(shape._replace(sampled=shape.resampled))])


def full_product(batch: int, dim: int, classes: int, *, block: int = 8192) -> list[Contender]:
    """Every class's logit, one block after another into the same memory."""
    x, part, out = _matrices(batch, dim, min(block, classes))
    w = np.empty((classes, dim), np.float32)
    blocks = [w[first : first + block] for first in range(0, classes, block)]
    for rows in blocks:
        rows[:] = part[: len(rows)]
    last = np.empty((batch, len(blocks[-1])), np.float32)
    return _floors(
        [
            Product(x, rows, out if len(rows) == out.shape[1] else last, transpose_b=True)
            for rows in blocks
        ]
    )


def _sampled(shape: Shape) -> list[Product]:
    x, w, logits = _matrices(shape.batch, shape.dim, shape.sampled)
    forward = Product(x, w, np.empty_like(logits), transpose_b=True)
    backward = [
        Product(logits, w, np.empty_like(x)),
        Product(logits, x, np.empty_like(w), transpose_a=True),
    ]
    again = [forward] if logits.nbytes > SCRATCH_BYTES else []
    return [forward, *backward, *again]


def _floors(products: Sequence[Product]) -> list[Contender]:
    def all_by(way: Callable[[Product], None]) -> Callable[[], None]:
        def run() -> None:
            for product in products:
                way(product)

        return run

    return [Contender(f"floor {i}", all_by(way)) for i, way in enumerate(blas().ways)]


def _openblas(native: ctypes.CDLL) -> Blas:
    threads = library.num_threads()
    use = native.scipy_openblas_set_num_threads
    native.scipy_openblas_get_config.restype = ctypes.c_char_p
    version, *_, kernels, _ = native.scipy_openblas_get_config().decode().split()[1:]
    sgemm = native.scipy_cblas_sgemm
    number, pointer = ctypes.c_int, ctypes.c_void_p
    sgemm.argtypes = [number] * 6 + [ctypes.c_float, pointer, number, pointer, number]
    sgemm.argtypes += [ctypes.c_float, pointer, number]
    sgemm.restype = None
    pool = concurrent.futures.ThreadPoolExecutor(threads)

    def multiply(p: Product) -> None:
        sgemm(
            _ROW_MAJOR, _TRANSPOSED if p.transpose_a else _PLAIN,
            _TRANSPOSED if p.transpose_b else _PLAIN, *p.out.shape,
            p.a.shape[0 if p.transpose_a else 1], 1.0, *_at(p.a), *_at(p.b), 0.0, *_at(p.out),
        )  # fmt: skip

    def by_its_threads(p: Product) -> None:
        use(threads)
        multiply(p)

    def by_stripes(p: Product) -> None:
        use(1)
        cuts = [len(p.out) * i // threads for i in range(threads + 1)]
        stripes = [p.rows(slice(*ends)) for ends in zip(cuts, cuts[1:]) if ends[0] < ends[1]]
        list(pool.map(multiply, stripes))

    name = f"OpenBLAS {version} (scipy-openblas32), {kernels} kernels, {threads} threads"
    return Blas(name, [by_its_threads, by_stripes])


def _at(matrix: np.ndarray) -> tuple[int, int]:
    """Where a matrix begins, and how far its rows are apart."""
    return matrix.ctypes.data, matrix.strides[0] // matrix.itemsize


def _by_numpy(p: Product) -> None:
    np.matmul(p.a.T if p.transpose_a else p.a, p.b.T if p.transpose_b else p.b, out=p.out)


def _numpy_blas() -> str:
    try:
        found = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    except (TypeError, KeyError):  # NumPy < 1.25
        return "BLAS"
    return f"{found['name']} {found.get('version', '')}".strip()


def _matrices(batch: int, dim: int, classes: int) -> tuple[np.ndarray, ...]:
    """Returns inputs, rows and what may stand for their logits, of normal numbers."""
    rng = np.random.default_rng(0)
    sizes = (batch, dim), (classes, dim), (batch, classes)
    return tuple(rng.standard_normal(size, np.float32) for size in sizes)
