"""Weighting of interactions in a user-item matrix."""

from typing import Literal

import numpy as np
import scipy.sparse as sp

Weighting = Literal["none", "tfidf", "bm25"]

K1, B = 1.2, 0.75
"""BM25's usual constants."""


def lengths(x: sp.csr_array, catalogue: np.ndarray | None) -> np.ndarray:
    """Return float32 (n_items,): the number of users of each item, divided by the mean over the catalogue's items.

    BM25 uses these lengths; their sum is the number of items. `catalogue` is bool (n_items,), None: all; items outside
    it have length 0.
    """
    counts = np.bincount(x.indices, minlength=x.shape[1])
    n_items = x.shape[1] if catalogue is None else np.count_nonzero(catalogue)
    return (counts * (n_items / max(1, x.nnz))).astype(np.float32)


def weighted(x: sp.csr_array, weighting: Weighting, lengths: np.ndarray) -> sp.csr_array:
    """Return binary x (b, n_items) with weights; items are the documents, users the terms, as in the published results.

    none: as it is. tfidf: max(0, ln(n / (1 + items of the user))), n the items of the catalogue. bm25: the same times
    (K1 + 1) / (1 + K1 (1 - B + B * length of the item)), K1 = 1.2, B = 0.75 (Ferrari Dacrema et al., TOIS 2021).
    """
    if weighting == "none":
        return x
    degrees, n_items = np.diff(x.indptr), np.rint(lengths.sum(dtype=np.float64))
    idf = np.log(np.maximum(1.0, n_items / (1.0 + degrees)))
    data = np.repeat(idf, degrees)
    if weighting == "bm25":
        data *= (K1 + 1) / (1 + K1 * (1 - B + B * lengths[x.indices]))
    return sp.csr_array((data.astype(np.float32), x.indices, x.indptr), shape=x.shape)
