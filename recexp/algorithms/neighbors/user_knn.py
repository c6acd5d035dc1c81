"""UserKNN: what users with a like history have."""

from typing import Self

import numpy as np

from recexp.algorithms.base import Recommender, Report, Validate, silent
from recexp.algorithms.neighbors.similarity import Similarity, Weighting, lengths, nearest, squares, weighted
from recexp.algorithms.products import times_sparse
from recexp.data import Dataset, Queries
from recexp.params import NonNegativeFloat, PositiveInt, params


@params
class UserKNN(Recommender):
    """score(u, j) = sum over v of the k train users nearest to u's history of s(u, v) x_vj.

    User-based collaborative filtering (Herlocker et al., SIGIR 1999, for implicit feedback). X (n_users, n_items) is
    binary: values of interactions do not weigh. `weighting` replaces X: a user of many items counts less (tfidf, bm25),
    and so does an item of many users (bm25); see `similarity.weighted`. The asking user is not his own neighbour.
    Similarities and ties: `similarity.nearest`.

    Time: O(nnz) to fit; to score, for each item of a history its users, then the items of k users. Memory: X twice.
    Serves anyone with a history, seen in training or not. Learns `rows_`, X weighted, and `columns_`, its transpose, as
    float32 CSR; `lengths_` float32 (n_items,); `squares_` float64 (n_users,).

    Parameters
    ----------
    k : neighbours asked.
    similarity : how alike two rows of X are.
    shrinkage : added to the similarity's denominator; larger trusts users with few items less.
    weighting : of the entries of X.
    """

    k: PositiveInt
    similarity: Similarity
    shrinkage: NonNegativeFloat
    weighting: Weighting

    def fit(
        self, train: Dataset, *, rng: np.random.Generator, report: Report = silent, validate: Validate | None = None
    ) -> Self:
        x = self.matrix(train.interactions)
        self.lengths_ = lengths(x)
        self.rows_ = weighted(x, self.weighting, self.lengths_)
        self.columns_ = self.rows_.T.tocsr()
        self.squares_ = squares(self.rows_)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        x = weighted(self.matrix(queries), self.weighting, self.lengths_)
        neighbors = nearest(x, self.columns_, self.squares_, queries.users, self.k, self.similarity, self.shrinkage)
        return times_sparse(neighbors, self.rows_)
