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

    def ranked(self, queries: Queries, scores: np.ndarray, k: int) -> Lists:
        """Return lists of k items by given scores, float32 (b, n_items), of what may be listed for b queries."""
        lists, depth = Lists.empty(len(queries), k), min(self.reranker.depth(k), queries.n_items)
        for ranking, asked in self._rankings(queries):
            at = np.flatnonzero(asked)
            part = queries.take(at)
            found = self._reranked(part, ranking.top_k(scores[at], part, depth), k)
            lists.items[at], lists.scores[at] = found.items, found.scores
        return lists

    def scores(self, queries: Queries, answered: np.ndarray, k: int) -> np.ndarray:
        """Return float32 (b, n_items): scores by which the k best items are those of `lists`, -inf for what is in none.

        The items that the reranker lists take the highest scores, in its order; the others keep theirs.
        """
        found = np.empty((len(queries), queries.n_items), np.float32)
        for model, able in ((self.model, answered), (self.fallback, ~answered)):
            if len(at := np.flatnonzero(able)):
                found[at] = model.score(queries.take(at))
        for ranking, asked in self._rankings(queries):
            found[np.ix_(asked, ~ranking.catalogue)] = -np.inf
        return found if self.reranker.neutral else _ahead(found, self.ranked(queries, found, k).items)

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


def _ahead(scores: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Return float32 (b, n_items): the scores of each row, dealt out anew so that `items`, (b, k), have the highest.

    Equal ones are raised by as little as there is, so that the order of `items` is that of their scores.
    """
    rows, places = np.nonzero(items >= 0)
    wanted = np.zeros(scores.shape, np.int32)
    wanted[rows, items[rows, places]] = items.shape[1] - places
    highest = -np.sort(-scores, axis=1)
    for place in range(min(items.shape[1], scores.shape[1] - 1))[::-1]:
        after = highest[:, place + 1]
        above = np.where(np.isfinite(after), np.nextafter(after, np.float32(np.inf)), after)
        highest[:, place] = np.maximum(highest[:, place], above)
    found = np.empty_like(scores)
    np.put_along_axis(found, np.lexsort((-scores, -wanted)), highest, axis=1)
    return found
