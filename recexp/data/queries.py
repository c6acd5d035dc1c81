"""Queries: what is asked of a model."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import scipy.sparse as sp

from recexp.data.column import Column, frozen, take_rows
from recexp.data.interactions import Interactions
from recexp.data.overlap import found_in
from recexp.errors import DataError


@dataclass(frozen=True)
class Queries:
    """b questions "what next for this user?", each with a history and what may be answered.

    Attributes
    ----------
    users : int32 (b,), the user who asks; a user may own several queries.
    log : the rows that histories are made of, each history a range of them in time order.
    start, stop : int64 (b,), query q's history is `log[start[q]:stop[q]]`, oldest first; may be empty.
    exclude : bool or float (b, n_items) CSR, items that may not be recommended, or None.
    candidates : CSR (b, n_items), the only items to be ranked, or None for the whole catalogue.
    timestamps : int64 (b,), when the question is asked, in the unit of `log`, or None.
    context : typed columns by name, each of b rows: what is known of the held-out row that each query asks about; empty
        where a query may ask about several.
    """

    users: np.ndarray
    log: Interactions
    start: np.ndarray
    stop: np.ndarray
    exclude: sp.csr_array | None = None
    candidates: sp.csr_array | None = None
    timestamps: np.ndarray | None = None
    context: Mapping[str, Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        b = len(self.users)
        for name in ("users", "start", "stop", "timestamps"):
            array = getattr(self, name)
            if array is not None:
                if array.shape != (b,):
                    raise DataError(f"queries.{name} must have {b} rows, got {array.shape}")
                object.__setattr__(self, name, frozen(array))
        for name, column in self.context.items():
            if len(column) != b:
                raise DataError(f"queries.context column {name} must have {b} rows, got {len(column)}")
        for name in ("exclude", "candidates"):
            matrix = getattr(self, name)
            if matrix is not None and matrix.shape != (b, self.log.n_items):
                raise DataError(f"queries.{name} must be ({b}, {self.log.n_items}), got {matrix.shape}")

    def __len__(self) -> int:
        return len(self.users)

    @property
    def n_items(self) -> int:
        return self.log.n_items

    @property
    def lengths(self) -> np.ndarray:
        """int64 (b,): rows in each history."""
        lengths: np.ndarray = self.stop - self.start
        return lengths

    @staticmethod
    def of_users(users: np.ndarray, interactions: Interactions, *, exclude_seen: bool) -> "Queries":
        """One query a user, int32 (b,), whose history is all `interactions` of that user.

        With `exclude_seen` what is in the history may not be recommended.
        """
        log, begin = interactions.histories
        start, stop = begin[users].astype(np.int64), begin[users + 1].astype(np.int64)
        queries = Queries(users=users, log=log, start=start, stop=stop)
        if not exclude_seen:
            return queries
        if 2 * len(users) < interactions.n_users:  # the matrix of all would cost more
            return replace(queries, exclude=queries.history(values=False))
        seen = interactions.csr(values=False)
        everyone = np.array_equal(users, np.arange(interactions.n_users))
        return replace(queries, exclude=seen if everyone else seen[users])

    def asked_by(self, user: int) -> "Queries":
        """Return the same questions asked by `user`; -1 is a user that no model knows."""
        return replace(self, users=np.full(len(self), user, np.int32))

    def take(self, queries: np.ndarray | slice) -> "Queries":
        """Return some of the queries (indices, mask or slice); the log is shared, never copied."""
        indices = np.arange(len(self))[queries]
        return replace(
            self,
            users=self.users[queries],
            start=self.start[queries],
            stop=self.stop[queries],
            exclude=None if self.exclude is None else self.exclude[queries],
            candidates=None if self.candidates is None else self.candidates[queries],
            timestamps=None if self.timestamps is None else self.timestamps[queries],
            context={name: column.take(indices) for name, column in self.context.items()},
        )

    def of_last_session(self) -> "Queries":
        """Return the same questions, each history cut to the rows at its end that are of one session.

        Without sessions they stay as they are.
        """
        sessions = self.log.sessions
        if sessions is None or not len(sessions):
            return self
        change = np.flatnonzero(np.diff(sessions) != 0) + 1  # where another session than the row before's begins
        found = np.searchsorted(change, self.stop, side="left") - 1
        begin = np.where(found >= 0, np.append(change, 0)[found], 0)
        return replace(self, start=np.clip(begin, self.start, self.stop))

    def sequences(self, length: int) -> np.ndarray:
        """Return int32 (b, length): the last `length` items of each history, oldest first, -1 before they begin."""
        rows = self.stop[:, None] - np.arange(length, 0, -1)
        items = np.append(self.log.items, np.int32(-1))
        return items[np.where(rows >= self.start[:, None], rows, -1)]

    def held(self, wanted: sp.csr_array) -> np.ndarray:
        """Return bool (wanted.nnz,): which stored entries of (b, n_items) are in the history of their query."""
        return found_in(self.start, self.stop, self.log.items, wanted)

    def history(self, *, values: bool) -> sp.csr_array:
        """Return the histories as float32 (b, n_items): summed values, or ones (`values=False`); sorted indices."""
        lengths = self.lengths
        indptr = np.append(0, np.cumsum(lengths))
        rows = np.arange(indptr[-1], dtype=sp.get_index_dtype(maxval=max(indptr[-1], len(self.log))))
        rows += np.repeat((self.start - indptr[:-1]).astype(rows.dtype), lengths)
        data = take_rows(self.log.values, rows) if values else np.ones(len(rows), np.float32)
        matrix = sp.csr_array((data, take_rows(self.log.items, rows), indptr), shape=(len(self), self.n_items))
        matrix.sum_duplicates()
        if not values:
            matrix.data[:] = 1
        return matrix
