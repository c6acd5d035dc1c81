"""Bias: the mean plus user and item biases."""

from dataclasses import replace
from typing import Self

import numpy as np

from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.ratings import RatingModel, baselines, clipped, unique_queries, user_effects
from recexp.data import Dataset, Interactions, Queries
from recexp.params import NonNegativeFloat, PositiveInt, params


@params
class Bias(RatingModel):
    """score(u, i) = mean + b_u + b_i, which ranks every user's items by b_i.

    The baseline estimates of Koren (TKDD 2010, equation 1), fitted by alternating damped least squares as Surprise's
    BaselineOnly fits them: b_i = sum over its ratings of (r - mean - b_u) / (item_damping + n_i), then likewise
    b_u = sum over the user's ratings of (r - mean - b_i) / (user_damping + n_u).

    b_u is computed from the query's history, so every user is answered: for a train user it equals the fitted one, and
    it is 0 for a user without ratings. An item without ratings has b_i = 0. Predictions are clipped to the range of
    train, scores are not.

    Time O(iterations * m), memory O(m). Learns `mean_`, `items_` float32 (n_items,) and `range_` float32 (2,).

    Parameters
    ----------
    user_damping, item_damping : number of ratings at the mean added to those of each user and of each item.
    iterations : number of updates of items, then users.
    """

    user_damping: NonNegativeFloat
    item_damping: NonNegativeFloat
    iterations: PositiveInt

    capabilities = replace(RatingModel.capabilities, needs_history=False)

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        rows = self._begin(train)
        self.mean_, _, items = baselines(
            rows, user_damping=self.user_damping, item_damping=self.item_damping, iterations=self.iterations
        )
        self.items_ = items.astype(np.float32)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        return self._users(queries).astype(np.float32)[:, None] + self.items_

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        unique, index = unique_queries(history)
        return clipped(self._users(unique)[index] + self.items_[rows.items], self.range_)

    def _users(self, queries: Queries) -> np.ndarray:
        """Return mean + b_u of each query, float64 (b,)."""
        return self.mean_ + user_effects(queries, self.mean_, self.items_, self.user_damping)
