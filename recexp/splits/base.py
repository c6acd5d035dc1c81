"""Splitter: divides a dataset into training rows and held-out rows."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
import scipy.sparse as sp

from recexp.data import Column, Dataset, Interactions, Queries, Split
from recexp.data.overlap import overlap
from recexp.errors import DataError, EmptyPartError
from recexp.params import NonNegativeInt, describe, params
from recexp.rng import generator

log = logging.getLogger(__name__)

TRAIN, VALIDATION, TEST, VALIDATION_HISTORY, TEST_HISTORY = range(5)
"""What a row is for. History rows are shown as a query's history and never learned from before that query."""

Finish = Callable[[Dataset], Dataset]
"""What filters leave to each part of a split by time: it may drop rows and change values; codes stay."""

FEW = 30
"""Fewer queries than this get a warning: intervals of so small a sample are not to be trusted."""


@params
class Splitter(ABC):
    """Divides a dataset into one Split, or one Split per fold.

    Diagrams in the docstrings show the rows before and after the split, with one line per user and one column per time.
    A row is shown as its item: `p` train, `(p)` validation, `[p]` test, `<p>` history of a held-out user.

    Parameters
    ----------
    seed : seed of this split only; the yaml sets it to the run's.
    exclude_seen : whether items in a query's history are excluded from its list and its target.

    Class attributes
    ----------------
    time : how the split treats time, for the audit. mixed: ignores it; history: each user's history is older than the
        rows asked for; point: all training rows are older; None: unknown.
    """

    time: ClassVar[Literal["mixed", "history", "point"] | None] = None

    seed: NonNegativeInt
    exclude_seen: bool

    @property
    def finishes_parts(self) -> bool:
        """Whether it splits by time and knows its parts: filters that look ahead are then applied to each part."""
        return False

    @abstractmethod
    def split(self, dataset: Dataset) -> Iterator[Split]:
        """Yield the splits of `dataset`; raises DataError if a part would be empty or a required column is missing."""

    def split_and_finish(self, dataset: Dataset, finish: Finish) -> Iterator[Split]:
        """Yield the splits; applies `finish` to the rows of each part if `finishes_parts`."""
        return self.split(dataset)

    def check(self) -> None:  # noqa: B027
        """Raise DataError if `split` is certain to fail before any data is read (a named file is missing)."""

    def rule(self) -> dict[str, Any]:
        """Return what two runs must share to be comparable: every parameter except the seed."""
        return {name: value for name, value in describe(self).items() if name != "seed"}

    @property
    def rng(self) -> np.random.Generator:
        """The random generator of this split, created anew at each access."""
        return generator(self.seed, "split")


