"""Splitter: how a dataset is divided into what may be learned and what is asked."""

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
    """Divides a dataset into one Split, or one a fold.

    Pictures in the docstrings show a row as its item, in a line for each user and a column for each time, before the
    split and after it: `p` train, `(p)` validation, `[p]` test, `<p>` history of a held-out user.

    Parameters
    ----------
    seed : seed of this split alone; yaml sets it to the run's.
    exclude_seen : whether items in a query's history are kept out of its list (and of its target).

    Class attributes
    ----------------
    time : what it does with time, for the audit. mixed: nothing; history: a user's history is older than what is asked;
        point: all that is learned from is; None: not known.
    """

    time: ClassVar[Literal["mixed", "history", "point"] | None] = None

    seed: NonNegativeInt
    exclude_seen: bool

    @property
    def finishes_parts(self) -> bool:
        """Whether it goes by time and knows its parts: filters then leave to these what looks ahead."""
        return False

    @abstractmethod
    def split(self, dataset: Dataset) -> Iterator[Split]:
        """Yield the splits of `dataset`; raises DataError when a part would be empty or a needed column is missing."""

    def split_and_finish(self, dataset: Dataset, finish: Finish) -> Iterator[Split]:
        """Yield the splits, `finish` applied to the rows of each part where `finishes_parts`."""
        return self.split(dataset)

    def check(self) -> None:  # noqa: B027
        """Raise DataError when it is clear without data that `split` cannot succeed (a named file is missing)."""

    def rule(self) -> dict[str, Any]:
        """Return what two runs must share to be compared: every parameter but the seed."""
        return {name: value for name, value in describe(self).items() if name != "seed"}

    @property
    def rng(self) -> np.random.Generator:
        """The random stream of this split, afresh at each use."""
        return generator(self.seed, "split")


@params
class RowSplitter(Splitter):
    """A splitter that says of each row what it is for; the rest is the same for all.

    Class attributes
    ----------------
    cold_users : users without history are asked too.
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
        """Return when the test begins, for a split at one point in time; `held`, bool (m,), are the test's rows."""
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
    """Build the Split, and within it that of validation if it has rows, from what each row is for, int8 (m,).

    Test is asked after everything else is known: its train is all but TEST and TEST_HISTORY. Validation's train is
    TRAIN alone. A user's history is its train rows and its history rows. `finish` is applied to the rows of each.
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
    """Return bool (m,): which rows are for any of `parts`; five times faster than numpy's isin."""
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
    """Build the Split that asks for `test`, where a user's history is all that `history` holds of it.

    A question is asked at the time of its first held-out row, and in its context where each is about one row.
    Users without history are left out and counted unless `cold_users`; so are held-out rows of items that
    `exclude_seen` keeps out of the user's list.

    Parameters
    ----------
    name : which part this is, for messages.
    candidates : (rows of test, n_items), the items that each row's item is ranked among, itself included. Each row is
        then a query of its own; without, each user is one.
    asked : the held-out rows before those of the same user and item were merged, None if they were not.
    validation, fold : of the Split.
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
    """Return when each query is asked, int64 (b,): at the time of its (by user: its first) held-out row."""
    if test.timestamps is None or not by_user:
        return test.timestamps
    times = np.full(test.n_users, np.iinfo(np.int64).max)
    np.minimum.at(times, test.users, test.timestamps)
    return times[queries.users]


def _asked_in(test: Interactions, queries: Queries) -> dict[str, Column]:
    """Return the context of the held-out row that each query asks about; none where one asks about several rows."""
    if not test.context or len(queries) < len(test):
        return {}
    each_row = np.array_equal(queries.users, test.users)  # else each user has one row, and they are asked in order
    rows = np.arange(len(test)) if each_row else np.argsort(test.users)
    return {name: column.take(rows) for name, column in test.context.items()}


def need_rows(learned: int, held: int, name: str, total: int) -> None:
    """Raise DataError unless there are rows to learn from and rows to ask about."""
    if not learned or not held:
        raise EmptyPartError(
            f"the split leaves {learned} train rows and {held} {name} rows of {total}; neither may be empty"
        )


def single(items: np.ndarray, values: np.ndarray, n_items: int) -> sp.csr_array:
    """Return the float32 (b, n_items) target in which row q holds item q alone."""
    return sp.csr_array((values, items, np.arange(len(items) + 1)), shape=(len(items), n_items))


def answerable(
    name: str, queries: Queries, target: sp.csr_array, *, cold_users: bool = False
) -> tuple[Queries, sp.csr_array]:
    """Take excluded items out of the target, and leave out queries without target or, unless `cold_users`, history.

    What is left out is counted in the log. Raises DataError when no query is left.
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
