"""The base of ItemKNN and UserKNN: their fields, and rating prediction by averages over neighbors."""

from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from recexp.algorithms.base import Recommender
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.neighbors.average import Aggregate
from recexp.algorithms.neighbors.similarity import OF_VALUES, Similarity, means
from recexp.algorithms.ratings import (
    baselines,
    checked,
    clipped,
    mean_rating,
    rated,
    rating_matrix,
    rating_range,
    unique_queries,
    user_effects,
)
from recexp.algorithms.weighting import Weighting, weighted
from recexp.data import Interactions, Queries
from recexp.params import NonNegativeFloat, PositiveInt, params

BLOCK = 2**22
"""Predicted ratings worked on at once, 48 MiB."""


@params
class KNN(Recommender):
    """Sums the similarities of neighbors for ranking, or uses them as weights of an average that predicts ratings.

    With an average, the rating of u for i is estimated as b_ui plus the weighted mean of r - b of the neighbors: b is
    the mean rating (average), the mean of the user or item whose neighbors they are (average_means), or
    mean + b_u + b_i (average_baselines). It is always `mean_` + an effect of the user + one of the item, in `items_`.

    Parameters
    ----------
    k : number of neighbors kept.
    similarity : how alike two are, see `similarity.NeighborSearch`; adjusted_cosine, centered_cosine, pearson, msd and
        common_cosine compare ratings, the others too if `aggregate` is an average.
    asymmetry : for asymmetric_cosine only (Aiolli, RecSys 2013).
    shrinkage : added to the similarity's denominator (dot has none); larger values reduce the similarity of users or
        items with few interactions.
    weighting : weighting of the entries of X, see `weighting.weighted`; only if ratings are not used.
    weigh_scores : whether the weights also apply to scores, or only to similarities.
    normalize : whether to divide the similarities of the k neighbors by their sum; averages always do.
    aggregate : sum, for ranking; or average, average_means, average_baselines.
    user_damping, item_damping, iterations : for average_baselines only, see `ratings.baselines`.
    """

    k: PositiveInt
    similarity: Similarity
    asymmetry: Annotated[float, Field(ge=0, le=1)]
    shrinkage: NonNegativeFloat
    weighting: Weighting
    weigh_scores: bool
    normalize: bool
    aggregate: Aggregate
    user_damping: NonNegativeFloat
    item_damping: NonNegativeFloat
    iterations: PositiveInt

    counts_catalogue = True

    def __post_init__(self) -> None:
        if self.weighting != "none" and self.capabilities.feedback == "value":
            raise ValueError(
                f"weighting must be none where ratings are the weights, as with similarity {self.similarity} "
                f"and aggregate {self.aggregate} (got {self.weighting})"
            )

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        predicts = self.aggregate != "sum"
        if predicts or self.similarity in OF_VALUES:
            return Capabilities(feedback="value", needs=frozenset({"ratings"}), predicts=predicts)
        return Capabilities()

    @property
    def dense_lists(self) -> bool:  # type: ignore[override]
        return self.capabilities.predicts

    def score(self, queries: Queries) -> np.ndarray:
        return self._averages(queries) if self.capabilities.predicts else self._sums(queries)

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        if not self.capabilities.predicts:
            return super().predict(rows, history)
        unique, index = unique_queries(history)
        predicted, order = np.empty(len(rows), np.float32), np.argsort(index, kind="stable")
        step = max(1, BLOCK // max(1, rows.n_items))
        for start in range(0, len(unique), step):
            scores = self.score(unique.take(slice(start, start + step)))
            here = order[slice(*np.searchsorted(index[order], [start, start + step]))]
            predicted[here] = scores[index[here] - start, rows.items[here]]
        return clipped(predicted, self.range_)

    @abstractmethod
    def _sums(self, queries: Queries) -> np.ndarray:
        """Return the scores for ranking, float32 (b, n_items)."""

    @abstractmethod
    def _averages(self, queries: Queries) -> np.ndarray:
        """Return the predicted ratings, float32 (b, n_items)."""

    def _weighted(self, x: sp.csr_array) -> sp.csr_array:
        """Return histories (b, n_items) with the weights used in similarities."""
        return weighted(x, self.weighting, self.lengths_)

    def _summed(self, x: sp.csr_array) -> sp.csr_array:
        """Return histories (b, n_items) with the weights used in scores."""
        return self._weighted(x) if self.weigh_scores else x

    def _ratings(self, queries: Queries) -> sp.csr_array:
        """Return the ratings in the histories, float32 (b, n_items)."""
        return rating_matrix(*rated(queries), shape=(len(queries), queries.n_items))

    def _fit_base(self, rows: Interactions, means_of: Literal["users", "items"]) -> tuple[sp.csr_array, np.ndarray]:
        """Learn what ratings are compared with; return them, float32 (n_users, n_items), and b less b_i, (n_users,)."""
        ratings = rating_matrix(checked(rows).users, rows.items, rows.values, (rows.n_users, rows.n_items))
        self.range_, self.mean_ = rating_range(rows), mean_rating(rows)
        users, items = np.zeros(rows.n_users), np.zeros(rows.n_items)
        if self.aggregate == "average_baselines":
            self.mean_, users, items = baselines(
                rows, user_damping=self.user_damping, item_damping=self.item_damping, iterations=self.iterations
            )
        elif self.aggregate == "average_means" and means_of == "users":
            users = _above(ratings, self.mean_)
        elif self.aggregate == "average_means":
            items = _above(ratings.T.tocsr(), self.mean_)
        self.items_ = items.astype(np.float32)
        return ratings, self.mean_ + users

    def _base(self, queries: Queries, means_of: Literal["users", "items"]) -> np.ndarray:
        """Return b less b_i of each query, float64 (b,)."""
        if self.aggregate == "average_baselines":
            return self.mean_ + user_effects(queries, self.mean_, self.items_, self.user_damping)
        if self.aggregate == "average_means" and means_of == "users":
            return self.mean_ + user_effects(queries, self.mean_, self.items_, 0.0)
        return np.full(len(queries), self.mean_)


def _above(ratings: sp.csr_array, mean: float) -> np.ndarray:
    """Return each row's mean minus `mean`; 0 for a row without entries."""
    return np.where(np.diff(ratings.indptr) > 0, means(ratings) - mean, 0.0)
