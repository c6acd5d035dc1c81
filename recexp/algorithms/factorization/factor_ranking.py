"""Lists from products of dense factors."""

import numpy as np

from recexp.data import Queries
from recexp.ranking import Lists, Ranking

BLOCK = 512
"""Queries scored at once: their scores stay in the cache until they are ranked."""


def top_k(users: np.ndarray, items: np.ndarray, queries: Queries, k: int, ranking: Ranking) -> Lists:
    """Return the k best items of each query by users @ items.T, float32 (b, d) and (n_items, d)."""
    lists = Lists.empty(len(users), min(k, len(items)))
    scores = np.empty((min(BLOCK, len(users)), len(items)), np.float32)
    for start in range(0, len(users), BLOCK):
        block = slice(start, start + BLOCK)
        part = users[block]
        np.matmul(part, items.T, out=scores[: len(part)])
        best = ranking.top_k(scores[: len(part)], queries.take(block), k)
        lists.items[block], lists.scores[block] = best.items, best.scores
    return lists
