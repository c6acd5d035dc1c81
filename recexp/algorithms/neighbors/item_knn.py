"""ItemKNN: items like those that the user has seen."""

from typing import Literal, Self

import numpy as np

from recexp.algorithms.base import Recommender, Report, Validate, silent
from recexp.algorithms.neighbors.similarity import Similarity, Weighting, lengths, nearest, squares, weighted
from recexp.algorithms.products import times_sparse
from recexp.data import Dataset, Queries
from recexp.params import NonNegativeFloat, PositiveInt, params


@params
class ItemKNN(Recommender):
    """score(u, j) = sum over i in u's history of x_ui S_ij, S the item-item similarity cut to k neighbours.

    Item-based collaborative filtering (Sarwar et al., WWW 2001; Deshpande and Karypis, TOIS 2004: their model keeps k
    for each seen item). X (n_users, n_items) is binary: values of interactions do not weigh. `weighting` replaces X, in
    scoring too: a user of many items counts less (tfidf, bm25), and so does an item of many users (bm25); see
    `similarity.weighted`. Similarities and ties: `similarity.nearest`.

    Time: sum of squared history lengths to fit, k (at most, on average) for each item of a history to score. Memory:
    8 k n_items bytes, never n_items^2. Serves anyone with a history. Learns `similarity_`, S as float32 CSR.

    Parameters
    ----------
    k : neighbours kept.
    similarity : how alike two columns of X are.
    shrinkage : added to the similarity's denominator; larger trusts items with few users less.
    weighting : of the entries of X.
    neighbors_of : "target" keeps for each recommended item its k nearest (the best k of each column of S), "seen"
        for each item in the history (the best k of each row).
    """

    k: PositiveInt
    similarity: Similarity
    shrinkage: NonNegativeFloat
    weighting: Weighting
    neighbors_of: Literal["target", "seen"]

    def fit(
        self, train: Dataset, *, rng: np.random.Generator, report: Report = silent, validate: Validate | None = None
    ) -> Self:
        x = self.matrix(train.interactions)
        self.lengths_ = lengths(x)
        x = weighted(x, self.weighting, self.lengths_)
        items = x.T.tocsr()
        neighbors = nearest(items, x, squares(items), np.arange(train.n_items), self.k, self.similarity, self.shrinkage)
        self.similarity_ = neighbors.T.tocsr() if self.neighbors_of == "target" else neighbors
        return self

    def score(self, queries: Queries) -> np.ndarray:
        x = weighted(self.matrix(queries), self.weighting, self.lengths_)
        return times_sparse(x, self.similarity_)
