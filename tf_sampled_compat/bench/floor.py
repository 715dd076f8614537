"""The floor: only the matrix products that a step needs, computed by a good BLAS.

The BLAS is OpenBLAS from the package scipy-openblas32, with as many threads as the C++ op. Without
that package it is NumPy's BLAS, which in NumPy's own wheels is also an OpenBLAS.

The threads of OpenBLAS spin while they wait for each other. That is the fastest way on an idle
machine, but on a busy one each product loses a time slice. So there are two floors, and the lower
one counts: one uses these threads, the other gives each thread a stripe of the result.
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

# The op does not keep larger logits for the backward pass, but computes them a second time.
SCRATCH_BYTES = 64 * 2**20

_KERNELS_VARIABLE = "OPENBLAS_CORETYPE"
_ROW_MAJOR, _PLAIN, _TRANSPOSED = 101, 111, 112


class Product(NamedTuple):
    """`out = a · b` of row-major float32 matrices; each factor may be transposed."""

    a: np.ndarray
    b: np.ndarray
    out: np.ndarray
    transpose_a: bool = False
    transpose_b: bool = False

    def rows(self, chosen: slice) -> Product:
        """Returns the product that computes these rows of the result."""
        a = self.a[:, chosen] if self.transpose_a else self.a[chosen]
        return self._replace(a=a, out=self.out[chosen])


class Blas(NamedTuple):
    """A library that multiplies matrices.

    Attributes:
      name: Its name, for the report.
      ways: Functions that compute a product; the fastest counts.
    """

    name: str
    ways: Sequence[Callable[[Product], None]]


@functools.cache
def blas() -> Blas:
    """Returns the best BLAS that is installed."""
    # Some systems force slower kernels on OpenBLAS than it would choose: that would be no floor.
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
    """The logits, both gradients of them, and the logits again where the op does not keep them."""
    return _floors(_sampled(shape))


def tapas_products(shape: Shape) -> list[Contender]:
    """The scores of all candidates, and the sampled loss of the kept ones."""
    x, w, logits = _matrices(shape.batch, shape.dim, shape.sampled)
    scores = Product(w, x, np.empty(logits.shape[::-1], np.float32), transpose_b=True)
    return _floors([scores, *_sampled(shape._replace(sampled=shape.resampled))])


def full_product(batch: int, dim: int, classes: int, *, block: int = 8192) -> list[Contender]:
    """The logits of all classes, block by block into the same memory."""
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
    """Returns the address of a matrix, and the distance of its rows in elements."""
    return matrix.ctypes.data, matrix.strides[0] // matrix.itemsize


def _by_numpy(p: Product) -> None:
    np.matmul(p.a.T if p.transpose_a else p.a, p.b.T if p.transpose_b else p.b, out=p.out)


def _numpy_blas() -> str:
    try:
        found = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    except (TypeError, KeyError):  # NumPy < 1.25
        return "BLAS"
    return f"{found['name']} {found.get('version', '')}".strip()


def _matrices(batch: int, dim: int, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns inputs, rows and logits of normal numbers."""
    rng = np.random.default_rng(0)
    sizes = (batch, dim), (classes, dim), (batch, classes)
    x, w, logits = (rng.standard_normal(size, np.float32) for size in sizes)
    return x, w, logits
