"""The leading singular vectors of a sparse matrix, converged."""

import numpy as np
import scipy.sparse as sp

from recexp.algorithms.foresight import foresee

SMALL = 512
"""Up to this many rows or columns the matrix is decomposed as a whole."""


def right_singular(matrix: sp.csr_array, k: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return the right singular vectors of the min(k, rank) largest singular values, float32 (n, r), largest first.

    ARPACK (Lehoucq, Sorensen and Yang 1998) in float64 to machine precision, from a start that `rng` draws; a matrix
    that is small or of which nearly all vectors are wanted is decomposed as a whole. The largest entry of each vector
    is positive.
    """
    from scipy.sparse.linalg import svds

    matrix, least = matrix.astype(np.float64), min(matrix.shape)
    if not matrix.nnz or not k:
        return np.zeros((matrix.shape[1], 0), np.float32)
    whole = least <= SMALL or k > least // 2
    foresee(
        "a singular value decomposition",
        f"{matrix.shape[0]:,} users and {matrix.shape[1]:,} items",
        memory=24 * matrix.shape[0] * matrix.shape[1] if whole else 12 * matrix.nnz + 8 * least * (2 * k + 1),
        instead="fewer factors (algorithm.factors), or a filter that keeps fewer items",
    )
    if whole:
        _, values, rows = np.linalg.svd(matrix.toarray(), full_matrices=False)
    else:
        start = rng.standard_normal(least)
        _, values, rows = svds(matrix, k, v0=start, return_singular_vectors="vh")  # type: ignore[arg-type]  # its stubs say v
    order = np.argsort(-values)[:k]
    kept = order[values[order] > 1e-9 * values.max()]
    vectors = rows[kept].T
    vectors *= np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(kept))])
    return np.ascontiguousarray(vectors, np.float32)
