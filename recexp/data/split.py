"""Split: training data, queries, and the held-out targets that they are evaluated against."""

import logging
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from recexp.data.dataset import Dataset
from recexp.data.interactions import Interactions
from recexp.data.overlap import overlap
from recexp.data.queries import Queries
from recexp.errors import DataError
from recexp.identity import digest_arrays

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Split:
    """Train, queries and target; every protocol reduces to these three.

    Attributes
    ----------
    train : all that may be learned from before the test.
    queries : b questions. Weak generalization: the history is the user's train rows. Strong: users unseen in train.
    target : float32 (b, n_items) CSR of held-out values; no row is empty, none overlaps `queries.exclude`.
    test : the held-out rows themselves (for ratings, clicks and repeats).
    validation : the same made again inside `train`, or None; its train is smaller.
    fold : which fold this is, or None.
    begin : the time from which on rows are held out, the same for all users, or None.
    """

    train: Dataset
    queries: Queries
    target: sp.csr_array
    test: Interactions
    validation: "Split | None" = None
    fold: int | None = None
    begin: int | None = None

    def __post_init__(self) -> None:
        if self.target.shape != (len(self.queries), self.train.n_items):
            raise DataError(
                f"target is {self.target.shape} for {len(self.queries)} queries, {self.train.n_items} items"
            )
        if (np.diff(self.target.indptr) == 0).any():
            raise DataError("a query has an empty target; such queries must be dropped")
        exclude = self.queries.exclude
        if exclude is not None and overlap(exclude, self.target).any():
            raise DataError("an item is both target and excluded; it could never be recommended")
        if self.validation is not None and len(self.validation.train.interactions) >= len(self.train.interactions):
            raise DataError("the train part of validation must be smaller than train")

    def with_listed(self) -> "Split":
        """Return the split with codes for all items that the items table lists besides (`Dataset.listed`)."""
        listed = self.train.listed
        if listed is None or not len(listed):
            return self
        train = self.train.joined(listed.ids, np.arange(len(listed)))

        def wider(matrix: sp.csr_array) -> sp.csr_array:
            return sp.csr_array((matrix.data, matrix.indices, matrix.indptr), shape=(matrix.shape[0], train.n_items))

        queries = self.queries
        return replace(
            self,
            train=train,
            queries=replace(
                queries,
                log=replace(queries.log, n_items=train.n_items),
                exclude=None if queries.exclude is None else wider(queries.exclude),
                candidates=None if queries.candidates is None else wider(queries.candidates),
            ),
            target=wider(self.target),
            test=replace(self.test, n_items=train.n_items),
            validation=None if self.validation is None else self.validation.with_listed(),
        )

    def asking(self, keep: np.ndarray) -> "Split":
        """Return the split with some entries of its target, bool (nnz,), and the queries that still have a target."""
        target, b = self.target, len(self.queries)
        indptr = np.concatenate([[0], np.cumsum(keep)])[target.indptr]
        kept = np.flatnonzero(np.diff(indptr))
        if len(kept) < b:
            log.info("%d of %d queries have no relevant held-out item and are ignored", b - len(kept), b)
        target = sp.csr_array((target.data[keep], target.indices[keep], indptr), shape=target.shape)[kept]
        return replace(self, queries=self.queries.take(kept), target=target)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over train rows, queries and targets (and those of validation): the very split."""
        queries = self.queries
        parts = [queries.users, queries.start, queries.stop, queries.timestamps]
        parts += [*_places(self.target, np.int32), self.target.data]
        for matrix in (queries.exclude, queries.candidates):
            parts += [] if matrix is None else _places(matrix, np.int64)
        texts = [self.train.interactions.fingerprint, queries.log.fingerprint, self.test.fingerprint]
        if self.validation is not None:
            texts.append(self.validation.fingerprint)
        return digest_arrays([*parts, np.array(texts, dtype=object)])


def _places(matrix: sp.csr_array, kind: type) -> list[np.ndarray]:
    """Return where a matrix has entries, as digests have always held it; scipy's type hangs on how it came to be."""
    return [matrix.indptr.astype(kind, copy=False), matrix.indices.astype(kind, copy=False)]
