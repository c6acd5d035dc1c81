"""Products of histories and item-item weights, and the sparse matrix format that kernels read."""

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp

from recexp import threads
from recexp.data import Queries
from recexp.ranking import CSR, Lists, Ranking

FEW = 8
"""Rows of a product are sparse where they take fewer multiplications than one for so many of their entries."""


def csr_arrays(matrix: sp.csr_array) -> CSR:
    """Return a CSR matrix as arrays of these types, the one signature that kernels are compiled for."""
    return (
        np.require(matrix.indptr, np.int64, ["C", "W"]),
        np.require(matrix.indices, np.int32, ["C", "W"]),
        np.require(matrix.data, np.float32, ["C", "W"]),
    )


def times(left: sp.csr_array, right: sp.csr_array | np.ndarray) -> np.ndarray:
    """Return left @ right as dense float32 (b, n), for sparse left (b, m) and sparse or dense right (m, n)."""
    _check_shapes(left, right)
    out, rows = np.zeros((left.shape[0], right.shape[1]), np.float32), csr_arrays(left)
    kernel, given = _kernel(right)
    threads.map_rows(lambda start, stop: kernel(start, stop, *rows, *given, out), len(out))
    return out


def compact(matrix: sp.csr_array) -> sp.csr_array:
    """Return CSR weights with int32 indices if they fit; converting once avoids conversions in kernels."""
    kind = sp.get_index_dtype(maxval=max(matrix.nnz, *matrix.shape))
    parts = matrix.data, matrix.indices.astype(kind, copy=False), matrix.indptr.astype(kind, copy=False)
    return sp.csr_array(parts, shape=matrix.shape)


def lists_of_product(
    left: sp.csr_array, right: sp.csr_array | np.ndarray, queries: Queries, k: int, ranking: Ranking
) -> Lists:
    """Return the k best items of each query by its row of left @ right, for sparse left and sparse or dense right."""
    _check_shapes(left, right)
    if right.shape[1] != queries.n_items:
        raise ValueError(f"weights have {right.shape[1]} columns, but there are {queries.n_items} items")
    if queries.candidates is None and not isinstance(right, np.ndarray):
        rows, weights = csr_arrays(left), csr_arrays(right)
        if FEW * np.diff(weights[0])[rows[1]].sum() < len(queries) * queries.n_items:
            return ranking.top_k_of_product(rows, weights, queries, k)
    return ranking.top_k_of(rows_times(left, right), queries, k)


def rows_times(left: sp.csr_array, right: sp.csr_array | np.ndarray) -> Callable[[int, int], np.ndarray]:
    """Return a function of (start, stop) that computes these rows of left @ right, dense float32, in one thread."""
    _check_shapes(left, right)
    indptr, indices, data = csr_arrays(left)
    kernel, given = _kernel(right)

    def product(start: int, stop: int) -> np.ndarray:
        out = np.zeros((stop - start, right.shape[1]), np.float32)
        kernel(0, stop - start, indptr[start : stop + 1], indices, data, *given, out)
        return out

    return product


def _check_shapes(left: sp.csr_array, right: sp.csr_array | np.ndarray) -> None:
    """Raise ValueError if the shapes do not match: kernels would read out of bounds."""
    if left.shape[1] != right.shape[0]:
        raise ValueError(f"cannot multiply matrices of {left.shape} and {right.shape}")


def _kernel(right: sp.csr_array | np.ndarray) -> tuple[Callable[..., None], tuple[np.ndarray, ...]]:
    """Return the row loop for a right side, and the right side in the format that the loop reads."""
    from recexp.algorithms.kernels import sparse

    if isinstance(right, np.ndarray):
        return sparse.times_dense, (np.require(right, np.float32, ["C", "W"]),)
    return sparse.times_sparse, csr_arrays(right)
