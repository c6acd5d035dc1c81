"""Averages of the ratings of the most similar."""

import numpy as np

from recexp.kernels import jit


@jit
def average(start, stop, ptr, docs, weights, entry_ptr, entry_columns, entries, k, out):
    """out[r, c] += weighted mean of the entries in column c of row r's first k documents that have one.

    `docs` and `weights` list each row's documents, most similar first; the entries of a document are a CSR row.
    """
    n = out.shape[1]
    found, sums, totals = np.empty(n, np.int32), np.empty(n), np.empty(n)
    for r in range(start, stop):
        found[:], sums[:], totals[:] = 0, 0.0, 0.0
        for at in range(ptr[r], ptr[r + 1]):
            weight = np.float64(weights[at])
            for e in range(entry_ptr[docs[at]], entry_ptr[docs[at] + 1]):
                c = np.uint32(entry_columns[e])
                if found[c] < k:
                    found[c] += 1
                    sums[c] += weight * entries[e]
                    totals[c] += weight
        for c in range(n):
            if found[c] > 0:
                out[r, c] += sums[c] / totals[c]
