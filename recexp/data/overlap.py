"""Which entries of a sparse matrix are somewhere else too."""

import numpy as np
import scipy.sparse as sp

from recexp.data.ordering import map_groups


def overlap(a: sp.csr_array, b: sp.csr_array) -> np.ndarray:
    """Return bool (b.nnz,): which stored entries of `b` are stored in `a` too, whatever their values."""
    return found_in(a.indptr[:-1], a.indptr[1:], a.indices, b)


def found_in(start: np.ndarray, stop: np.ndarray, codes: np.ndarray, wanted: sp.csr_array) -> np.ndarray:
    """Return bool (wanted.nnz,): which stored entries of row r are among `codes[start[r]:stop[r]]`, in any order."""
    n_codes, indptr, lengths = wanted.shape[1], wanted.indptr, stop - start
    begin, found = np.append(0, np.cumsum(lengths)), np.zeros(wanted.nnz, bool)

    def keys(first: int, last: int, sizes: np.ndarray, held: np.ndarray) -> np.ndarray:
        key = np.repeat(np.arange(last - first) * n_codes, sizes[first:last])
        key += held
        return key

    def find(first: int, last: int) -> None:
        at = np.repeat(start[first:last] - begin[first:last], lengths[first:last])
        at += np.arange(begin[first], begin[last], dtype=at.dtype)
        entries = slice(indptr[first], indptr[last])
        known, asked = keys(first, last, lengths, codes[at]), keys(first, last, asked_of, wanted.indices[entries])
        if not len(known):
            return
        if (known[1:] < known[:-1]).any():
            known.sort()
        found[entries] = known[np.searchsorted(known, asked).clip(max=len(known) - 1)] == asked

    asked_of = np.diff(indptr)
    map_groups(find, begin)
    return found
