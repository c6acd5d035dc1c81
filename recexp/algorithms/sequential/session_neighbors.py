"""What models of neighbor sessions share."""

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, NamedTuple, Self

import numpy as np

from recexp import threads
from recexp.algorithms.base import Recommender
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.sessions import training_sessions
from recexp.data import Dataset, Interactions, Queries
from recexp.data.ordering import by_code, row_numbers
from recexp.params import PositiveInt, params
from recexp.ranking import Lists, Ranking


class Asked(NamedTuple):
    """The distinct items of each query's session, the latest first.

    Attributes
    ----------
    ptr : int64 (b + 1,), query q has rows ptr[q]..ptr[q + 1].
    items : int32 (m,).
    places : int64 (m,), the last place of the item in the session, from 1.
    lengths : int64 (m,), the rows of the session, all of items that train knows.
    """

    ptr: np.ndarray
    items: np.ndarray
    places: np.ndarray
    lengths: np.ndarray

    @property
    def steps(self) -> np.ndarray:
        """int64 (m,): how many rows from the end, 1 for the last."""
        steps: np.ndarray = self.lengths - self.places + 1
        return steps


@params
class SessionNeighbors(Recommender):
    """score(u, j) = sum over neighbors n of s of similarity(s, n) times what j is worth in n; s is u's last session.

    Of the training sessions that share an item with s, the `sample` newest (by their last row; among those of one time
    the later session number is newer) are compared with it, and the k most similar are its neighbors, among equals the
    newer: in the code of the papers' authors that is the walking order of Python's sets. Items of s without a training
    row are left out, as if they had not been there. Scores of a query are divided by the largest of them: factors that
    all neighbors share are left out. All arithmetic is in float64; scores are rounded to float32 at the end,
    `exact_scores` are not.

    A subclass says what items of s weigh and, where it must, more.

    Parameters
    ----------
    k : how many neighbors a session has.
    sample : how many sessions are compared; None: all that share an item.
    """

    k: PositiveInt
    sample: PositiveInt | None

    capabilities = Capabilities(needs=frozenset({"order"}))
    dense_lists: ClassVar[bool] = False

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        rows, begin = _by_age(*training_sessions(train))
        n, lengths = len(begin) - 1, np.diff(begin)
        session = np.repeat(np.arange(n, dtype=np.int32), lengths)
        place = (np.arange(len(rows)) - np.repeat(begin[:-1], lengths) + 1).astype(np.int32)
        last = _last_of_each(session, rows.items, rows.n_items)
        session, self.items_, self.places_ = session[last], rows.items[last], place[last]
        self.begin_ = np.append(0, np.cumsum(np.bincount(session, minlength=n)))
        by_item, item_begin = by_code(row_numbers(self.items_), self.items_, rows.n_items)
        self.item_begin_ = item_begin.astype(np.int64)
        self.item_sessions_, self.item_places_ = session[by_item], self.places_[by_item]
        ends = begin[1:] - 1
        self.times_ = (ends if rows.timestamps is None else rows.timestamps[ends]) / rows.per_second
        self.boost_ = self._boost(rows, n)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        return self.exact_scores(queries, np.float32)

    def exact_scores(self, queries: Queries, dtype: type[np.floating] = np.float64) -> np.ndarray:
        """Return float64 (b, n_items): the scores before they are rounded to float32, or to another `dtype`."""
        scores, block = np.empty((len(queries), queries.n_items), dtype), self._scorer(queries)

        def fill(start: int, stop: int) -> None:
            for row in range(start, stop):
                scores[row] = block(row, row + 1)

        threads.map_rows(fill, len(queries))
        return scores

    def recommend(self, queries: Queries, k: int, ranking: Ranking) -> Lists:
        block = self._scorer(queries)
        return ranking.top_k_of(lambda start, stop: block(start, stop).astype(np.float32), queries, k)

    @abstractmethod
    def _weights(self, asked: Asked) -> np.ndarray:
        """Return float64 (m,): what each item of a query's session weighs where a neighbor has it, too."""

    def _links(self, asked: Asked) -> np.ndarray:
        """Return float64 (m,): what a neighbor's items are worth by the latest item that it shares."""
        return np.ones(len(asked.items))

    def _factors(self, lengths: np.ndarray) -> np.ndarray:
        """Return float64 (n_sessions,): what similarities are multiplied by, given how many items sessions have."""
        return 1 / np.sqrt(lengths)

    def _boost(self, rows: Interactions, n_sessions: int) -> np.ndarray:
        """Return float64 (n_items,): what sums of items are multiplied by."""
        return np.ones(rows.n_items)

    def _by_distance(self, distances: np.ndarray) -> np.ndarray:
        """Return float64: what an item of a neighbor is worth so many places from the last item that it shares."""
        return np.ones(len(distances))

    def _rate(self) -> float:
        """Return r >= 0: similarity falls by exp(-r t) with a neighbor's age of t seconds."""
        return 0.0

    def _scorer(self, queries: Queries) -> Callable[[int, int], np.ndarray]:
        """Return a function of (start, stop) that works out float64 scores of these queries, in one thread."""
        from recexp.algorithms.kernels.session_neighbors import neighbor_scores

        asked = _asked(queries, np.diff(self.item_begin_) > 0)
        weights, links = self._weights(asked), self._links(asked)
        longest = int(self.places_.max(initial=0))
        learned = (
            self.item_begin_,
            self.item_sessions_,
            self.item_places_,
            self.begin_,
            self.items_,
            self.places_,
            self._factors(np.diff(self.begin_)),
            self.times_,
            self._rate(),
            self._by_distance(np.arange(longest + 1)),
            self.boost_,
            self.k,
            len(self.times_) if self.sample is None else self.sample,
        )

        def block(start: int, stop: int) -> np.ndarray:
            scores = np.zeros((stop - start, queries.n_items))
            neighbor_scores(asked.ptr[start : stop + 1], asked.items, weights, links, *learned, scores)
            return scores

        return block


