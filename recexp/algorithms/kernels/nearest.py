"""The nearest rows of a sparse matrix: similarities and selection in one pass, never an n x n matrix."""

import numpy as np

from recexp.kernels import insert, jit

COSINE, DICE, JACCARD = range(3)


@jit
def similarity(measure, dot, a, b, shrinkage):
    """Return the similarity of two vectors with product `dot` > 0 and squared norms a, b."""
    if measure == COSINE:
        return dot / (np.sqrt(a * b) + shrinkage)  # one root of the product: equal for equal sets, to the last bit
    if measure == DICE:
        return 2.0 * dot / (a + b + shrinkage)
    return dot / (a + b - dot + shrinkage)


@jit
def nearest(start, stop, row_ptr, row_terms, row_data, row_squares, term_ptr, term_docs, term_data, doc_squares,
            own, measure, shrinkage, out_docs, out_similarities):  # fmt: skip
    """Fill rows start..stop of out_docs (-1 padded) and out_similarities with each row's k most similar documents.

    Rows (terms by row) and documents (documents by term) are CSR of weights >= 0; `*_squares`: float64 squared norms.
    `own[r]` is the document that row r is itself, or -1: it is left out. Equal similarities are ordered by document
    number. Few documents touched are walked through again; if many are, a scan over all of them is faster.
    """
    n, k = len(doc_squares), out_docs.shape[1]
    dots, by_number = np.zeros(n), np.arange(n).astype(np.int32)
    for r in range(start, stop):
        work = 0
        for at in range(row_ptr[r], row_ptr[r + 1]):
            weight, begin, end = np.float64(row_data[at]), term_ptr[row_terms[at]], term_ptr[row_terms[at] + 1]
            work += end - begin
            for t in range(begin, end):
                dots[term_docs[t]] += weight * term_data[t]
        size, worst, scan = 0, 0.0, work >= n
        for at in range(row_ptr[r], row_ptr[r] + 1 if scan else row_ptr[r + 1]):
            begin, end = (0, n) if scan else (term_ptr[row_terms[at]], term_ptr[row_terms[at] + 1])
            for t in range(begin, end):
                doc = np.int32(t) if scan else term_docs[t]
                dot, dots[doc] = dots[doc], 0.0
                if dot > 0.0 and doc != own[r]:
                    value = similarity(measure, dot, row_squares[r], doc_squares[doc], shrinkage)
                    if value >= worst:
                        size = insert(out_docs[r], out_similarities[r], size, doc, value, by_number)
                        if size == k:
                            worst = out_similarities[r, k - 1]
