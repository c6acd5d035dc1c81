"""Next item in held-out sessions."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from recexp.data import Dataset, Queries, Split
from recexp.errors import DataError
from recexp.params import params
from recexp.splits.base import TEST, TRAIN, VALIDATION, answerable, need_rows, single
from recexp.splits.point_in_time import PointSplitter

log = logging.getLogger(__name__)


@params
class Sessions(PointSplitter):
    """The last sessions by start time are test: after each item of a session but its last, the next one is asked for.

    A query's history is what came before in its session, in time order, and its time and context are those of the item
    asked for. Sessions that start at the same time stay together; data without timestamps goes by file order. Here a
    line is a session. With test_ratio=0.25, validation_ratio=0.25::

        time  1  2  3  4  5  6  7  8    |  1   2   3   4   5   6   7   8
        s1    p  q  .  r  .  .  .  .    |  p   q   .   r   .   .   .   .
        s2    .  .  p  .  r  .  .  .    |  .   .   p   .   r   .   .   .
        s3    .  .  .  .  q  p  .  .    |  .   .   .   .  (q) (p)  .   .
        s4    .  .  .  .  .  p  r  q    |  .   .   .   .   .  [p] [r] [q]

    is asked twice in the test: p -> r, and p r -> q.
    """

    time = "history"

    def split(self, dataset: Dataset) -> Iterator[Split]:
        rows = dataset.interactions
        if rows.sessions is None:
            raise DataError(
                "split=sessions needs the session of each row and the data has none; name their column with "
                "dataset.columns.session or choose a split that needs none, such as split=leave_last"
            )
        owned = rows.users.astype(np.int64) * (rows.sessions.max(initial=0) + 1) + rows.sessions  # ids may recur
        names, session = np.unique(owned, return_inverse=True)
        order, begin = rows.grouped(session, len(names))
        labels = self.cut(self._times(dataset)[order[begin[:-1]]], rows.per_second)[session]

        def part(name: str, held: int, learned: tuple[int, ...], validation: Split | None) -> Split:
            learn, test = np.isin(labels, learned), labels == held
            need_rows(learn.sum(), test.sum(), name, len(labels))
            queries, target = self._questions(dataset, order[test[order]], session, name)
            return Split(dataset.take(learn), queries, target, rows.take(test), validation)

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

    def _questions(
        self, dataset: Dataset, at: np.ndarray, session: np.ndarray, name: str
    ) -> tuple[Queries, sp.csr_array]:
        """Ask for each row of `at` (held-out rows, session by session in time order) but the first of a session."""
        held = dataset.interactions.take(at)
        first = np.diff(session[at], prepend=-1) != 0
        begin = np.flatnonzero(first)
        stop = np.flatnonzero(~first)
        if not len(stop):
            raise DataError(f"none of the {len(begin)} {name} sessions has two items; there is no next item to ask for")
        start = begin[np.cumsum(first)[stop] - 1]
        times = None if held.timestamps is None else held.timestamps[stop]
        context = {name: column.take(stop) for name, column in held.context.items()}
        queries = Queries(held.users[stop], held, start, stop, timestamps=times, context=context)
        if self.exclude_seen:
            queries = replace(queries, exclude=queries.history(values=False))
        return answerable(name, queries, single(held.items[stop], held.values[stop], held.n_items))