def _asked(queries: Queries, known: np.ndarray) -> Asked:
    """Return the items of each query's last session, without those that train does not know; `known` (n_items,)."""
    queries = queries.of_last_session()
    lengths = queries.lengths
    number = np.repeat(np.arange(len(queries)), lengths)
    rows = np.arange(len(number)) + np.repeat(queries.start - np.cumsum(lengths) + lengths, lengths)
    items = queries.log.items[rows]
    number, items = number[known[items]], items[known[items]]
    lengths = np.bincount(number, minlength=len(queries))
    places = np.arange(len(number)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + 1
    latest = _last_of_each(number, items, queries.n_items)
    latest = latest[np.lexsort((-places[latest], number[latest]))]
    ptr = np.append(0, np.cumsum(np.bincount(number[latest], minlength=len(queries))))
    return Asked(ptr, items[latest], places[latest], np.repeat(lengths, np.diff(ptr)))


def _by_age(rows: Interactions, begin: np.ndarray) -> tuple[Interactions, np.ndarray]:
    """Return rows session by session, the session that ends last in time last; of one time, those of higher number."""
    if rows.timestamps is None:
        return rows, begin
    order = np.argsort(rows.timestamps[begin[1:] - 1], kind="stable")
    lengths = np.diff(begin)[order]
    moved = np.append(0, np.cumsum(lengths))
    return rows.take(np.arange(len(rows)) + np.repeat(begin[:-1][order] - moved[:-1], lengths)), moved


def _last_of_each(group: np.ndarray, items: np.ndarray, n_items: int) -> np.ndarray:
    """Return the last row of each item in each group, int (m,), by group and item; rows are by group."""
    keys = group.astype(np.int64) * n_items + items
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    return order[keys != np.append(keys[1:], -1)]
