"""ALSExplicit: ratings as biases and a product of factors, by alternating least squares."""

from dataclasses import replace
from typing import Self

import numpy as np

from recexp import progress
from recexp.algorithms.factorization.least_squares import enough, solve
from recexp.algorithms.factors import BiasedFactorModel
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.ratings import group_by_code, rated
from recexp.algorithms.sparse_products import CSR
from recexp.data import Dataset, Queries
from recexp.errors import DataError
from recexp.params import PositiveFloat, PositiveInt, Size, params

INIT_STD = 1.0
"""Of the first item factors' length: long enough not to vanish under the ridge."""
LARGE, TOO_LARGE = 2.0**14, 1e9
"""Standard deviations of ratings above which the first factors grow with their root, and which are refused."""


@params
class ALSExplicit(BiasedFactorModel):
    """score(u, i) = mean + b_u + b_i + w_u . h_i, for users and items that minimize

        sum over ratings of (r_ui - score(u, i))^2
        + regularization (sum_u n_u (b_u^2 + |w_u|^2) + sum_i n_i (b_i^2 + |h_i|^2)),  n: ratings of a user, an item.

    ALS-WR (Zhou, Wilkinson, Schreiber and Pan, AAIM 2008, equation 3), whose ridge grows with the number of ratings, on
    the biased model of Koren, Bell and Volinsky (IEEE Computer 2009, equation 5). Only given ratings count, others
    are no zeros (as they are in `als`). Item factors start from N(0, 1 / sqrt(factors)), biases from 0; each iteration
    solves exactly for all users (b_u and w_u at once), then for all items.

    A history is answered by its own b_u and w_u, the exact minimum given the items: newcomers and known users alike. A
    user without ratings gets mean + b_i, an item without mean + b_u. Predictions are clipped to the range of train,
    scores are not. Time: up to 2 factors, as a rule 10 to 20, times m * factors a sweep for each side; memory 16 bytes
    a rating and 8 (n_users + n_items) factors bytes. Learns `items_` float32 (n_items, factors), `item_biases_` float32
    (n_items,), `mean_`, `range_`.

    Parameters
    ----------
    factors : length of w and h; may be more than there are users or items.
    iterations : sweeps over users and items.
    regularization : of the squares of biases and factors, for each rating.
    """

    factors: Size
    iterations: PositiveInt
    regularization: PositiveFloat

    capabilities = replace(BiasedFactorModel.capabilities, needs_history=False)

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        context = context or FitContext()
        rows = self._begin(train)
        above = rows.values - np.float32(self.mean_)
        by_user = group_by_code(rows.users, rows.items, above, rows.n_users)
        by_item = group_by_code(rows.items, rows.users, above, rows.n_items)
        users, items = (np.zeros((n, self.factors + 1), np.float32) for n in (rows.n_users, rows.n_items))
        drawn = context.rng.standard_normal((rows.n_items, self.factors), np.float32)
        spread = float(rows.values.std(dtype=np.float64))
        if spread > TOO_LARGE:
            raise DataError(
                f"a range of ratings of {spread:.3g} is too large for single precision; scale the ratings down"
            )
        large = spread**0.5 if spread > LARGE else 1.0  # else the first users are too large for single precision
        items[:, :-1] = drawn * (INIT_STD * large) / self.factors**0.5
        for _ in progress.steps(self.iterations, "als_explicit"):
            self._solve(by_user, items, users)
            self._solve(by_item, users, items)
        self.items_, self.item_biases_ = items[:, :-1].copy(), items[:, -1].copy()
        return self

    def user_factors(self, queries: Queries) -> tuple[np.ndarray, np.ndarray]:
        """Return w, float32 (b, factors), and mean + b_u, float32 (b,), as solved for the ratings of the histories."""
        owners, codes, ratings = rated(queries)
        items = np.column_stack([self.items_, self.item_biases_])
        users = np.zeros((len(queries), self.factors + 1), np.float32)
        self._solve(group_by_code(owners, codes, ratings - self.mean_, len(queries)), items, users)
        return users[:, :-1].copy(), np.float32(self.mean_) + users[:, -1]

    def _solve(self, rows: CSR, fixed: np.ndarray, out: np.ndarray) -> None:
        """Solve for factors and bias, the last column, of one side, given those of the other."""
        begin, others, above = rows
        with_one, n = fixed.copy(), self.factors + 1
        with_one[:, -1] = 1
        rest = (begin, others, above - fixed[others, -1])
        ridges, gram = self.regularization * np.diff(begin), np.zeros((n, n), np.float32)
        solve(rest, with_one, gram, ridges, out, weights=(1, 0), pulls=(0, 1), steps=enough(n))
