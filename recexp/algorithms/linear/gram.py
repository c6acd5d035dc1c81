"""The Gram matrix of a binary matrix: how many users each two items share."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import scipy.sparse as sp

from recexp import threads
from recexp.algorithms.sparse_products import CSR, csr_arrays
from recexp.errors import DataError

STRIP = 512
"""Rows worked on at once when a triangle becomes a matrix: small beside it."""

AT_ONCE = 10_000
"""Rows up to which LAPACK inverts the whole; of many more OpenBLAS's threads write past their buffers: it crashed at
41,000 rows of float32 on 2 threads."""

BLOCK = 2048
"""Rows of the blocks of which larger ones are made."""


def lower(x: sp.csr_array, dtype: type = np.float64) -> np.ndarray:
    """Return the lower triangle of X^T X as (n_items, n_items), zeros above it; float32 is exact below 2^24 users."""
    from recexp.algorithms.kernels import gram

    out: np.ndarray = np.zeros((x.shape[1], x.shape[1]), dtype)
    threads.map_rows(_with(gram.lower, *_both(x), out), len(out))
    return out


def dense(x: sp.csr_array) -> np.ndarray:
    """Return X^T X as float32 (n_items, n_items), exact below 2^24 users."""
    from recexp.algorithms.kernels import gram

    out = np.zeros((x.shape[1], x.shape[1]), np.float32)
    threads.map_rows(_with(gram.dense, *_both(x), out), len(out))
    return out


def sparse(x: sp.csr_array) -> CSR:
    """Return X^T X as the indptr int64, indices int32 and data float32 of its rows, indices not sorted."""
    from recexp.algorithms.kernels import gram

    both, n = _both(x), x.shape[1]
    counts = np.zeros(n, np.int64)
    threads.map_rows(_with(gram.count, *both, counts), n)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    indices, data = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.float32)
    threads.map_rows(_with(gram.fill, *both, indptr, indices, data), n)
    return indptr, indices, data


def is_sparse(x: sp.csr_array) -> bool:
    """Whether the sparse form is bound to be the smaller one: its 8 bytes an entry against 4 for all n_items^2."""
    return 2 * int((np.diff(x.indptr).astype(np.int64) ** 2).sum()) < x.shape[1] ** 2


def inverted(triangle: np.ndarray, added: np.ndarray | float) -> np.ndarray:
    """Return the lower triangle of (X^T X + diag(added))^-1, in the place of `triangle`, that of X^T X, (n, n).

    It is worked out in the precision of `triangle`, float64 or float32. Raises numpy.linalg.LinAlgError when there is
    no Cholesky factor.
    """
    triangle[np.diag_indices_from(triangle)] += added
    return _inverted_at_once(triangle) if len(triangle) <= AT_ONCE else _inverted_in_blocks(triangle)


def _inverted_at_once(triangle: np.ndarray) -> np.ndarray:
    potrf, potri = _lapack("potrf", "potri", dtype=triangle.dtype)
    factor, failed = potrf(triangle.T, lower=0, clean=0, overwrite_a=1)  # the lower triangle, read by columns
    _check(failed)
    inverse, failed = potri(factor, lower=0, overwrite_c=1)
    _check(failed)
    return inverse.T


def _inverted_in_blocks(a: np.ndarray) -> np.ndarray:
    """Take the same three steps block by block: A = L L^T, M = L^-1, A^-1 = M^T M, each in the place of the last."""
    potrf, trtri = _lapack("potrf", "trtri", dtype=a.dtype)
    cuts = [slice(start, start + BLOCK) for start in range(0, len(a), BLOCK)]
    n = range(len(cuts))
    block = {(i, j): a[cuts[i], cuts[j]] for i in n for j in n if i >= j}
    for k in n:  # L, but for its diagonal blocks, of which only the inverse is needed
        factor, failed = potrf(block[k, k], lower=1)
        _check(failed)
        block[k, k][:], _ = trtri(factor, lower=1)
        for i in n[k + 1 :]:
            block[i, k][:] = block[i, k] @ block[k, k].T
        for i in n[k + 1 :]:
            for j in n[k + 1 : i + 1]:
                block[i, j][:] -= block[i, k] @ block[j, k].T
    for j in n[::-1]:  # M_ij = -(sum over j < k <= i of M_ik L_kj) M_jj
        for i in n[:j:-1]:
            block[i, j][:] = -sum(block[i, k] @ block[k, j] for k in n[j + 1 : i + 1]) @ block[j, j]
    for i in n:  # (M^T M)_ij = sum over k >= i of M_ki^T M_kj
        for j in n[: i + 1]:
            block[i, j][:] = sum(block[k, i].T @ block[k, j] for k in n[i:])
    return a


def _lapack(*names: str, dtype: np.dtype) -> list[Callable[..., Any]]:
    from scipy.linalg import get_lapack_funcs

    return cast(list[Callable[..., Any]], get_lapack_funcs(names, dtype=dtype))  # a list of them, for names is a tuple


def _check(failed: int) -> None:
    if failed:
        raise np.linalg.LinAlgError("X^T X + diag(added) has no Cholesky factor")


def mirrored(triangle: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return the symmetric matrix whose lower triangle is `triangle`, its columns times `scale`, float32 (n, n).

    It takes the place of a `triangle` of float32.
    """
    full = triangle if triangle.dtype == np.float32 else np.empty(triangle.shape, np.float32)
    scale = scale.astype(np.float32)

    def mirror(first: int, last: int) -> None:
        for start in range(first * STRIP, last * STRIP, STRIP):
            stop = start + STRIP
            rows = triangle[start:stop, :stop].astype(np.float32)
            corner = np.tril(rows[:, start:])
            rows[:, start:] = corner + np.tril(corner, -1).T
            np.multiply(rows[:, :start], scale[:start], out=full[start:stop, :start])
            np.multiply(rows.T, scale[start:stop], out=full[:stop, start:stop])

    threads.map_rows(mirror, -(-len(full) // STRIP))
    return full


def _both(x: sp.csr_array) -> tuple[np.ndarray, ...]:
    """Return where each item's users begin, the users, where each user's items begin, and the items.

    Raises DataError when there are no items.
    """
    if not x.shape[1]:
        raise DataError("there is nothing to learn from: train has no items")
    by_user_ptr, by_user, _ = csr_arrays(x)
    by_item_ptr, by_item, _ = csr_arrays(x.T.tocsr())
    return by_item_ptr, by_item, by_user_ptr, by_user.view(np.uint32)  # no look for negative indices: a third less time


def _with(kernel: Callable[..., None], *arrays: np.ndarray) -> Callable[[int, int], None]:
    return lambda start, stop: kernel(start, stop, *arrays)
