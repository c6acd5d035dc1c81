"""Filters on what kind of event a row is."""

import logging
from dataclasses import replace

import numpy as np

from recexp.data import Column, Dataset
from recexp.errors import DataError
from recexp.filters.base import Filter
from recexp.params import PositiveFloat, params

log = logging.getLogger(__name__)


@params
class KeepEvents(Filter):
    """Keep rows of the named kinds of event (view, cart, purchase, rating ...)."""

    events: list[str]

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        column = _events(dataset, "KeepEvents")
        if unknown := [name for name in self.events if name not in column.categories]:
            raise DataError(_lacking("KeepEvents", dataset, unknown))
        codes = [column.categories.index(name) for name in self.events]
        return dataset.take(np.isin(column.values, codes))


@params
class EventValues(Filter):
    """Turn kinds of event into values, which are weights and no ratings; rows of other kinds are dropped.

    Parameters
    ----------
    values : of each kind of event. A warning says which of them the data lack; to lack all is an error.
    """

    values: dict[str, PositiveFloat]

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        column = _events(dataset, "EventValues")
        if unknown := [name for name in self.values if name not in column.categories]:
            if len(unknown) == len(self.values):
                raise DataError(_lacking("EventValues", dataset, unknown))
            log.warning("%s", _lacking("EventValues", dataset, unknown))
        value_of = np.array([self.values.get(name, np.nan) for name in column.categories], np.float32)
        values = np.where(column.values < 0, np.float32(np.nan), value_of[column.values])
        rows = replace(dataset.interactions, values=values, explicit=False)
        return replace(dataset, interactions=rows.take(~np.isnan(values)))


def _events(dataset: Dataset, step: str) -> Column:
    if dataset.interactions.events is None:
        raise DataError(
            f"filter {step} needs events and {dataset.name} has none; name their column with "
            "dataset.columns.event or leave the step out"
        )
    return dataset.interactions.events


def _lacking(step: str, dataset: Dataset, names: list[str]) -> str:
    there = ", ".join(_events(dataset, step).categories)
    return f"filter {step}: {dataset.name} has no event {', '.join(names)}; there are: {there}"
