"""FactorModel: the base of models with user and item vectors."""

from abc import abstractmethod
from dataclasses import replace

import numpy as np

from recexp.algorithms.base import Recommender
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.ratings import RatingModel, clipped, dots, unique_queries
from recexp.data import Interactions, Queries
from recexp.ranking import Lists, Ranking

BLOCK = 512
"""Queries scored at once: their scores stay in the cache until they are ranked."""


class FactorModel(Recommender):
    """score(u, i) = w_u . h_i.

    A subclass learns `items_`, h as float32 (n_items, d), and implements `user_vectors`: w is looked up for users seen
    in training, or computed from the query's history, which answers any user with a history.
    """

    capabilities = Capabilities(vectors=True)

    items_: np.ndarray

    @abstractmethod
    def user_vectors(self, queries: Queries) -> np.ndarray:
        """Return float32 (b, d): the vectors w of the queries' users."""

    def item_vectors(self) -> np.ndarray:
        """Return float32 (n_items, d): vectors whose products with a user's vector rank the items as `score` does."""
        return self.items_

    def score(self, queries: Queries) -> np.ndarray:
        scores: np.ndarray = self.user_vectors(queries) @ self.item_vectors().T
        return scores

    def recommend(self, queries: Queries, k: int, ranking: Ranking) -> Lists:
        users, items = self.user_vectors(queries), self.item_vectors()
        lists = Lists.empty(len(users), min(k, len(items)))
        scores = np.empty((min(BLOCK, len(users)), len(items)), np.float32)
        for start in range(0, len(users), BLOCK):
            block = slice(start, start + BLOCK)
            part = users[block]
            np.matmul(part, items.T, out=scores[: len(part)])
            best = ranking.top_k(scores[: len(part)], queries.take(block), k)
            lists.items[block], lists.scores[block] = best.items, best.scores
        return lists


class BiasedFactorModel(RatingModel, FactorModel):
    """score(u, i) = mean + b_u + b_i + w_u . h_i: a rating.

    A subclass learns `items_`, h as float32 (n_items, d), and `item_biases_`, b_i as float32 (n_items,), in addition to
    the attributes of `RatingModel`. Predictions are clipped to the range of train, scores are not.
    """

    capabilities = replace(RatingModel.capabilities, vectors=True)
    recommend = Recommender.recommend  # lists hold complete ratings, not only the terms that affect the ranking

    item_biases_: np.ndarray

    @abstractmethod
    def user_factors(self, queries: Queries) -> tuple[np.ndarray, np.ndarray]:
        """Return w, float32 (b, d), and mean + b_u, float32 (b,), of the queries' users."""

    def user_vectors(self, queries: Queries) -> np.ndarray:
        """Return float32 (b, d + 1): w and a 1, which multiplies the item's bias."""
        return np.column_stack([self.user_factors(queries)[0], np.ones(len(queries), np.float32)])

    def item_vectors(self) -> np.ndarray:
        """Return float32 (n_items, d + 1): h and the bias."""
        return np.column_stack([self.items_, self.item_biases_])

    def score(self, queries: Queries) -> np.ndarray:
        factors, effects = self.user_factors(queries)
        scores: np.ndarray = factors @ self.items_.T
        scores += self.item_biases_
        scores += effects[:, None]
        return scores

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        unique, index = unique_queries(history)
        factors, effects = self.user_factors(unique)
        products = dots(factors, index, self.items_, rows.items)
        return clipped(effects[index] + self.item_biases_[rows.items] + products, self.range_)
