"""Interactions: who did what with which item, when, in file order."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
import scipy.sparse as sp

from recexp.data.column import Column, frozen, take_rows
from recexp.data.ordering import ascending, by_code, by_code_and_time, pairs, row_numbers
from recexp.data.time_unit import PER_SECOND, TimeUnit, in_unit
from recexp.errors import DataError
from recexp.identity import digest, digest_arrays

CLICKED = ("clicked", "click")
"""The context columns by which rows are impressions."""


@dataclass(frozen=True)
class Interactions:
    """m rows of user, item and value, with what else is known about each; arrays are read-only.

    Attributes
    ----------
    users, items : int32 (m,), codes below `n_users` and `n_items`.
    values : float32 (m,), ratings when `explicit`, else ones, counts or weights; NaN where a row has no rating.
    n_users, n_items : sizes of the code spaces; codes that no row uses are allowed.
    timestamps : int64 (m,) times since 1970 UTC, counted in `time_unit`, or None.
    events : category column (view, cart, purchase, rating ...), or None.
    sessions : int32 (m,) session codes, or None.
    context : further typed columns by name, each of m rows.
    explicit : whether `values` are ratings that a user gave.
    time_unit : s, ms, us or ns: the coarsest that loses nothing of the times.

    Rows keep file order. By time means by timestamp with ties in file order; without timestamps, file order itself.
    """

    users: np.ndarray
    items: np.ndarray
    values: np.ndarray
    n_users: int
    n_items: int
    timestamps: np.ndarray | None = None
    events: Column | None = None
    sessions: np.ndarray | None = None
    context: Mapping[str, Column] = field(default_factory=dict)
    explicit: bool = False
    time_unit: TimeUnit = "s"

    def __post_init__(self) -> None:
        types = {
            "users": np.int32,
            "items": np.int32,
            "values": np.float32,
            "timestamps": np.int64,
            "sessions": np.int32,
        }
        for name, dtype in types.items():
            array = getattr(self, name)
            if array is None:
                continue
            if array.dtype != dtype or array.shape != (len(self.users),):
                raise DataError(
                    f"interactions.{name} must be {np.dtype(dtype)} ({len(self.users)},), "
                    f"got {array.dtype} {array.shape}"
                )
            object.__setattr__(self, name, frozen(array))
        for name, size in (("users", self.n_users), ("items", self.n_items)):
            codes = getattr(self, name)
            if len(codes) and not 0 <= codes.min() <= codes.max() < size:
                raise DataError(f"interactions.{name} holds codes outside 0..{size - 1}")

    def __len__(self) -> int:
        return len(self.users)

    def take(self, rows: np.ndarray) -> "Interactions":
        """Return the given rows (indices or mask) with the same codes."""
        indices = np.flatnonzero(rows) if rows.dtype == bool else rows
        return self._take(indices, take_rows(self.users, indices))

    def _take(self, rows: np.ndarray, users: np.ndarray) -> "Interactions":
        """Return the given rows, whose `users` are known."""
        return replace(
            self,
            users=users,
            items=take_rows(self.items, rows),
            values=take_rows(self.values, rows),
            timestamps=None if self.timestamps is None else take_rows(self.timestamps, rows),
            events=None if self.events is None else self.events.take(rows),
            sessions=None if self.sessions is None else take_rows(self.sessions, rows),
            context={name: column.take(rows) for name, column in self.context.items()},
        )

    @property
    def per_second(self) -> int:
        """How many units of time a second has: what is configured in seconds is multiplied by it."""
        return PER_SECOND[self.time_unit]

    def with_unit(self, unit: TimeUnit) -> "Interactions":
        """Return the rows with their times in a unit that is as fine or finer."""
        if self.timestamps is None or unit == self.time_unit:
            return self
        return replace(self, timestamps=in_unit(self.timestamps, self.time_unit, unit), time_unit=unit)

    @cached_property
    def clicked(self) -> np.ndarray | None:
        """bool (m,): whether the item that a row says was shown was clicked; None where rows are no impressions.

        They are where the context has a column `clicked` or `click`. Raises DataError where it holds more than 0 and 1.
        """
        name = next((name for name in CLICKED if name in self.context), None)
        if name is None:
            return None
        column = self.context[name]
        if column.kind != "numeric" or not np.isin(column.values, (0, 1)).all():
            raise DataError(f"the context column {name} must be numeric: 1 where an item was clicked, else 0")
        clicked: np.ndarray = column.values == 1
        return clicked

    @cached_property
    def labeled(self) -> bool:
        """Whether values are labels: ratings that are 0 or 1, each of which is there."""
        if not self.explicit:
            return False
        negative, positive = np.count_nonzero(self.values == 0), np.count_nonzero(self.values == 1)
        return bool(negative and positive) and negative + positive == len(self)

    @cached_property
    def known_users(self) -> np.ndarray:
        """bool (n_users,): which users have a row."""
        return np.bincount(self.users, minlength=self.n_users) > 0

    @cached_property
    def known_items(self) -> np.ndarray:
        """bool (n_items,): which items have a row."""
        return np.bincount(self.items, minlength=self.n_items) > 0

    @cached_property
    def used_users(self) -> np.ndarray:
        """int64: the codes of users that have a row, ascending."""
        return np.flatnonzero(self.known_users)

    @cached_property
    def used_items(self) -> np.ndarray:
        """int64: the codes of items that have a row, ascending."""
        return np.flatnonzero(self.known_items)

    def most_popular(self, n: int) -> np.ndarray:
        """Return the codes of the `n` items that most users have, int64, lower codes first, or fewer if so few."""
        users = np.bincount(self.csr(values=False).indices, minlength=self.n_items)
        return np.argsort(-users, kind="stable")[: min(n, np.count_nonzero(users))]

    @property
    def pair_numbers(self) -> np.ndarray:
        """int64 (m,): a number for each row, the same for the same user and item."""
        numbers: np.ndarray = self.users.astype(np.int64) * self.n_items + self.items
        return numbers

    def time_order(self) -> np.ndarray:
        """int (m,): row numbers in time order, ties in file order."""
        if self.timestamps is None:
            return row_numbers(self.users)
        return ascending(self.timestamps)

    def grouped(self, codes: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Row numbers group by group in time order, int (m,), and where each group's begin, int (n + 1,).

        `codes`, int (m,), names each row's group in 0..n-1.
        """
        if self.timestamps is None:
            return by_code(row_numbers(codes), codes, n)
        return by_code_and_time(codes, self.timestamps, n)

    @property
    def histories(self) -> tuple["Interactions", np.ndarray]:
        """The rows user by user in time order, and where each user's begin, int (n_users + 1,)."""
        rows, begin = self._histories
        return (self if rows is None else rows), begin

    @cached_property
    def _histories(self) -> tuple["Interactions | None", np.ndarray]:
        """None stands for these rows themselves, which would not be freed in time if they referred to themselves."""
        rows, begin = self.grouped(self.users, self.n_users)
        if (rows[1:] > rows[:-1]).all():
            return None, begin
        return self._take(rows, np.repeat(np.arange(self.n_users, dtype=np.int32), np.diff(begin))), begin

    def sessions_in_order(self) -> tuple["Interactions", np.ndarray]:
        """The rows session by session in time order, and where each session begins, int (n_sessions + 1,).

        A session is that of one user: the same session code of two users is two sessions. Without sessions, all rows
        of a user are one.
        """
        if self.sessions is None:
            rows, begin = self.histories
            return rows, np.unique(begin)
        codes, n = self.session_numbers
        order, begin = self.grouped(codes, n)
        return self.take(order), begin

    @property
    def session_numbers(self) -> tuple[np.ndarray, int]:
        """int64 (m,): a number in 0..n-1 for each row, the same for the same user and session; and n."""
        sessions = np.zeros(len(self), np.int32) if self.sessions is None else self.sessions
        owned = self.users.astype(np.int64) * (sessions.max(initial=0) + 1) + sessions
        names, numbers = np.unique(owned, return_inverse=True)
        return numbers, len(names)

    def csr(self, *, values: bool, duplicates: Literal["sum", "max"] = "sum") -> sp.csr_array:
        """Return float32 (n_users, n_items) of values, or of ones (`values=False`), sorted indices, no duplicates.

        Several rows of one user and item are merged by `duplicates`. The matrix of ones is shared and read-only.
        """
        if not values:
            return self._ones
        matrix = sp.csr_array((self.values, (self.users, self.items)), shape=(self.n_users, self.n_items))
        if duplicates == "max" and matrix.nnz < len(self):
            order = np.lexsort((-self.values, self.items, self.users))
            keys = self.users[order].astype(np.int64) * self.n_items + self.items[order]
            first = order[np.flatnonzero(np.diff(keys, prepend=-1))]
            matrix = sp.csr_array((self.values[first], (self.users[first], self.items[first])), shape=matrix.shape)
        matrix.sort_indices()
        return matrix

    @cached_property
    def _ones(self) -> sp.csr_array:
        items, begin = pairs(self.users, self.items, self.n_users, self.n_items)
        matrix = sp.csr_array((np.ones(len(items), np.float32), items, begin), shape=(self.n_users, self.n_items))
        matrix.sum_duplicates()
        matrix.data[:] = 1
        parts = matrix.data, matrix.indices, matrix.indptr
        return sp.csr_array(tuple(map(frozen, parts)), shape=matrix.shape)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over all rows in order."""
        columns = [self.events, *(self.context[name] for name in sorted(self.context))]
        extra = [column.fingerprint for column in columns if column is not None]
        rows = digest_arrays([self.users, self.items, self.values, self.timestamps, self.sessions])
        unit = [] if self.time_unit == "s" else [self.time_unit]  # as digests were before there were units
        return digest([rows, self.explicit, sorted(self.context), *extra, *unit])
