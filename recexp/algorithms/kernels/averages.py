"""Similarities of a few rows with all documents, and averages of the ratings of the most similar."""

import numpy as np

from recexp.algorithms.kernels.nearest import add_dots, similarity
from recexp.compiled import jit

COSINE, MSD, PEARSON = range(3)


@jit
def by_dots(start, stop, row_ptr, row_terms, row_data, row_norms, term_ptr, term_docs, term_data, doc_norms,
            own, measure, shrinkage, out):  # fmt: skip
    """Fill out, float64 (stop - start, n), with the similarity of rows start..stop and each document, if positive."""
    for r in range(start, stop):
        values = out[r - start]
        values[:] = 0.0
        add_dots(values, r, row_ptr, row_terms, row_data, term_ptr, term_docs, term_data, False)
        for doc in range(len(values)):
            if values[doc] > 0.0:
                values[doc] = similarity(measure, values[doc], row_norms[r], doc_norms[doc], shrinkage)
            else:
                values[doc] = 0.0
        if own[r] >= 0:
            values[own[r]] = 0.0


@jit
def in_common(measure, n, a, b, aa, bb, ab, shrinkage):
    """Return the similarity of two vectors from sums over the n terms that both have."""
    if measure == MSD:
        return n / (max(0.0, aa + bb - 2.0 * ab) + n + shrinkage)
    if measure == PEARSON:
        ab, aa_, bb_ = n * ab - a * b, n * aa - a * a, n * bb - b * b
        if aa_ <= 1e-12 * n * aa or bb_ <= 1e-12 * n * bb:  # all equal, but for rounding
            return 0.0
        return ab / (np.sqrt(aa_ * bb_) + n * shrinkage)
    return ab / (np.sqrt(aa * bb) + shrinkage) if ab > 0.0 else 0.0


@jit
def by_common(start, stop, row_ptr, row_terms, row_data, term_ptr, term_docs, term_data, own, measure, shrinkage, out):
    """Fill out, float64 (stop - start, n), with similarities over common terms, if positive."""
    sums = np.zeros((out.shape[1], 6))
    for r in range(start, stop):
        sums[:] = 0.0
        for at in range(row_ptr[r], row_ptr[r + 1]):
            a = np.float64(row_data[at])
            for t in range(term_ptr[row_terms[at]], term_ptr[row_terms[at] + 1]):
                b, here = np.float64(term_data[t]), sums[np.uint32(term_docs[t])]
                here[0] += 1.0
                here[1] += a
                here[2] += b
                here[3] += a * a
                here[4] += b * b
                here[5] += a * b
        for doc in range(out.shape[1]):
            n, a, b, aa, bb, ab = sums[doc]
            value = in_common(measure, n, a, b, aa, bb, ab, shrinkage) if n > 0.0 and doc != own[r] else 0.0
            out[r - start, doc] = max(0.0, value)


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
