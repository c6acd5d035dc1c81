"""The rows of a file as a dataset, for statistics."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from recexp.data import Column, Dataset, Interactions
from recexp.io.header import Role
from recexp.io.times import times
from recexp.profile.dates import Written
from recexp.profile.facts import Coded

if TYPE_CHECKING:
    from recexp.data.time_unit import TimeUnit


def coded_dataset(
    name: str,
    columns: Mapping[Role, Coded],
    written: Written | None,
    values: np.ndarray | None,
    prices: np.ndarray | None,
) -> Dataset:
    """Return the rows that have a user and an item; ids are codes, and there are no side tables.

    Parameters
    ----------
    written : how times are written, or None. Where a row lacks one, all are left out; so with sessions.
    values : float64 (m,), quantities or ratings, NaN where a row has none, or None.
    prices : float64 (m,), what one of the row's item cost, or None.
    """
    users, items = columns["user"], columns["item"]
    kept = (users.codes >= 0) & (items.codes >= 0)
    found = {role: column.codes[kept] for role, column in columns.items()}
    complete = {role for role, codes in found.items() if (codes >= 0).all()}
    timestamps: np.ndarray | None = None
    unit: TimeUnit = "s"
    if written is not None and "timestamp" in complete:
        known, unit = times(columns["timestamp"].known, name, written.time_format)
        timestamps = known[found["timestamp"]]
    events = Column("category", found["event"], tuple(columns["event"].known.to_pylist())) if "event" in found else None
    rows = Interactions(
        users=found["user"],
        items=found["item"],
        values=np.ones(kept.sum(), np.float32) if values is None else values[kept].astype(np.float32),
        n_users=len(users.known),
        n_items=len(items.known),
        timestamps=timestamps,
        events=events,
        sessions=found["session"] if "session" in complete else None,
        context={} if prices is None else {"price": Column.numeric(prices[kept], "price")},
        explicit="rating" in columns,
        time_unit=unit,
    )
    return Dataset(name, rows, np.arange(rows.n_users), np.arange(rows.n_items))
