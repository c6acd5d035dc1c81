"""Products of histories with learned item-item weights, and the one form in which kernels read sparse matrices."""

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp

from recexp import threads


def parts(matrix: sp.csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return indptr int64, indices int32, data float32 of a CSR matrix: one signature for every kernel to compile."""
    kinds = (np.int64, np.int32, np.float32)
    return tuple(np.require(a, kind, "CW") for a, kind in zip((matrix.indptr, matrix.indices, matrix.data), kinds))


def times_dense(left: sp.csr_array, right: np.ndarray) -> np.ndarray:
    """Return left @ right as float32 (b, n), for sparse left (b, m) and float32 right (m, n)."""
    from recexp.algorithms.kernels import sparse

    out, rows = np.zeros((left.shape[0], right.shape[1]), np.float32), parts(left)
    right = np.require(right, np.float32, "CW")
    threads.map_rows(lambda start, stop: sparse.times_dense(start, stop, *rows, right, out), len(out))
    return out


def rows_times_dense(left: sp.csr_array, right: np.ndarray) -> Callable[[int, int], np.ndarray]:
    """Return a function of (start, stop) that works out these rows of left @ right, dense float32, in one thread."""
    from recexp.algorithms.kernels import sparse

    (indptr, indices, data), right = parts(left), np.require(right, np.float32, "CW")

    def product(start: int, stop: int) -> np.ndarray:
        out = np.zeros((stop - start, right.shape[1]), np.float32)
        sparse.times_dense(0, stop - start, indptr[start : stop + 1], indices, data, right, out)
        return out

    return product


def rows_times_sparse(left: sp.csr_array, right: sp.csr_array) -> Callable[[int, int], np.ndarray]:
    """Return a function of (start, stop) that works out these rows of left @ right, dense float32, in one thread."""
    from recexp.algorithms.kernels import sparse

    rows, columns = parts(left), parts(right)

    def product(start: int, stop: int) -> np.ndarray:
        out = np.zeros((stop - start, right.shape[1]), np.float32)
        sparse.times_sparse(0, stop - start, rows[0][start : stop + 1], *rows[1:], *columns, out)
        return out

    return product


def times_sparse(left: sp.csr_array, right: sp.csr_array) -> np.ndarray:
    """Return left @ right as a dense float32 (b, n), for sparse left (b, m) and right (m, n)."""
    from recexp.algorithms.kernels import sparse

    out, rows, columns = np.zeros((left.shape[0], right.shape[1]), np.float32), parts(left), parts(right)
    threads.map_rows(lambda start, stop: sparse.times_sparse(start, stop, *rows, *columns, out), len(out))
    return out
