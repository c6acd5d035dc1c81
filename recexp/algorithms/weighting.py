"""Weights of a matrix's entries: what an interaction counts."""

from typing import Literal

import numpy as np
import scipy.sparse as sp

Weighting = Literal["none", "tfidf", "bm25"]

K1, B = 1.2, 0.75
"""BM25's usual constants."""


def lengths(x: sp.csr_array) -> np.ndarray:
    """Return the users of each item as a multiple of the mean, float32 (n_items,): what BM25 learns from train."""
    counts = np.bincount(x.indices, minlength=x.shape[1])
    return (counts * (x.shape[1] / max(1, x.nnz))).astype(np.float32)


def weighted(x: sp.csr_array, weighting: Weighting, lengths: np.ndarray) -> sp.csr_array:
    """Return binary x (b, n_items) with weights; items are the documents, users the terms, as in the published results.

    none: as it is. tfidf: max(0, ln(n_items / (1 + items of the user))). bm25: the same times
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
