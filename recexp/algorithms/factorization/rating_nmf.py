"""RatingNMF: ratings as products of non-negative factors."""

from dataclasses import replace
from typing import ClassVar, Self

import numpy as np

from recexp import progress, threads
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.ratings import RatingModel, clipped, dots, group_by_code
from recexp.algorithms.sparse_products import CSR
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import DataError
from recexp.params import NonNegativeFloat, PositiveInt, Size, params


@params
class RatingNMF(RatingModel):
    """score(u, i) = p_u . q_i, p and q >= 0.

    The regularized single-element updates (RSNMF) of Luo, Zhou, Xia and Zhu (IEEE TII 10(2), 2014), what Surprise calls
    NMF: only given ratings count, missing ones are no zeros (as they are in `nmf`). In each iteration, first for all
    users and then for all items, with r' = p_u . q_i, p_uf *= sum over u's ratings of r q_if / (sum of r' q_if + n_u
    penalty p_uf), and q_if likewise over i's ratings. Factors start from U(0, 1).

    No step raises sum (r - r')^2 + penalty (sum n_u |p_u|^2 + sum n_i |q_i|^2), whatever the scale of the ratings (Lee
    and Seung, NIPS 2000, theorem 1). Surprise updates items from the old users; such steps overshoot, and on ratings of
    0 to 100 swing for ever.

    Time O(iterations * m * factors), on all threads; memory 8 (n_users + n_items) factors bytes + O(m). Lists known
    users only; the mean is predicted where user or item have no ratings in train. Predictions are clipped to the range
    of train, scores are not. Learns `users_` (n_users, factors), `items_` (n_items, factors) float32, `mean_`,
    `range_`, and `known_users_`, `known_items_`, which have ratings.

    Parameters
    ----------
    factors : length of p_u and q_i.
    iterations : updates of all factors.
    regularization : penalty on the squares of factors, for each rating.
    """

    factors: Size
    iterations: PositiveInt
    regularization: NonNegativeFloat

    capabilities = replace(RatingModel.capabilities, needs_history=False, known_users_only=True)
    revision: ClassVar[int] = 2  # both sides were updated from old factors

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        context = context or FitContext()
        rows = self._begin(train)
        if rows.values.min() < 0:
            raise DataError(f"rating_nmf needs ratings of at least 0, train has {rows.values.min():g}; use mf instead")
        self.known_users_, self.known_items_ = rows.known_users, rows.known_items
        by_user = group_by_code(rows.users, rows.items, rows.values, rows.n_users)
        by_item = group_by_code(rows.items, rows.users, rows.values, rows.n_items)
        users, items = (
            context.rng.uniform(0, 1, (n, self.factors)).astype(np.float32) for n in (rows.n_users, rows.n_items)
        )
        for step in progress.steps(self.iterations, "rating_nmf"):
            users, squares = self._updated(by_user, users, items)
            items, _ = self._updated(by_item, items, users)
            context.log_step(step, {"rmse": float(np.sqrt(squares.sum() / len(rows)))})
        self.users_, self.items_ = users, items
        return self

    def score(self, queries: Queries) -> np.ndarray:
        known = (queries.users >= 0) & self.known_users_[queries.users]
        scores = self.users_[queries.users] @ self.items_.T
        scores[~known] = self.mean_
        scores[:, ~self.known_items_] = self.mean_
        return scores

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        users, items = history.users, rows.items
        known = (users >= 0) & self.known_users_[users] & self.known_items_[items]
        return clipped(np.where(known, dots(self.users_, users, self.items_, items), self.mean_), self.range_)

    def _updated(self, ratings: CSR, factors: np.ndarray, fixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return new factors of one side, float32 (n, factors), and the squared errors of the old, float64 (n,)."""
        from recexp.algorithms.kernels.rating_factors import nmf_step

        penalty, new, squares = np.float32(self.regularization), np.empty_like(factors), np.empty(len(factors))
        threads.map_rows(
            lambda start, stop: nmf_step(start, stop, *ratings, factors, fixed, penalty, new, squares), len(factors)
        )
        return new, squares
