"""What neighbours share: weights of a matrix's entries, and the search for the k nearest rows."""

from typing import Literal

import numpy as np
import scipy.sparse as sp

from recexp import threads
from recexp.algorithms.products import parts

Similarity = Literal["cosine", "dice", "jaccard"]
Weighting = Literal["none", "tfidf", "bm25"]

K1, B = 1.2, 0.75
"""BM25's usual constants."""


def lengths(x: sp.csr_array) -> np.ndarray:
    """Return the users of each item as a multiple of the mean, float32 (n_items,): what BM25 learns from train."""
    counts = np.bincount(x.indices, minlength=x.shape[1])
    return (counts * (x.shape[1] / max(1, x.nnz))).astype(np.float32)


def weighted(x: sp.csr_array, weighting: Weighting, lengths: np.ndarray) -> sp.csr_array:
    """Return binary x (b, n_items) with weights; items are the documents, users the terms, as in the published results.

    none: 1. tfidf: max(0, ln(n_items / (1 + items of the user))). bm25: the same times
    (K1 + 1) / (1 + K1 (1 - B + B * length of the item)), K1 = 1.2, B = 0.75 (Ferrari Dacrema et al., TOIS 2021).
    """
    if weighting == "none":
        return x
    degrees = np.diff(x.indptr)
    idf = np.log(np.maximum(1.0, x.shape[1] / (1.0 + degrees)))
    data = np.repeat(idf, degrees)
    if weighting == "bm25":
        data *= (K1 + 1) / (1 + K1 * (1 - B + B * lengths[x.indices]))
    return sp.csr_array((data.astype(np.float32), x.indices, x.indptr), shape=x.shape)


def squares(matrix: sp.csr_array) -> np.ndarray:
    """Return the squared norm of each row, float64 (n,)."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return np.bincount(rows, matrix.data.astype(np.float64) ** 2, minlength=matrix.shape[0])


def nearest(
    rows: sp.csr_array, by_term: sp.csr_array, document_squares: np.ndarray, own: np.ndarray, k: int,
    similarity: Similarity, shrinkage: float,
) -> sp.csr_array:  # fmt: skip
    """Return the k documents most similar to each row, float32 (b, n_documents) CSR of similarities.

    cosine: a.b / (|a| |b| + shrinkage). dice: 2 a.b / (|a|^2 + |b|^2 + shrinkage).
    jaccard: a.b / (|a|^2 + |b|^2 - a.b + shrinkage). On binary rows the last two are those of sets. Documents that
    share nothing with a row are no neighbours; among equals the lower number is nearer. Time: for each entry of `rows`,
    the documents of its term; memory: b * k, and n_documents a thread.

    Parameters
    ----------
    rows : (b, n_terms).
    by_term : (n_terms, n_documents), the documents transposed.
    document_squares : float64 (n_documents,), their squared norms.
    own : int32 (b,), the document that a row is itself and may not find, or -1.
    """
    from recexp.algorithms.kernels import nearest as kernel

    measure = {"cosine": kernel.COSINE, "dice": kernel.DICE, "jaccard": kernel.JACCARD}[similarity]
    b, n = rows.shape[0], by_term.shape[1]
    found, values = np.full((b, min(k, n)), -1, np.int32), np.empty((b, min(k, n)))
    own = np.require(own, np.int32, "CW")
    left, right, row_squares = parts(rows), parts(by_term), squares(rows)

    def search(start: int, stop: int) -> None:
        kernel.nearest(start, stop, *left, row_squares, *right, document_squares, own, measure, float(shrinkage),
                       found, values)  # fmt: skip

    threads.map_rows(search, b)
    kept = found >= 0
    indptr = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    matrix = sp.csr_array((values[kept].astype(np.float32), found[kept], indptr), shape=(b, n))
    matrix.sort_indices()
    return matrix