@params
class RowSplitter(Splitter):
    """A splitter that assigns each row to a part; all else is shared.

    Class attributes
    ----------------
    cold_users : whether users without history are queried too.
    """

    cold_users: ClassVar[bool] = False

    @abstractmethod
    def assign(self, interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
        """Return int8 (m,): TRAIN, VALIDATION, TEST, VALIDATION_HISTORY or TEST_HISTORY for each row."""

    @property
    def finishes_parts(self) -> bool:
        return self.time in ("history", "point") and type(self).split is RowSplitter.split

    def split(self, dataset: Dataset) -> Iterator[Split]:
        return self.split_and_finish(dataset, as_it_is)

    def split_and_finish(self, dataset: Dataset, finish: Finish) -> Iterator[Split]:
        rows = dataset.interactions
        labels, m = np.asarray(self.assign(rows, rng=self.rng)), len(rows)
        if (
            labels.shape != (m,)
            or labels.dtype.kind not in "iu"
            or not 0 <= labels.min(initial=0) <= labels.max(initial=0) < 5
        ):
            raise DataError(
                f"{type(self).__name__}.assign gave {labels.dtype} {labels.shape}; one label a row is int8 ({m},) of "
                "TRAIN, VALIDATION, TEST, VALIDATION_HISTORY and TEST_HISTORY"
            )
        split = divide(dataset, labels, exclude_seen=self.exclude_seen, cold_users=self.cold_users, finish=finish)
        if self.time == "point" and rows.timestamps is not None:
            split = replace(split, begin=self.test_begin(rows, labels == TEST))
        yield split

    def test_begin(self, rows: Interactions, held: np.ndarray) -> int:
        """Return when the test begins, for a split at one point in time; `held`, bool (m,), marks the test rows."""
        return int(rows.timestamps[held].min())  # type: ignore[index]


def as_it_is(part: Dataset) -> Dataset:
    """Return a part of a split unchanged."""
    return part


def divide(
    dataset: Dataset,
    labels: np.ndarray,
    *,
    exclude_seen: bool,
    cold_users: bool = False,
    fold: int | None = None,
    finish: Finish = as_it_is,
) -> Split:
    """Build the Split, including a validation split if it has rows, from the label of each row, int8 (m,).

    The train part of the test split is everything except TEST and TEST_HISTORY; that of validation is TRAIN only. A
    user's history consists of its train rows and history rows. `finish` is applied to the rows of each part.
    """

    def part(name: str, held: int, history: int, learned: tuple[int, ...], validation: Split | None) -> Split:
        learn, asked, shown = _is_any(labels, learned), dataset.take(labels == held), labels == history
        train, test = finish(dataset.take(learn)), finish(asked).interactions
        need_rows(len(train.interactions), len(test), name, len(labels))
        known = finish(dataset.take(learn | shown)).interactions if shown.any() else train.interactions
        return build_split(
            name,
            train,
            known,
            test,
            exclude_seen=exclude_seen,
            cold_users=cold_users,
            asked=asked.interactions,
            validation=validation,
            fold=fold,
        )

    validation = None
    if _is_any(labels, (VALIDATION, VALIDATION_HISTORY)).any():
        validation = part("validation", VALIDATION, VALIDATION_HISTORY, (TRAIN,), None)
    return part("test", TEST, TEST_HISTORY, (TRAIN, VALIDATION, VALIDATION_HISTORY), validation)


def _is_any(labels: np.ndarray, parts: tuple[int, ...]) -> np.ndarray:
    """Return bool (m,): which labels are in `parts`; five times faster than numpy's isin."""
    found: np.ndarray = np.logical_or.reduce([labels == part for part in parts])
    return found


def build_split(
    name: str,
    train: Dataset,
    history: Interactions,
    test: Interactions,
    *,
    exclude_seen: bool,
    cold_users: bool = False,
    candidates: sp.csr_array | None = None,
    asked: Interactions | None = None,
    validation: Split | None = None,
    fold: int | None = None,
) -> Split:
    """Build the Split that asks for `test`; a user's history is all of the user's rows in `history`.

    A query has the time of its first held-out row, and that row's context if every query is about one row. Users
    without history are dropped and counted unless `cold_users`, as are held-out rows of items that `exclude_seen`
    excludes from the user's list.

    Parameters
    ----------
    name : name of the part, for messages.
    candidates : (rows of test, n_items), the items among which each row's item is ranked, including that item. Each
        row is then a separate query; None: one query per user.
    asked : the held-out rows before rows of the same user and item were merged; None if they were not merged.
    validation, fold : attributes of the Split.
    """
    if candidates is None:
        users = test.used_users.astype(np.int32)
        queries = Queries.of_users(users, history, exclude_seen=exclude_seen)
        target = test.csr(values=True, duplicates="max")[users]
    else:
        queries = replace(Queries.of_users(test.users, history, exclude_seen=exclude_seen), candidates=candidates)
        target = single(test.items, test.values, test.n_items)
    queries = replace(
        queries, timestamps=_asked_at(asked or test, queries, candidates is None), context=_asked_in(test, queries)
    )
    queries, target = answerable(name, queries, target, cold_users=cold_users)
    return Split(train, queries, target, test, validation, fold)


def _asked_at(test: Interactions, queries: Queries, by_user: bool) -> np.ndarray | None:
    """Return int64 (b,): the time of each query's held-out row (by user: of its first)."""
    if test.timestamps is None or not by_user:
        return test.timestamps
    times = np.full(test.n_users, np.iinfo(np.int64).max)
    np.minimum.at(times, test.users, test.timestamps)
    return times[queries.users]


def _asked_in(test: Interactions, queries: Queries) -> dict[str, Column]:
    """Return the context of each query's held-out row; empty if any query asks about several rows."""
    if not test.context or len(queries) < len(test):
        return {}
    each_row = np.array_equal(queries.users, test.users)  # otherwise each user has one row, in the order of queries
    rows = np.arange(len(test)) if each_row else np.argsort(test.users)
    return {name: column.take(rows) for name, column in test.context.items()}


def need_rows(learned: int, held: int, name: str, total: int) -> None:
    """Raise DataError unless there are both training rows and held-out rows."""
    if not learned or not held:
        raise EmptyPartError(
            f"the split leaves {learned} train rows and {held} {name} rows of {total}; neither may be empty"
        )


def single(items: np.ndarray, values: np.ndarray, n_items: int) -> sp.csr_array:
    """Return the float32 (b, n_items) target in which row q holds only item q."""
    return sp.csr_array((values, items, np.arange(len(items) + 1)), shape=(len(items), n_items))


def answerable(
    name: str, queries: Queries, target: sp.csr_array, *, cold_users: bool = False
) -> tuple[Queries, sp.csr_array]:
    """Remove excluded items from the target, and queries without target or, unless `cold_users`, without history.

    The log counts what was removed. Raises DataError if no query remains.
    """
    if queries.exclude is not None:
        repeated = overlap(queries.exclude, target)
        if repeated.any():
            log.info("%s: %d held-out items are also in the user's history and are ignored", name, repeated.sum())
            rows = np.repeat(np.arange(len(queries)), np.diff(target.indptr))[~repeated]
            target = sp.csr_array((target.data[~repeated], (rows, target.indices[~repeated])), shape=target.shape)
    known = (queries.lengths > 0) | cold_users
    asked = np.flatnonzero(known & (np.diff(target.indptr) > 0))
    n_users, n_unknown = (np.count_nonzero(np.bincount(users + 1)) for users in (queries.users, queries.users[~known]))
    if n_unknown:
        log.info("%s: %d of %d users have no history and are skipped", name, n_unknown, n_users)
    if not len(asked):
        raise EmptyPartError(
            f"none of the {n_users} {name} users can be evaluated: they have no rows in train, or only items seen there"
        )
    if len(asked) < len(queries):
        queries, target = queries.take(asked), target[asked]
    log.info("%s: %d queries, %d targets", name, len(queries), target.nnz)
    if len(queries) < FEW:
        log.warning("%s: means over only %d queries are mostly noise", name, len(queries))
    return queries, target
