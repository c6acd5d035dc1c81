"""From queries to lists: a model's best items, of those that may be listed, as a reranker orders them."""

from dataclasses import dataclass

import numpy as np

from recexp import progress
from recexp.algorithms.base import Recommender
from recexp.data import Queries
from recexp.errors import DataError
from recexp.ranking import Lists, Ranking
from recexp.rerankers.base import Reranker

LEAN = 4096
"""Bytes that a query takes, at most, where no scores are held, beside its history and its list."""


@dataclass(frozen=True)
class Listing:
    """Makes lists, the same in evaluation as in serving.

    Attributes
    ----------
    model, fallback : fitted algorithms; the fallback answers what the model cannot.
    ranking : masks and ties.
    reranker : says what else may not be listed, and makes lists out of the best items.
    block_mib : how much memory a block of dense scores may take.
    """

    model: Recommender
    fallback: Recommender
    ranking: Ranking
    reranker: Reranker
    block_mib: int

    def lists(self, queries: Queries, answered: np.ndarray, k: int) -> Lists:
        """Return lists of k items, at most all, for b queries; `answered`, bool (b,), are those the model answers.

        Raises DataError where nothing may be recommended to anyone.
        """
        lists, depth = Lists.empty(len(queries), k), min(self.reranker.depth(k), queries.n_items)
        with progress.bar(len(queries), "recommend") as advance:
            for ranking, asked in self._rankings(queries):
                for model, able in ((self.model, answered), (self.fallback, ~answered)):
                    mask = asked & able
                    at, rows = np.flatnonzero(mask), self._rows_at_once(model, queries, depth)
                    for start in range(0, len(at), rows):
                        block = slice(start, start + rows) if mask.all() else at[start : start + rows]
                        part = queries.take(block)
                        found = self._reranked(part, model.recommend(part, depth, ranking), k)
                        lists.items[block], lists.scores[block] = found.items, found.scores
                        advance(len(found.items))
        return lists

    def _rankings(self, queries: Queries) -> list[tuple[Ranking, np.ndarray]]:
        """Return the rules by which queries are ranked, each with bool (b,), which queries."""
        allowed = self.reranker.allowed(queries)
        if allowed is None:
            return [(self.ranking, np.ones(len(queries), bool))]
        groups = np.unique(allowed.groups)
        rules = [(self.ranking.within(allowed.masks[group]), allowed.groups == group) for group in groups]
        if rules and not any(ranking.catalogue.any() for ranking, _ in rules):
            raise DataError(
                f"nothing may be recommended: {type(self.reranker).__name__} allows none of the "
                f"{self.ranking.catalogue.sum()} items that are ranked"
            )
        return rules

    def _reranked(self, queries: Queries, candidates: Lists, k: int) -> Lists:
        """Return the reranker's lists of k items; raises DataError for lists of another shape."""
        lists = self.reranker.rerank(queries, candidates, k)
        if wrong := [one.shape for one in (lists.items, lists.scores) if one.shape != (len(queries), k)]:
            raise DataError(
                f"{type(self.reranker).__name__}.rerank gave lists of {wrong[0]}; it was asked for {(len(queries), k)}"
            )
        return lists

    def _rows_at_once(self, model: Recommender, queries: Queries, k: int) -> int:
        """Return how many queries are answered together: as many as a block's memory has room for."""
        row = 4 * max(1, queries.n_items)
        if not model.dense_lists:  # histories, what they are multiplied with, and lists
            row = min(row, LEAN + 32 * (int(queries.lengths.sum()) // max(1, len(queries))) + 8 * k)
        return max(1, self.block_mib * 2**20 // row)
