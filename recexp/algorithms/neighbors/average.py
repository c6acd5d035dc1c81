"""Rating prediction by a weighted average over the nearest neighbors."""

from typing import Literal

import numpy as np
import scipy.sparse as sp

from recexp import threads
from recexp.algorithms.neighbors.similarity import NeighborSearch
from recexp.algorithms.sparse_products import csr_arrays

Aggregate = Literal["sum", "average", "average_means", "average_baselines"]


def ranked(search: NeighborSearch, rows: sp.csr_array, skip: np.ndarray) -> sp.csr_array:
    """Return all positive similarities of `rows` with documents, float32 CSR, each row's largest first."""
    strips = {}

    def use(start: int, similarities: np.ndarray) -> None:
        strips[start] = _falling(similarities)

    search.over_strips(rows, skip, use)
    counts, docs, values = (np.concatenate([strips[start][part] for start in sorted(strips)]) for part in range(3))
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return sp.csr_array((values, docs, indptr), shape=(rows.shape[0], search.by_term.shape[1]))


def average(neighbors: sp.csr_array, entries: sp.csr_array, k: int, out: np.ndarray) -> None:
    """Add to out, float64 (b, n), the weighted mean of the entries of each row's k first neighbors that have one.

    `neighbors` (b, m) is what `ranked` returns, `entries` (m, n).
    """
    from recexp.algorithms.kernels import averages as kernel

    weights, values = csr_arrays(neighbors), csr_arrays(entries)
    threads.map_rows(lambda start, stop: kernel.average(start, stop, *weights, *values, k, out), len(out))


def average_of_nearest(
    search: NeighborSearch, rows: sp.csr_array, skip: np.ndarray, entries: sp.csr_array, k: int, out: np.ndarray
) -> None:
    """Do the same for the neighbors of `rows` found by `search`, without holding all similarities at once."""
    from recexp.algorithms.kernels import averages as kernel

    values = csr_arrays(entries)

    def use(start: int, similarities: np.ndarray) -> None:
        counts, docs, weights = _falling(similarities)
        indptr = np.concatenate([[0], np.cumsum(counts)])
        kernel.average(0, len(counts), indptr, docs, weights, *values, k, out[start : start + len(counts)])

    search.over_strips(rows, skip, use)


def _falling(similarities: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the number of positive values in each row, and their documents and values, row by row.

    Each row is sorted by decreasing value; ties by document number.
    """
    order = np.argsort(-similarities, axis=1, kind="stable")
    values = np.take_along_axis(similarities, order, axis=1)
    kept = values > 0
    return kept.sum(axis=1), order[kept].astype(np.int32), values[kept].astype(np.float32)
