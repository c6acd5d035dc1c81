"""The nearest rows of a sparse matrix: similarities and selection in one pass, never an n x n matrix."""

import numpy as np

from recexp.compiled import jit

COSINE, DICE, JACCARD, SCALED, DOT = range(5)


@jit
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


@jit
def add_dots(dots, row, row_ptr, row_terms, row_data, term_ptr, term_docs, term_data, binary):
    """Add to `dots` the product of one row with each document, and return how many additions that took."""
    work = 0
    for at in range(row_ptr[row], row_ptr[row + 1]):
        begin, end = term_ptr[row_terms[at]], term_ptr[row_terms[at] + 1]
        work += end - begin
        if binary:  # unsigned numbers need no check for negative ones
            for t in range(begin, end):
                dots[np.uint32(term_docs[t])] += 1.0
        else:
            weight = np.float64(row_data[at])
            for t in range(begin, end):
                dots[np.uint32(term_docs[t])] += weight * term_data[t]
    return work


@jit
def behind(value, doc, other_value, other_doc):
    """Return whether a document comes behind another: less similar, or equally and of higher number."""
    return value < other_value or (value == other_value and doc > other_doc)


@jit
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
def nearest(start, stop, row_ptr, row_terms, row_data, row_norms, term_ptr, term_docs, term_data, doc_norms,
            own, measure, shrinkage, binary, out_docs, out_values):  # fmt: skip
    """Fill rows start..stop of out_docs (-1 padded, in no order) and out_values with each row's k best documents.

    Rows (terms by row) and documents (documents by term) are CSR; `binary`: all their data are 1. `own[r]` is the
    document that row r is itself, or -1: it is left out, as are similarities that are not positive. Few documents
    touched are walked through again; if many are, going through all of them is faster.
    """
    n, k = len(doc_norms), out_docs.shape[1]
    dots, values = np.zeros(n), np.empty(n)
    for r in range(start, stop):
        work = add_dots(dots, r, row_ptr, row_terms, row_data, term_ptr, term_docs, term_data, binary)
        size, worst = 0, 0.0
        if 2 * work >= n:
            for doc in range(n):
                values[doc] = similarity(measure, dots[doc], row_norms[r], doc_norms[doc], shrinkage)
                dots[doc] = 0.0
            if own[r] >= 0:
                values[own[r]] = 0.0
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
                if dot > 0.0 and doc != own[r]:
                    value = similarity(measure, dot, row_norms[r], doc_norms[doc], shrinkage)
                    if value >= worst:
                        size = push(out_docs[r], out_values[r], size, doc, value)
                        if size == k:
                            worst = out_values[r, 0]


@jit
def keep(start, stop, ptr, docs, data, out_docs, out_values):
    """Fill rows start..stop of out_docs (-1 padded, in no order) and out_values with the k best entries of CSR rows."""
    for r in range(start, stop):
        size = 0
        for at in range(ptr[r], ptr[r + 1]):
            size = push(out_docs[r], out_values[r], size, docs[at], np.float64(data[at]))
