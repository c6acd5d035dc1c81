"""Next item in held-out sessions."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from recexp.data import Dataset, Interactions, Queries, Split
from recexp.errors import DataError, EmptyPartError
from recexp.params import params
from recexp.splits.base import TEST, TRAIN, VALIDATION, Finish, answerable, as_it_is, need_rows, single
from recexp.splits.point_in_time import PointSplitter

log = logging.getLogger(__name__)


@params
class Sessions(PointSplitter):
    """The last sessions by start time are test: each item but the first of a session is asked for, given those before.

    A query's history is the earlier part of its session, in time order, and its time and context are those of the item
    asked for. Sessions that start at the same time stay together; data without timestamps are split by file order. Each
    line of the diagram is a session. With test_ratio=0.25, validation_ratio=0.25::

        time  1  2  3  4  5  6  7  8    |  1   2   3   4   5   6   7   8
        s1    p  q  .  r  .  .  .  .    |  p   q   .   r   .   .   .   .
        s2    .  .  p  .  r  .  .  .    |  .   .   p   .   r   .   .   .
        s3    .  .  .  .  q  p  .  .    |  .   .   .   .  (q) (p)  .   .
        s4    .  .  .  .  .  p  r  q    |  .   .   .   .   .  [p] [r] [q]

    The test has two queries: p -> r, and p r -> q.
    """

    time = "history"

    @property
    def finishes_parts(self) -> bool:
        return True

    def split(self, dataset: Dataset) -> Iterator[Split]:
        return self.split_and_finish(dataset, as_it_is)

    def split_and_finish(self, dataset: Dataset, finish: Finish) -> Iterator[Split]:
        if dataset.interactions.sessions is None:
            raise DataError(
                "split=sessions needs the session of each row and the data has none; name their column with "
                "dataset.columns.session or choose a split that needs none, such as split=leave_last"
            )
        session, order, begin = _by_session(dataset.interactions)
        labels = self.cut(self._times(dataset)[order[begin[:-1]]], dataset.interactions.per_second)[session]

        def part(name: str, held: int, learned: tuple[int, ...], validation: Split | None) -> Split:
            train, asked = finish(dataset.take(np.isin(labels, learned))), dataset.take(labels == held)
            test = asked.interactions if finish is as_it_is else _in_place(asked, finish(asked))
            need_rows(len(train.interactions), len(test), name, len(labels))
            queries, target = self._questions(test, name)
            return Split(train, queries, target, test, validation)

        validation = part("validation", VALIDATION, (TRAIN,), None) if (labels == VALIDATION).any() else None
        yield part("test", TEST, (TRAIN, VALIDATION), validation)

    def _times(self, dataset: Dataset) -> np.ndarray:
        times = dataset.interactions.timestamps
        if times is None and (self.test_from is not None or self.validation_from is not None):
            raise DataError(
                "split.test_from and split.validation_from need timestamps and the data has none; name their column "
                "with dataset.columns.timestamp or use split.test_ratio"
            )
        return np.arange(len(dataset.interactions)) if times is None else times

    def _questions(self, test: Interactions, name: str) -> tuple[Queries, sp.csr_array]:
        """Make one query per held-out row except the first of each session, session by session in time order."""
        session, order, _ = _by_session(test)
        held = test.take(order)
        first = np.diff(session[order], prepend=-1) != 0
        begin = np.flatnonzero(first)
        stop = np.flatnonzero(~first)
        if not len(stop):
            raise EmptyPartError(
                f"none of the {len(begin)} {name} sessions has two items; there is no next item to predict"
            )
        start = begin[np.cumsum(first)[stop] - 1]
        times = None if held.timestamps is None else held.timestamps[stop]
        context = {name: column.take(stop) for name, column in held.context.items()}
        queries = Queries(held.users[stop], held, start, stop, timestamps=times, context=context)
        if self.exclude_seen:
            queries = replace(queries, exclude=queries.history(values=False))
        return answerable(name, queries, single(held.items[stop], held.values[stop], held.n_items))


def _by_session(rows: Interactions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each row's session, int64 (m,), row numbers by session in time order, and where each session begins."""
    session, n = rows.session_numbers
    return session, *rows.grouped(session, n)


def _in_place(before: Dataset, after: Dataset) -> Interactions:
    """Return the rows of `after`, with each merged pair of user and item at the position of its first row in `before`.

    Each row of a session is predicted from the rows before it: a merged row must not move to a later position.
    """
    old, new = before.interactions, after.interactions
    pairs = [rows.users.astype(np.int64) * rows.n_items + rows.items for rows in (old, new)]
    order = np.argsort(pairs[1], kind="stable")
    merged = pairs[1][order]
    if (np.diff(merged) == 0).any():
        return new  # nothing was merged
    earliest = old.time_order()
    earliest = earliest[np.argsort(pairs[0][earliest], kind="stable")]
    first = earliest[np.searchsorted(pairs[0][earliest], merged)]
    rows = replace(old.take(first), values=new.values[order], explicit=new.explicit)
    return rows.take(np.argsort(first))
