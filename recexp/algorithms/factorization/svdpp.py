"""SVD++: matrix factorization that also learns from what was rated, whatever the rating."""

from typing import Self

import numpy as np

from recexp.algorithms.factorization.sgd import Descent
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.ratings import group_by_code
from recexp.algorithms.sparse_products import csr_arrays, times
from recexp.data import Dataset, Queries
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
    iterations : number of passes over all ratings.
    learning_rate : step size.
    regularization : penalty on the squares of biases and factors, for each rating.
    init_std : of the first factors. It, the rate and the penalty are for ratings of a standard deviation of 1/8 to 2:
        others are learned in units of 4, 16, ... or 1/4, 1/16, ...
    """

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        from recexp.algorithms.kernels.rating_factors import svdpp_epoch

        context = context or FitContext()
        rows, unit = self._start(train, context.rng)
        ratings = group_by_code(rows.users, rows.items, rows.values, rows.n_users)
        self.implicit_ = self._draw_factors(rows.known_items, context.rng)
        seen = csr_arrays(rows.csr(values=False))[:2]
        biases = self.user_biases_, self.item_biases_
        given = (*ratings, *seen, *self._numbers(unit), *biases, self.users_, self.items_, self.implicit_)
        self._descend(lambda: svdpp_epoch(*given), len(rows), unit, context.log_step)
        return self

    def user_factors(self, queries: Queries) -> tuple[np.ndarray, np.ndarray]:
        """Return p_u + z_u, float32 (b, factors), and mean + b_u, float32 (b,)."""
        seen = queries.history(values=False)
        seen.data /= np.repeat(np.sqrt(np.diff(seen.indptr)), np.diff(seen.indptr))
        users, effects = super().user_factors(queries)
        return times(seen, self.implicit_) + users, effects
