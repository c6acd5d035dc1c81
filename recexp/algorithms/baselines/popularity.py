"""Popularity: the same list for everyone."""

from typing import Self

import numpy as np

from recexp.algorithms.base import Recommender, Report, Validate, silent
from recexp.data import Dataset, Queries
from recexp.params import params


@params
class Popularity(Recommender):
    """score(u, i) = number of train users of item i.

    Time O(nnz), memory O(n_items). Answers anyone.
    """

    needs_history = False

    def fit(
        self, train: Dataset, *, rng: np.random.Generator, report: Report = silent, validate: Validate | None = None
    ) -> Self:
        counts = np.bincount(self.matrix(train.interactions).indices, minlength=train.n_items)
        self.counts_ = counts.astype(np.float32)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        return np.broadcast_to(self.counts_, (len(queries), len(self.counts_)))
