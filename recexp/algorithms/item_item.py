"""ItemItem: the base of models that learn item-item weights."""

import numpy as np

from recexp.algorithms.base import Recommender
from recexp.algorithms.sparse_products import lists_of_product, times
from recexp.data import Queries
from recexp.ranking import Lists, Ranking


class ItemItem(Recommender):
    """score(u, j) = sum over i in u's history of x_ui W_ij.

    A subclass learns `weights_`, W as float32 (n_items, n_items): (seen, target), CSR or dense. Answers any user with a
    history, seen in training or not.
    """

    dense_lists = False

    def score(self, queries: Queries) -> np.ndarray:
        return times(self.matrix(queries), self.weights_)

    def recommend(self, queries: Queries, k: int, ranking: Ranking) -> Lists:
        return lists_of_product(self.matrix(queries), self.weights_, queries, k, ranking)
