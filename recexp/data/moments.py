"""Context columns that times tell: the hour of the day and the day of the week, in UTC."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from recexp.data.column import Column
from recexp.data.dataset import Dataset
from recexp.data.interactions import Interactions
from recexp.errors import DataError

Moment = Literal["hour", "weekday"]

_NAMES: dict[Moment, tuple[str, ...]] = {
    "hour": tuple(f"{hour:02}" for hour in range(24)),
    "weekday": ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
}


def derived(dataset: Dataset, moments: Sequence[Moment]) -> Dataset:
    """Return the dataset with category context columns made of its times (`dataset.derive`).

    Raises DataError where there are no times, or a column of that name is there.
    """
    if not moments:
        return dataset
    return replace(dataset, interactions=with_moments(dataset.interactions, moments, dataset.name))


def with_moments(rows: Interactions, moments: Sequence[Moment], name: str) -> Interactions:
    """Return the rows with context columns made of their times; `name` says whose they are. Raises as `derived`."""
    if rows.timestamps is None:
        raise DataError(
            f"dataset.derive: {moments[0]} is made of times, and {name} has none; name their column with "
            "dataset.columns.timestamp, or set dataset.derive=[]"
        )
    if there := [moment for moment in moments if moment in rows.context]:
        raise DataError(f"dataset.derive: {name} has a context column {there[0]} already")
    hours = rows.timestamps // (3600 * rows.per_second)
    numbers = {"hour": hours % 24, "weekday": (hours // 24 + 3) % 7}  # 1970 began on a Thursday
    made: dict[str, Column] = {}
    for moment in moments:
        made[moment] = Column("category", numbers[moment].astype(np.int32), _NAMES[moment])
    return replace(rows, context={**rows.context, **made})
