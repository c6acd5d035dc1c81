"""A typed column of a side table or of the interactions' context."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import scipy.sparse as sp

from recexp import threads
from recexp.errors import DataError
from recexp.identity import digest, digest_arrays

Kind = Literal["numeric", "price", "category", "multi_category", "text"]

_BLOCK = 2**16
"""Rows that are taken at a time."""


def frozen(array: np.ndarray) -> np.ndarray:
    """Return a read-only view of `array`."""
    view = array.view()
    view.flags.writeable = False
    return view


def take_rows(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return `array[rows]`; a block of indices at a time, for numpy widens all that it gets to int64."""
    out: np.ndarray = np.empty(len(rows), array.dtype)

    def take(first: int, last: int) -> None:
        for start in range(first * _BLOCK, last * _BLOCK, _BLOCK):
            block = slice(start, start + _BLOCK)
            out[block] = array.take(rows[block])

    threads.map_rows(take, -(-len(rows) // _BLOCK))
    return out


@dataclass(frozen=True)
class Column:
    """n values of one kind.

    Attributes
    ----------
    kind : what the values mean.
    values : numeric, price: float32 (n,), NaN is missing. category: int32 (n,) codes, -1 is missing. multi_category:
        int32 (total,) codes of all rows one after another. text: object (n,) of str, empty is missing.
    categories : the names that codes stand for (category and multi_category).
    offsets : int64 (n + 1,), row r owns `values[offsets[r]:offsets[r + 1]]` (multi_category).
    """

    kind: Kind
    values: np.ndarray
    categories: tuple[str, ...] = ()
    offsets: np.ndarray | None = None

    def __post_init__(self) -> None:
        if (self.kind == "multi_category") != (self.offsets is not None):
            raise DataError(f"a column needs offsets exactly when it is multi_category (kind {self.kind})")
        object.__setattr__(self, "values", frozen(self.values))
        if self.offsets is not None:
            object.__setattr__(self, "offsets", frozen(self.offsets))

    def __len__(self) -> int:
        return len(self.values) if self.offsets is None else len(self.offsets) - 1

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over kind, categories and values."""
        return digest([self.kind, *self.categories, digest_arrays([self.values, self.offsets])])

    def take(self, rows: np.ndarray) -> "Column":
        """Return the column of the given rows; -1 gives a missing value."""
        if self.offsets is not None:
            lengths = np.diff(self.offsets, append=self.offsets[-1])[rows]  # the appended 0 is row -1
            offsets = np.concatenate([[0], np.cumsum(lengths)])
            positions = np.repeat(self.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
            return Column(self.kind, self.values[positions], self.categories, offsets)
        missing = {"numeric": np.nan, "price": np.nan, "category": -1, "text": ""}[self.kind]
        values = self.values[rows] if len(self.values) else np.full(len(rows), missing, self.values.dtype)
        if (rows < 0).any():
            values = values.copy()
            values[rows < 0] = missing
        return Column(self.kind, values, self.categories)

    def followed_by(self, other: "Column") -> "Column":
        """Return the rows of this column and then those of another of the same kind and categories."""
        if (self.kind, self.categories) != (other.kind, other.categories):
            raise DataError(f"a {self.kind} column cannot be joined with a {other.kind} column of other categories")
        values = np.concatenate([self.values, other.values])
        if self.offsets is None or other.offsets is None:
            return Column(self.kind, values, self.categories)
        offsets = np.concatenate([self.offsets, other.offsets[1:] - other.offsets[0] + self.offsets[-1]])
        return Column(self.kind, values, self.categories, offsets)

    def indicators(self) -> sp.csr_array:
        """Return float32 (n, n_categories) with a 1 for each category that a row has; sorted indices."""
        if self.kind not in ("category", "multi_category"):
            raise DataError(f"a {self.kind} column has no categories")
        if self.offsets is not None:
            indptr, codes = self.offsets, self.values
        else:
            has = self.values >= 0
            indptr, codes = np.concatenate([[0], np.cumsum(has)]), self.values[has]
        shape = (len(self), len(self.categories))
        matrix = sp.csr_array((np.ones(len(codes), np.float32), codes, indptr), shape=shape, copy=True)
        matrix.sum_duplicates()
        matrix.data[:] = 1  # a row may name a category twice
        return matrix

    @staticmethod
    def numeric(values: Sequence[float] | np.ndarray, kind: Kind = "numeric") -> "Column":
        """Build a numeric or price column."""
        return Column(kind, np.asarray(values, np.float32))

    @staticmethod
    def category(names: Sequence[str | None] | np.ndarray) -> "Column":
        """Build a category column from names; None and empty strings are missing."""
        categories = sorted({name for name in names if name})
        code = {name: c for c, name in enumerate(categories)}
        return Column("category", np.array([code.get(name, -1) for name in names], np.int32), tuple(categories))

    @staticmethod
    def multi_category(lists: Sequence[Sequence[str]]) -> "Column":
        """Build a multi_category column from one sequence of names a row."""
        categories = sorted({name for names in lists for name in names})
        code = {name: c for c, name in enumerate(categories)}
        values = np.array([code[name] for names in lists for name in names], np.int32)
        offsets = np.concatenate([[0], np.cumsum([len(names) for names in lists])]).astype(np.int64)
        return Column("multi_category", values, tuple(categories), offsets)

    @staticmethod
    def text(texts: Sequence[str | None]) -> "Column":
        """Build a text column; None is missing."""
        return Column("text", np.array([text or "" for text in texts], dtype=object))
