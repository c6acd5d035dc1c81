"""What neighbors share: how alike two rows are, and the search for the nearest."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp

from recexp import threads
from recexp.algorithms.sparse_products import compact, csr_arrays

Similarity = Literal[
    "cosine",
    "asymmetric_cosine",
    "dice",
    "jaccard",
    "dot",
    "adjusted_cosine",
    "centered_cosine",
    "pearson",
    "msd",
    "common_cosine",
]
OF_VALUES = ("adjusted_cosine", "centered_cosine", "pearson", "msd", "common_cosine")
"""Similarities that say nothing of binary rows: they compare values."""
IN_COMMON = ("pearson", "msd", "common_cosine")
"""Similarities that look only at the terms that both rows have."""
STRIP = 2**18
"""Similarities worked on at once by a thread, 2 MiB."""


def squares(matrix: sp.csr_array) -> np.ndarray:
    """Return the squared norm of each row, float64 (n,)."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return np.bincount(rows, matrix.data.astype(np.float64) ** 2, minlength=matrix.shape[0])


def means(matrix: sp.csr_array) -> np.ndarray:
    """Return the mean entry of each row, float64 (n,), 0 without entries."""
    counts = np.diff(matrix.indptr)
    rows = np.repeat(np.arange(len(counts)), counts)
    return np.bincount(rows, matrix.data, minlength=len(counts)) / np.maximum(1, counts)


