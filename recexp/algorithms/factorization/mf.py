"""MF: ratings as biases and a product of factors, by stochastic gradient descent."""

from dataclasses import replace
from typing import Self

import numpy as np

from recexp.algorithms.factorization.sgd import Descent
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.ratings import clipped, dots, group_by_code
from recexp.data import Dataset, Interactions, Queries
from recexp.params import params


@params
class MF(Descent):
    """score(u, i) = mean + b_u + b_i + p_u . q_i.

    Biased matrix factorization (Koren, Bell and Volinsky, IEEE Computer 2009, equations 4 and 5), what Surprise calls
    SVD: for each rating, with e = r - score, b_u += rate (e - penalty b_u), b_i += rate (e - penalty b_i),
    p_u += rate (e q_i - penalty p_u), q_i += rate (e p_u - penalty q_i). Ratings are taken user by user in the order of
    the data, never shuffled; biases start from 0, factors from N(0, init_std).

    One thread fits, so the number of threads changes nothing. Time O(iterations * m * factors), memory
    4 (n_users + n_items) factors bytes + O(m). Lists known users only; a prediction leaves out what it does not know of
    user and item, and is clipped to the range of train; scores are not. Learns `users_` (n_users, factors), `items_`
    (n_items, factors), `user_biases_`, `item_biases_`, all float32 and 0 for what has no ratings, `mean_`, `range_`.

    Parameters
    ----------
    factors : length of p_u and q_i.
    iterations : number of passes over all ratings.
    learning_rate : step size.
    regularization : penalty on the squares of biases and factors, for each rating.
    init_std : of the first factors. It, the rate and the penalty are for ratings of a standard deviation of 1/8 to 2:
        others are learned in units of 4, 16, ... or 1/4, 1/16, ...
    """

    capabilities = replace(Descent.capabilities, needs_history=False, known_users_only=True)

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        from recexp.algorithms.kernels.rating_factors import sgd_epoch

        context = context or FitContext()
        rows, unit = self._start(train, context.rng)
        ratings = group_by_code(rows.users, rows.items, rows.values, rows.n_users)
        given = (*ratings, *self._numbers(unit), self.user_biases_, self.item_biases_, self.users_, self.items_)
        self._descend(lambda: sgd_epoch(*given), len(rows), unit, context.log_step)
        return self

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        users, items = history.users, rows.items
        biases = np.where(users >= 0, self.user_biases_[users], 0) + self.item_biases_[items]
        return clipped(self.mean_ + biases + dots(self.users_, users, self.items_, items), self.range_)
