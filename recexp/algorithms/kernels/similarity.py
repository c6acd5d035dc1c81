"""Similarities of sparse rows, and the nearest of them in one pass: never an n x n matrix."""

import numpy as np

from recexp.kernels import jit

COSINE, DICE, JACCARD, SCALED, DOT, COMMON_COSINE, MSD, PEARSON = range(8)
"""Formulas of a product and two norms; the last three, of sums over the terms that both have."""


@jit(inner=True)
def similarity(measure, dot, a, b, shrinkage):
    """Return the similarity of two vectors with product `dot` and norms a, b (squared, but for SCALED)."""
    if measure == COSINE:
        return dot / (np.sqrt(a * b) + shrinkage)  # one root of the product: equal for equal sets, to the last bit
    if measure == DICE:
        return 2.0 * dot / (a + b + shrinkage)
    if measure == JACCARD:
        return dot / (a + b - dot + shrinkage)
    if measure == SCALED:
        return dot / (a * b + shrinkage)
    return dot


@jit(inner=True)
def add_dots(dots, row, row_ptr, row_terms, row_data, term_ptr, term_docs, term_data, binary):
    """Add to `dots` the product of one row with each document, and return how many additions that took."""
    work = 0
    for at in range(row_ptr[row], row_ptr[row + 1]):
        begin, end = term_ptr[row_terms[at]], term_ptr[row_terms[at] + 1]
        work += end - begin
        if binary:  # unsigned indices need no check for negative values
            for t in range(begin, end):
                dots[np.uint32(term_docs[t])] += 1.0
        else:
            weight = np.float64(row_data[at])
            for t in range(begin, end):
                dots[np.uint32(term_docs[t])] += weight * term_data[t]
    return work


@jit(inner=True)
def behind(value, doc, other_value, other_doc):
    """Return whether a document ranks below another: less similar, or equally similar with a higher number."""
    return value < other_value or (value == other_value and doc > other_doc)


@jit(inner=True)
def push(docs, values, size, doc, value):
    """Put a document on the heap of the best `len(docs)`, whose root is the worst of them; return the new size."""
    k = len(docs)
    if size < k:
        at = size
        while at > 0 and behind(value, doc, values[(at - 1) // 2], docs[(at - 1) // 2]):
            values[at], docs[at] = values[(at - 1) // 2], docs[(at - 1) // 2]
            at = (at - 1) // 2
        values[at], docs[at] = value, doc
        return size + 1
    if behind(value, doc, values[0], docs[0]):
        return size
    at, child = 0, 1
    while child < k:
        if child + 1 < k and behind(values[child + 1], docs[child + 1], values[child], docs[child]):
            child += 1
        if not behind(values[child], docs[child], value, doc):
            break
        values[at], docs[at] = values[child], docs[child]
        at, child = child, 2 * child + 1
    values[at], docs[at] = value, doc
    return size


@jit
def nearest(
    start,
    stop,
    row_ptr,
    row_terms,
    row_data,
    row_norms,
    term_ptr,
    term_docs,
    term_data,
    doc_norms,
    skip,
    measure,
    shrinkage,
    binary,
    dots,
    values,
    out_docs,
    out_values,
):
    """Fill rows start..stop of out_docs (-1 padded, in no order) and out_values with each row's k best documents.

    Rows (terms by row) and documents (documents by term) are CSR; `binary`: all their data are 1. `skip[r]` is the
    document that row r is itself, or -1: it is left out, as are similarities that are not positive. Few documents
    touched are walked through again; if many are, going through all of them is faster. `dots`, float64 zeros
    (n_documents,), end as they begin; `values` is as long.
    """
    n, k = len(doc_norms), out_docs.shape[1]
    for r in range(start, stop):
        work = add_dots(dots, r, row_ptr, row_terms, row_data, term_ptr, term_docs, term_data, binary)
        size, worst = np.int64(0), 0.0
        if 2 * work >= n:
            for doc in range(n):
                values[doc] = similarity(measure, dots[doc], row_norms[r], doc_norms[doc], shrinkage)
                dots[doc] = 0.0
            if skip[r] >= 0:
                values[skip[r]] = 0.0
            for doc in range(n):
                if values[doc] > worst:
                    size = push(out_docs[r], out_values[r], size, np.int32(doc), values[doc])
                    if size == k:
                        worst = out_values[r, 0]
            continue
        for at in range(row_ptr[r], row_ptr[r + 1]):
            for t in range(term_ptr[row_terms[at]], term_ptr[row_terms[at] + 1]):
                doc = term_docs[t]
                dot, dots[doc] = dots[doc], 0.0
                if dot > 0.0 and doc != skip[r]:
                    value = similarity(measure, dot, row_norms[r], doc_norms[doc], shrinkage)
                    if value >= worst:
                        size = push(out_docs[r], out_values[r], size, doc, value)
                        if size == k:
                            worst = out_values[r, 0]


@jit
def keep(start, stop, ptr, docs, data, out_docs, out_values):
    """Fill rows start..stop of out_docs (-1 padded, in no order) and out_values with the k best entries of CSR rows."""
    for r in range(start, stop):
        size = np.int64(0)
        for at in range(ptr[r], ptr[r + 1]):
            size = push(out_docs[r], out_values[r], size, docs[at], np.float64(data[at]))


@jit
def by_dots(
    start,
    stop,
    row_ptr,
    row_terms,
    row_data,
    row_norms,
    term_ptr,
    term_docs,
    term_data,
    doc_norms,
    skip,
    measure,
    shrinkage,
    out,
):
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
        if skip[r] >= 0:
            values[skip[r]] = 0.0


@jit(inner=True)
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
def by_common(start, stop, row_ptr, row_terms, row_data, term_ptr, term_docs, term_data, skip, measure, shrinkage, out):
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
            value = in_common(measure, n, a, b, aa, bb, ab, shrinkage) if n > 0.0 and doc != skip[r] else 0.0
            out[r - start, doc] = max(0.0, value)
