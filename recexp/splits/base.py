"""Splitter: how a data set is divided into what may be learned and what is asked."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp

from recexp.data import Dataset, Interactions, Queries, Split
from recexp.data.split import overlap
from recexp.errors import DataError
from recexp.params import describe, params
from recexp.rng import generator

log = logging.getLogger(__name__)

TRAIN, VALIDATION, TEST, VALIDATION_HISTORY, TEST_HISTORY, UNUSED = range(6)
"""What a row is for. History rows are shown to the model as a query's history, and never learned from before that query."""


@params
class Splitter(ABC):
    """Divides a data set into one Split, or one a fold.

    Parameters
    ----------
    seed : seed of this split alone; yaml sets it to the run's.
    exclude_seen : whether items in a query's history are kept out of its list (and of its target).
    """

    seed: int
    exclude_seen: bool

    @abstractmethod
    def split(self, dataset: Dataset) -> Iterator[Split]:
        """Yield the splits of `dataset`; raises DataError when a part would be empty or a needed column is missing."""

    def rule(self) -> dict[str, Any]:
        """Return what two runs must share to be compared: every parameter but the seed."""
        return {name: value for name, value in describe(self).items() if name != "seed"}

    @property
    def rng(self) -> np.random.Generator:
        """The random stream of this split, afresh at each use."""
        return generator(self.seed, "split")


@params
class RowSplitter(Splitter):
    """A splitter that says of each row what it is for; the rest is the same for all."""

    @abstractmethod
    def assign(self, interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
        """Return int8 (m,): TRAIN, VALIDATION, TEST, VALIDATION_HISTORY, TEST_HISTORY or UNUSED for each row."""

    def split(self, dataset: Dataset) -> Iterator[Split]:
        labels = self.assign(dataset.interactions, rng=self.rng)
        yield divide(dataset, labels, exclude_seen=self.exclude_seen)


def divide(
    dataset: Dataset, labels: np.ndarray, *, exclude_seen: bool, cold_users: bool = False, fold: int | None = None
) -> Split:
    """Build the Split, and within it that of validation if it has rows, from what each row is for.

    Test is asked after everything else is known: its train is all but TEST, TEST_HISTORY and UNUSED. Validation's train
    is TRAIN alone. A user's history is its train rows and its history rows. Users without history are dropped and
    counted unless `cold_users`; so are held-out rows of excluded items.
    """
    validation = None
    if (labels == VALIDATION).any():
        learn = labels == TRAIN
        validation = _part(
            dataset, learn, learn | (labels == VALIDATION_HISTORY), labels == VALIDATION, "validation",
            exclude_seen=exclude_seen, cold_users=cold_users, fold=fold, validation=None,
        )  # fmt: skip
    learn = np.isin(labels, (TRAIN, VALIDATION, VALIDATION_HISTORY))
    return _part(
        dataset, learn, learn | (labels == TEST_HISTORY), labels == TEST, "test",
        exclude_seen=exclude_seen, cold_users=cold_users, fold=fold, validation=validation,
    )  # fmt: skip


def _part(
    dataset: Dataset, learn: np.ndarray, known: np.ndarray, held: np.ndarray, name: str, *,
    exclude_seen: bool, cold_users: bool, fold: int | None, validation: Split | None,
) -> Split:  # fmt: skip
    rows = dataset.interactions
    if not learn.any() or not held.any():
        raise DataError(f"the split leaves {learn.sum()} train rows and {held.sum()} {name} rows of {len(rows)}; both need some")
    test = rows.take(held)
    users = np.unique(test.users)
    queries = Queries.of_users(users, rows.take(known), exclude_seen=exclude_seen)
    target = test.csr(values=True, duplicates="max")[users]
    if exclude_seen:
        repeated = overlap(queries.exclude, target)
        if repeated.any():
            log.info("%s: %d held-out pairs are in the user's history too and do not count", name, repeated.sum())
            target = sp.csr_array((target.data[~repeated], _indices(target, ~repeated)), shape=target.shape)
    asked = np.diff(target.indptr) > 0
    if not cold_users:
        unknown = asked & (queries.lengths == 0)
        if unknown.any():
            log.info("%s: %d of %d users have no history and are left out", name, unknown.sum(), len(users))
        asked &= ~unknown
    if not asked.any():
        raise DataError(
            f"none of the {len(users)} {name} users can be asked: they have no rows in train, or only items seen there"
        )
    at = np.flatnonzero(asked)
    log.info("%s: %d queries, %d held-out rows; train: %d rows", name, len(at), len(test), learn.sum())
    return Split(
        train=dataset.take(learn), queries=queries.take(at), target=target[at], test=test, validation=validation, fold=fold
    )


def _indices(matrix: sp.csr_array, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return rows[keep], matrix.indices[keep]
