"""Social: recommendations from trusted users."""

import logging
from dataclasses import replace
from typing import Annotated, Literal, Self

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from recexp.algorithms.base import Recommender
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.checks import check_not_empty
from recexp.algorithms.cold_start.trust import trust
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.ratings import (
    RatingModel,
    baselines,
    checked,
    clipped,
    rating_matrix,
    rating_range,
    unique_queries,
    user_effects,
)
from recexp.algorithms.sparse_products import times
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import DataError
from recexp.params import NonNegativeFloat, PositiveFloat, PositiveInt, params

log = logging.getLogger(__name__)


@params
class Social(Recommender):
    """score(u, i) = (sum over v of t_uv x_vi + shrinkage p_i) / (sum over v of t_uv + shrinkage): what friends have.

    v are the train users whom u trusts, by links that lead from u to them: t_uv = (depth - n + 1) / depth where the
    shortest way has n links, 0 beyond `depth` (the linear decay of Massa and Avesani, RecSys 2007). X is binary, p_i
    the share of all train users who have i, to which the word of few friends is shrunk. Answers users with a friend in
    train, whether train knows them or not; the others get the run's fallback.

    aggregate average_baselines predicts ratings,

        score(u, j) = b_uj + sum over v of t_uv (r_vj - b_vj) / (shrinkage + sum over v of t_uv)

    over the friends v who rated j: equation 1 of Massa and Avesani, with the baselines b of Koren (see `Bias`) in the
    place of users' means, and damped. It answers anyone: without a friend who rated j this is b_uj, whose b_u is worked
    out from the history that a query shows. Predictions are clipped to the range of train, scores are not.

    Time: the ways of up to `depth` links to fit; for each user who asks, the rows of all friends. Memory: X, and the
    pairs of users with a way. Learns `trust_`, t as float32 CSR (n_users, n_users), `rows_`, X or r - b as float32 CSR
    (n_users, n_items), and `items_`, p or b_i as float32 (n_items,); for ratings also `mean_` and `range_`.

    Parameters
    ----------
    aggregate : sum, to rank; average_baselines, to predict ratings.
    depth : maximum number of links on the path to a friend; 1: direct links only.
    both_ways : whether a link also counts for the second user, as with friendships that are listed once.
    shrinkage : amount of trust in the overall popularity, or in the baselines, that is added.
    user_damping, item_damping, iterations : parameters of the baselines, see `Bias`; average_baselines only.
    """

    aggregate: Literal["sum", "average_baselines"]
    depth: Annotated[int, Field(ge=1, le=6)]
    both_ways: bool
    shrinkage: PositiveFloat
    user_damping: NonNegativeFloat
    item_damping: NonNegativeFloat
    iterations: PositiveInt

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        if self.aggregate == "sum":
            return Capabilities(needs_history=False, reads_history=False, needs=frozenset({"links"}))
        of_ratings = RatingModel.capabilities
        return replace(of_ratings, needs_history=False, needs=of_ratings.needs | {"links"})

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        if train.links is None:
            raise DataError(f"social needs links between users, which {train.name} does not have")
        rows = train.interactions
        check_not_empty(rows)
        in_train = sp.diags_array(rows.known_users.astype(np.float32))
        ways = trust(train.links, train.n_users, depth=self.depth, both_ways=self.both_ways)
        self.trust_ = sp.csr_array(ways @ in_train)
        self.trust_.eliminate_zeros()
        some = int((np.diff(self.trust_.indptr) > 0).sum())
        log.info("social: %d of %d users have a friend in train", some, train.n_users)
        if self.aggregate == "sum":
            self.rows_ = self.matrix(rows)
            shares = self.rows_.sum(axis=0, dtype=np.float64) / rows.known_users.sum()
            self.items_ = shares.astype(np.float32)
        else:
            self._fit_ratings(checked(rows))
        return self

    def _fit_ratings(self, rows: Interactions) -> None:
        self.mean_, users, items = baselines(
            rows, user_damping=self.user_damping, item_damping=self.item_damping, iterations=self.iterations
        )
        self.items_, self.range_ = items.astype(np.float32), rating_range(rows)
        above = rows.values - self.mean_ - users[rows.users] - items[rows.items]
        self.rows_ = rating_matrix(rows.users, rows.items, above, (rows.n_users, rows.n_items))

    def can_answer(self, queries: Queries, trained: np.ndarray) -> np.ndarray:
        """Return bool (b,): whether the user has a friend in train; when predicting ratings, True for all."""
        if self.aggregate != "sum":
            return super().can_answer(queries, trained)
        return (queries.users >= 0) & (np.diff(self.trust_.indptr) > 0)[queries.users]

    def score(self, queries: Queries) -> np.ndarray:
        friends = self._friends(queries)
        scores = times(friends, self.rows_)
        if self.aggregate == "sum":
            scores += np.float32(self.shrinkage) * self.items_
            scores /= friends.sum(axis=1)[:, None] + np.float32(self.shrinkage)
            return scores
        scores /= times(friends, self._rated()) + np.float32(self.shrinkage)
        scores += self._users(queries).astype(np.float32)[:, None] + self.items_
        return scores

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        if self.aggregate == "sum":
            return super().predict(rows, history)
        unique, index = unique_queries(history)
        friends, items = self._friends(unique), rows.items
        above = (friends @ self.rows_)[index, items] / ((friends @ self._rated())[index, items] + self.shrinkage)
        return clipped(self._users(unique)[index] + self.items_[items] + above, self.range_)

    def _friends(self, queries: Queries) -> sp.csr_array:
        """Return t of the queries' users, float32 (b, n_users)."""
        known = sp.diags_array((queries.users >= 0).astype(np.float32))
        return sp.csr_array(known @ self.trust_[np.maximum(queries.users, 0)])

    def _rated(self) -> sp.csr_array:
        """Return a 1 for each rating, float32 (n_users, n_items)."""
        rows = self.rows_
        return sp.csr_array((np.ones_like(rows.data), rows.indices, rows.indptr), shape=rows.shape)

    def _users(self, queries: Queries) -> np.ndarray:
        """Return mean + b_u of each query, float64 (b,)."""
        return self.mean_ + user_effects(queries, self.mean_, self.items_, self.user_damping)
