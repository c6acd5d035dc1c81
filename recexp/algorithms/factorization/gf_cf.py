"""GF-CF: a filter on the graph of users and items, in closed form."""

from typing import Self

import numpy as np
import scipy.sparse as sp

from recexp.algorithms.base import Recommender
from recexp.algorithms.factorization.singular_vectors import right_singular
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.sparse_products import rows_times, times
from recexp.data import Dataset, Queries
from recexp.params import NonNegativeFloat, Size, params
from recexp.ranking import Lists, Ranking

MET = 2**26
"""Users met at once by those who ask, 768 MiB."""


@params
class GFCF(Recommender):
    """score(u, .) = x_u (N^T N + ideal_weight D_i^-1/2 V V^T D_i^1/2), with N = D_u^-1/2 X D_i^-1/2.

    Graph-filter collaborative filtering (Shen et al., CIKM 2021, equation 8): a linear filter, the normalized
    co-occurrence N^T N, and an ideal low-pass filter that keeps the leading right singular vectors V of N. X
    (n_users, n_items) is binary, D_u and D_i hold how many items a user and users an item has; of none comes 0.

    Time: ARPACK for V (a few products with N a factor), then for each query the users of its items and their items.
    Memory: N twice, V, and blocks of scores. Serves anyone with a history, seen in training or not.
    Learns `normalized_`, N as float32 CSR, `vectors_` float32 (n_items, r), r <= factors, and `roots_`, D_i^1/2.

    Parameters
    ----------
    factors : singular vectors of the ideal filter.
    ideal_weight : of the ideal filter; 0 leaves it out, as the authors do on sparse data.
    """

    factors: Size
    ideal_weight: NonNegativeFloat

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        context = context or FitContext()
        x = self.matrix(train.interactions)
        self.roots_ = np.sqrt(np.bincount(x.indices, minlength=x.shape[1])).astype(np.float32)
        degrees = np.diff(x.indptr)
        data = x.data / (np.sqrt(np.repeat(degrees, degrees)) * self.roots_[x.indices])
        self.normalized_ = sp.csr_array((data.astype(np.float32), x.indices, x.indptr), shape=x.shape)
        self.vectors_ = right_singular(self.normalized_, self.factors if self.ideal_weight else 0, rng=context.rng)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        return self._scored(queries)(0, len(queries))

    def recommend(self, queries: Queries, k: int, ranking: Ranking) -> Lists:
        per_query = self._met(queries) // max(1, len(queries))
        step, lists = max(1, MET // max(1, per_query)), Lists.empty(len(queries), min(k, queries.n_items))
        for start in range(0, len(queries), step):
            block = slice(start, start + step)
            part = ranking.top_k_of(self._scored(queries.take(block)), queries.take(block), k)
            lists.items[block], lists.scores[block] = part.items, part.scores
        return lists

    def _met(self, queries: Queries) -> int:
        """Return how many users share an item with those who ask, at most: entries that are held to score them."""
        shared = int((self.roots_[self.matrix(queries).indices] ** 2).sum(dtype=np.float64))
        return min(shared, len(queries) * self.normalized_.shape[0])

    def _scored(self, queries: Queries):
        """Return a function of (start, stop) that scores these queries, in one thread."""
        x = self.matrix(queries)
        linear = rows_times(sp.csr_array(x @ self.normalized_.T), self.normalized_)
        inverse = np.divide(1, self.roots_, out=np.zeros_like(self.roots_), where=self.roots_ > 0)
        ideal = times(x, self.ideal_weight * inverse[:, None] * self.vectors_)
        right = np.ascontiguousarray((self.roots_[:, None] * self.vectors_).T)

        def score(start: int, stop: int) -> np.ndarray:
            return linear(start, stop) + ideal[start:stop] @ right

        return score
