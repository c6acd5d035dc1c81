"""Listed: the items or users of a side table that have no interaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recexp.data.column import Column, frozen
from recexp.identity import digest, digest_arrays


@dataclass(frozen=True)
class Listed:
    """l items or users of a side table that have no interaction; they get codes when they join a dataset.

    Attributes
    ----------
    ids : (l,), original ids, int64 or object of str, in the table's order.
    columns : what the table says of them, l rows each; names and categories are those of the dataset's table.
    """

    ids: np.ndarray
    columns: Mapping[str, Column]

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", frozen(self.ids))

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: np.ndarray) -> "Listed":
        """Return some of them (indices or mask); -1 is one of which nothing is known, whatever its id."""
        indices = np.flatnonzero(rows) if rows.dtype == bool else rows
        ids = self.ids[indices] if len(self) else np.zeros(len(indices), self.ids.dtype)
        return Listed(ids, {name: column.take(indices) for name, column in self.columns.items()})

    def followed_by(self, other: "Listed") -> "Listed":
        """Return these and then those of another part of the same table."""
        columns = {name: column.followed_by(other.columns[name]) for name, column in self.columns.items()}
        return Listed(joined_ids(self.ids, other.ids), columns)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over ids and columns."""
        parts = [part for name in sorted(self.columns) for part in (name, self.columns[name].fingerprint)]
        return digest([digest_arrays([self.ids]), *parts])


def joined_ids(ids: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Return ids followed by more; integers become text where the others are."""
    if ids.dtype != more.dtype and len(more):
        ids, more = (np.array([str(one) for one in some], dtype=object) for some in (ids, more))
    return np.concatenate([ids, more]) if len(more) else ids
