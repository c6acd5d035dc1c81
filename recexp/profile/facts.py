"""Counts over all rows of a log."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from recexp.data import Dataset
from recexp.data.ordering import count_distinct
from recexp.io import to_numpy
from recexp.io.cells import is_text, plain
from recexp.io.id_cells import coded_chunks

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Coded:
    """A column as codes of its distinct cells: int32 (m,), -1 where a cell is empty, and the cells as text."""

    codes: np.ndarray
    known: "pa.Array"

    @staticmethod
    def of(column: "pa.ChunkedArray | pa.DictionaryArray") -> "Coded":
        """Code a column of any type, or one of text that is coded; blanks around text are ignored."""
        import pyarrow as pa
        import pyarrow.compute as pc

        chunks = [column] if isinstance(column, pa.DictionaryArray) else coded_chunks(plain(column))
        codes = np.concatenate([to_numpy(chunk.indices.fill_null(-1)) for chunk in chunks])
        known = chunks[0].dictionary
        text = known.cast(pa.string())
        if not is_text(known.type):
            return Coded(codes, text)
        bare = pc.utf8_trim_whitespace(text)
        if bare.equals(text) and pc.index(text, "").as_py() < 0:
            return Coded(codes, text)
        again = bare.dictionary_encode()
        merged = to_numpy(again.indices)
        empty = pc.index(again.dictionary, "").as_py()
        if empty >= 0:
            merged = np.where(merged == empty, -1, merged - (merged > empty))
        codes = np.append(merged, -1).astype(np.int32)[codes]
        return Coded(codes, again.dictionary.filter(pc.not_equal(again.dictionary, "")))


@dataclass(frozen=True)
class Values:
    """A summary of a column of ratings or quantities."""

    low: float
    high: float
    median: float
    negative: int
    zero: int
    empty: int

    @staticmethod
    def of(values: np.ndarray) -> "Values | None":
        """Summarize `values`, float (m,), NaN where a row has none; None if no row has a value."""
        known = values[~np.isnan(values)]
        if not len(known):
            return None
        ends = float(known.min()), float(known.max()), float(np.median(known))
        return Values(*ends, int((known < 0).sum()), int((known == 0).sum()), len(values) - len(known))


@dataclass(frozen=True)
class Facts:
    """Counts of a log.

    Attributes
    ----------
    rows : all rows; `no_user`, `no_item`: rows without one, which are excluded from the counts below.
    users, items, pairs : distinct ones; a pair is a user and an item.
    repeated : rows with the same pair as an earlier row; `duplicates`: those that also have its time and event.
    span : the first and the last time, or nothing.
    values : of ratings or quantities, or None.
    top_user : the share of the rows of the user that has most.
    """

    rows: int
    no_user: int
    no_item: int
    users: int
    items: int
    pairs: int
    repeated: int
    duplicates: int
    span: list[datetime]
    values: Values | None
    top_user: float

    @property
    def density(self) -> float:
        """The share of all pairs of a user and an item that have a row."""
        return self.pairs / max(self.users * self.items, 1)

    @staticmethod
    def of(
        users: np.ndarray,
        items: np.ndarray,
        alike: list[np.ndarray],
        *,
        span: list[datetime],
        values: np.ndarray | None,
    ) -> "Facts":
        """Count rows by the codes of user and item, -1 where there is none; `alike` are those of time and event."""
        kept = (users >= 0) & (items >= 0)
        per_user = np.bincount(users[kept])
        n_items = int(items.max(initial=-1)) + 1
        pairs = users[kept].astype(np.int64) * n_items + items[kept]
        n_pairs, n_rows = count_distinct(pairs, [part[kept] for part in alike])
        return Facts(
            rows=len(users),
            no_user=int((users < 0).sum()),
            no_item=int((items < 0).sum()),
            users=int((per_user > 0).sum()),
            items=int((np.bincount(items[kept]) > 0).sum()),
            pairs=n_pairs,
            repeated=len(pairs) - n_pairs,
            duplicates=len(pairs) - n_rows,
            span=span,
            values=None if values is None else Values.of(values),
            top_user=per_user.max(initial=0) / max(len(users), 1),
        )

    @staticmethod
    def of_dataset(dataset: Dataset) -> "Facts":
        """Count the rows of a dataset."""
        rows = dataset.interactions
        times, events = rows.timestamps, rows.events
        span = []
        if times is not None and len(times):
            ends = int(times.min()), int(times.max())
            span = [datetime.fromtimestamp(end // rows.per_second, UTC) for end in ends]
        alike = [part for part in (times, None if events is None else events.values) if part is not None]
        valued = rows.explicit or bool((rows.values != 1).any())
        return Facts.of(rows.users, rows.items, alike, span=span, values=rows.values if valued else None)
