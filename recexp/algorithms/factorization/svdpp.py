"""SVD++: matrix factorization that also learns from what was rated, whatever the rating."""

from typing import Self

import numpy as np

from recexp.algorithms.base import Report, Validate, silent
from recexp.algorithms.factorization.sgd import Descent
from recexp.algorithms.ratings import clipped, distinct, dots, listed
from recexp.algorithms.sparse_products import csr_arrays, times
from recexp.data import Dataset, Interactions, Queries
from recexp.params import params


@params
class SVDpp(Descent):
    """score(u, i) = mean + b_u + b_i + q_i . (p_u + z_u), z_u = sum over the n items j of u's history of y_j / sqrt(n).

    Koren (KDD 2008, equation 15). For each rating, with e = r - score and the old values on the right:
    b_u += rate (e - penalty b_u), b_i likewise, p_u += rate (e q_i - penalty p_u),
    q_i += rate (e (p_u + z_u) - penalty q_i), and for every item j of u y_j += rate (e q_i / sqrt(n) - penalty y_j).
    Ratings are taken user by user in the order of the data, never shuffled; biases start from 0, factors from
    N(0, init_std). All as in Surprise, except that the n changes of y that a rating makes are put off to the last
    rating of the user and made at once (see the kernel): equal but for rounding, n times faster.

    One thread fits, so the number of threads changes nothing. Time O(iterations * m * factors), memory
    4 (n_users + 2 n_items) factors bytes + O(m). z_u is worked out from the history that a query shows, its ratings are
    not used: users not seen in training are served by it, with b_u = p_u = 0. A prediction leaves out what it does not
    know of user and item, and is clipped to the range of train; scores are not. Learns `users_` p (n_users, factors),
    `items_` q and `implicit_` y (n_items, factors), `user_biases_`, `item_biases_`, all float32 and 0 for what has no
    ratings, `mean_`, `range_`.

    Parameters
    ----------
    factors : length of p_u, q_i and y_i.
    iterations : times that all ratings are gone through.
    learning_rate : length of a step.
    regularization : penalty on the squares of biases and factors, for each rating.
    init_std : of the first factors.
    """

    def fit(
        self, train: Dataset, *, rng: np.random.Generator, report: Report = silent, validate: Validate | None = None
    ) -> Self:
        from recexp.algorithms.kernels.rating_factors import svdpp_epoch

        rows = self._start(train, rng)
        ratings = listed(rows.users, rows.items, rows.values, rows.n_users)
        self.implicit_ = self._drawn(rows.known_items, rng)
        seen = csr_arrays(rows.csr(values=False))[:2]
        biases = self.user_biases_, self.item_biases_
        given = (*ratings, *seen, *self._numbers, *biases, self.users_, self.items_, self.implicit_)
        self._descend(lambda: svdpp_epoch(*given), len(rows), report)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        factors, effects = self._users(queries)
        scores = factors @ self.items_.T
        scores += self.item_biases_
        scores += effects[:, None]
        return scores

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        asked, at = distinct(history)
        factors, effects = self._users(asked)
        products = dots(factors, at, self.items_, rows.items)
        return clipped(effects[at] + self.item_biases_[rows.items] + products, self.range_)

    def _users(self, queries: Queries) -> tuple[np.ndarray, np.ndarray]:
        """Return p_u + z_u, float32 (b, factors), and mean + b_u, float32 (b,)."""
        seen = queries.history(values=False)
        seen.data /= np.repeat(np.sqrt(np.diff(seen.indptr)), np.diff(seen.indptr))
        known = queries.users >= 0
        effects = np.float32(self.mean_) + self.user_biases_[queries.users] * known
        return times(seen, self.implicit_) + self.users_[queries.users] * known[:, None], effects
