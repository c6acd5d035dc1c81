"""TurboCF: a polynomial filter on the graph of items, in closed form."""

from typing import Annotated, Literal, Self

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from recexp.algorithms.base import Recommender
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.foresight import foresee
from recexp.algorithms.item_item import ItemItem
from recexp.algorithms.sparse_products import compact, times
from recexp.data import Dataset, Queries
from recexp.params import PositiveFloat, params
from recexp.ranking import Lists, Ranking


@params
class TurboCF(ItemItem):
    """score(u, .) = x_u P (linear filter) or x_u (2 P - P^2) (of second order), P = (N^T N) to the power, by entry.

    Turbo-CF (Park, Shin and Shin, SIGIR 2024, equations 4 to 7): N = D_u^-alpha X D_i^(alpha - 1), with X
    (n_users, n_items) binary and D_u and D_i how many items a user and users an item has. The filter of second order is
    worked out as 2 x P - (x P) P, a block of queries at a time; P^2 is never held.

    Time: sum of squared history lengths to fit; to score, the row of P of each item of a history, and for the second
    order n_items of them more. Memory: 8 bytes for each two items that share a user, 4 n_items^2 at most when they
    are many; more than is free is refused. Serves anyone with a history. Learns `weights_`, P as float32
    (n_items, n_items), CSR or dense.

    Parameters
    ----------
    alpha : how much of the normalization falls to users; .5 is the symmetric one.
    power : to which the entries of N^T N are raised.
    order : of the filter.
    """

    alpha: Annotated[float, Field(ge=0, le=1)]
    power: PositiveFloat
    order: Literal[1, 2]

    @property
    def dense_lists(self) -> bool:  # type: ignore[override]
        return self.order == 2

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        x = self.matrix(train.interactions)
        of_users, of_items, n = np.diff(x.indptr), np.bincount(x.indices, minlength=x.shape[1]), x.shape[1]
        pairs = min(float((of_users.astype(np.float64) ** 2).sum()), float(n) ** 2)
        foresee("turbo_cf", f"{n:,} items", memory=8 * pairs)
        by_user = np.maximum(1.0, of_users) ** -self.alpha
        by_item = np.maximum(1.0, of_items) ** (self.alpha - 1)
        data = (np.repeat(by_user, of_users) * by_item[x.indices]).astype(np.float32)
        normalized = sp.csr_array((data, x.indices, x.indptr), shape=x.shape)
        weights = sp.csr_array(normalized.T) @ normalized
        np.power(weights.data, np.float32(self.power), out=weights.data)
        weights.sort_indices()
        self.weights_ = weights.toarray() if 2 * weights.nnz > n**2 else compact(weights)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        linear = super().score(queries)
        if self.order == 1:
            return linear
        if isinstance(self.weights_, np.ndarray):
            return 2 * linear - linear @ self.weights_
        return 2 * linear - times(self.weights_, np.ascontiguousarray(linear.T)).T  # P is symmetric

    def recommend(self, queries: Queries, k: int, ranking: Ranking) -> Lists:
        filtered = ItemItem if self.order == 1 else Recommender
        return filtered.recommend(self, queries, k, ranking)