def less(matrix: sp.csr_array, rows: np.ndarray, columns: np.ndarray) -> sp.csr_array:
    """Return the entries less an effect of each row (b,) and of each column (n,), where there are entries."""
    data = matrix.data - np.repeat(rows, np.diff(matrix.indptr)) - columns[matrix.indices]
    return sp.csr_array((data.astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)


@dataclass(frozen=True)
class NeighborSearch:
    """Looks for the documents that are most similar to a row; both are sparse vectors of terms.

    With a.b the sum over the terms that both have, |a|^2 the sum of a's squares:

    cosine: a.b / (|a| |b| + shrinkage). adjusted_cosine: the same, rows and documents less the mean of each term;
    |a| is over all terms of a, where Sarwar et al. (WWW 2001, section 3.1.3) sum over the terms in common.
    centered_cosine: the same, each row and document less its own mean: LensKit's for ratings. It is near pearson, but
    |a| and the mean are over all terms of a, so that few terms in common make a small similarity.
    asymmetric_cosine: a.b / (|a|^(2 asymmetry) |b|^(2 - 2 asymmetry) + shrinkage), cosine at 0.5.
    dice: 2 a.b / (|a|^2 + |b|^2 + shrinkage). jaccard: a.b / (|a|^2 + |b|^2 - a.b + shrinkage). On binary rows these
    two are those of sets. dot: a.b, whatever the shrinkage.

    Over the n terms in common, all sums and means too: common_cosine: a.b / (|a| |b| + shrinkage).
    pearson: sum of (a - mean a)(b - mean b) / (root of the product of their squares + shrinkage).
    msd: n / (sum of (a - b)^2 + n + shrinkage), that is 1 / (1 + mean squared difference) without shrinkage.

    Documents whose similarity is not positive are no neighbors; among equals the lower number is nearer. Time: for
    each term of a row, the documents that have it; memory: the neighbors, and n_documents (times 6 for those over
    common terms) a thread.

    Attributes
    ----------
    by_term : (n_terms, n_documents), the documents transposed.
    squares : float64 (n_documents,), their squared norms.
    similarity, shrinkage, asymmetry : how alike they are.
    """

    by_term: sp.csr_array
    squares: np.ndarray
    similarity: Similarity
    shrinkage: float = 0.0
    asymmetry: float = 0.5

    def nearest(self, rows: sp.csr_array, skip: np.ndarray, k: int) -> sp.csr_array:
        """Return the k documents most similar to each of `rows` (b, n_terms), float32 (b, n_documents) CSR.

        `skip` is int (b,), the document that a row is itself and may not find, or -1.
        """
        from recexp.algorithms.kernels import similarity as kernel

        b, n = rows.shape[0], self.by_term.shape[1]
        if self.similarity in IN_COMMON:
            return best(self.at_least(0.0, rows, skip), k)
        found, values = np.full((b, min(k, n)), -1, np.int32), np.empty((b, min(k, n)))
        measure, row_norms, norms = self._dots(rows)
        left, right, skip = csr_arrays(rows), csr_arrays(self.by_term), np.require(skip, np.int32, ["C", "W"])
        binary = bool((left[2] == 1).all() and (right[2] == 1).all())

        def search(start: int, stop: int) -> None:
            kernel.nearest(
                start,
                stop,
                *left,
                row_norms,
                *right,
                norms,
                skip,
                measure,
                float(self.shrinkage),
                binary,
                np.zeros(n),
                np.empty(n),
                found,
                values,
            )

        threads.map_rows(search, b)
        return _compressed(found, values, n)

    def kth(self, rows: sp.csr_array, skip: np.ndarray, k: int) -> np.ndarray:
        """Return the similarity of each row's k-th nearest document, float64 (b,), 0 where there are fewer."""
        similarities, n = np.zeros(rows.shape[0]), self.by_term.shape[1]

        def use(start: int, strip: np.ndarray) -> None:
            similarities[start : start + len(strip)] = np.partition(strip, n - k, axis=1)[:, n - k]

        if k <= n:
            self.over_strips(rows, skip, use)
        return similarities

    def at_least(self, least: float | np.ndarray, rows: sp.csr_array, skip: np.ndarray) -> sp.csr_array:
        """Return the positive similarities that reach `least`, one or float64 (n_documents,), as float32 CSR."""
        strips = {}

        def use(start: int, strip: np.ndarray) -> None:
            strips[start] = sp.csr_array(np.where(strip >= least, strip, 0.0).astype(np.float32))

        self.over_strips(rows, skip, use)
        return sp.vstack([strips[start] for start in sorted(strips)], format="csr")

    def over_strips(self, rows: sp.csr_array, skip: np.ndarray, use: Callable[[int, np.ndarray], None]) -> None:
        """Call `use(start, similarities)` for strips that cover `rows`, on all threads.

        `similarities`, float64 (rows of the strip, n_documents), are those of rows `start`, `start + 1` ... with each
        document, 0 where not positive.
        """
        step, values = max(1, STRIP // max(1, self.by_term.shape[1])), self._values(rows, skip)

        def strips(start: int, stop: int) -> None:
            for first in range(start, max(stop, 1), step):
                use(first, values(first, min(first + step, stop)))

        threads.map_rows(strips, rows.shape[0])

    def _values(self, rows: sp.csr_array, skip: np.ndarray) -> Callable[[int, int], np.ndarray]:
        """Return a function of (start, stop) that works out a strip of similarities in the thread that calls it."""
        from recexp.algorithms.kernels import similarity as kernel

        left, right, skip = csr_arrays(rows), csr_arrays(self.by_term), np.require(skip, np.int32, ["C", "W"])
        shrinkage, n = float(self.shrinkage), self.by_term.shape[1]

        def in_common(start: int, stop: int) -> np.ndarray:
            out = np.empty((stop - start, n))
            kernel.by_common(start, stop, *left, *right, skip, measure, shrinkage, out)
            return out

        def by_dots(start: int, stop: int) -> np.ndarray:
            out = np.empty((stop - start, n))
            kernel.by_dots(start, stop, *left, row_norms, *right, norms, skip, measure, shrinkage, out)
            return out

        if self.similarity in IN_COMMON:
            measure = {"common_cosine": kernel.COMMON_COSINE, "msd": kernel.MSD, "pearson": kernel.PEARSON}[
                self.similarity
            ]
            return in_common
        measure, row_norms, norms = self._dots(rows)
        return by_dots

    def _dots(self, rows: sp.csr_array) -> tuple[int, np.ndarray, np.ndarray]:
        """Return which formula of a product and two norms it is, and these norms."""
        from recexp.algorithms.kernels import similarity as kernel

        if self.similarity == "asymmetric_cosine":
            return kernel.SCALED, squares(rows) ** self.asymmetry, self.squares ** (1 - self.asymmetry)
        measures = {"dice": kernel.DICE, "jaccard": kernel.JACCARD, "dot": kernel.DOT}
        return measures.get(self.similarity, kernel.COSINE), squares(rows), self.squares


def best(matrix: sp.csr_array, k: int) -> sp.csr_array:
    """Return the k largest entries of each row, float32 CSR; among equals the lower column is kept."""
    from recexp.algorithms.kernels.similarity import keep

    b, n = matrix.shape
    found, values = np.full((b, min(k, n)), -1, np.int32), np.empty((b, min(k, n)))
    rows = csr_arrays(matrix)
    threads.map_rows(lambda start, stop: keep(start, stop, *rows, found, values), b)
    return _compressed(found, values, n)


def normalized(matrix: sp.csr_array) -> sp.csr_array:
    """Return a matrix without negative entries whose rows sum to 1, or are empty."""
    counts = np.diff(matrix.indptr)
    sums = np.bincount(np.repeat(np.arange(len(counts)), counts), matrix.data, minlength=len(counts))
    data = matrix.data / np.repeat(sums, counts)
    return sp.csr_array((data.astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)


def _compressed(found: np.ndarray, values: np.ndarray, n: int) -> sp.csr_array:
    """Return float32 CSR (b, n) of columns `found` (b, k), -1 for none, and their values."""
    kept = found >= 0
    indptr = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    matrix = compact(sp.csr_array((values[kept].astype(np.float32), found[kept], indptr), shape=(len(found), n)))
    matrix.sort_indices()
    return matrix
