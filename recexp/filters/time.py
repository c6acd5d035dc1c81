"""Filter on when something happened."""

import numpy as np

from recexp.data import Dataset
from recexp.errors import DataError
from recexp.filters.base import Filter
from recexp.params import Moment, params


@params
class TimeWindow(Filter):
    """Keep rows from `since` on and before `until`: since <= time < until.

    Parameters
    ----------
    since, until : seconds since 1970 or ISO dates, read as UTC; None is open.
    """

    since: Moment | None
    until: Moment | None

    def __post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError(f"since must be before until (got {self.since} and {self.until})")

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        times = dataset.interactions.timestamps
        if times is None:
            raise DataError(
                f"filter TimeWindow needs timestamps and {dataset.name} has none; name their column with "
                "dataset.columns.timestamp or leave the step out"
            )
        inside = np.ones(len(times), bool)
        if self.since is not None:
            inside &= times >= self.since * dataset.interactions.per_second
        if self.until is not None:
            inside &= times < self.until * dataset.interactions.per_second
        return dataset.take(inside)
