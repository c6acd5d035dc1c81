"""Filters on what kind of event a row is."""

import logging
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from recexp.data import Column, Dataset
from recexp.data.event_kinds import kind_of
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
            meant = [name for name in self.events if name in column.categories]
            written = [other for name in unknown for other in _written(column, name, self.events)]
            remedy = f"; to keep {', '.join(written)}: filter.steps.0.events=[{','.join([*meant, *written])}]"
            raise DataError(_lacking("KeepEvents", dataset, unknown) + (remedy if written else ""))
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
            written = {other: self.values[name] for name in unknown for other in _written(column, name, self.values)}
            remedy = " ".join(f"+filter.steps.0.values.{other}={value}" for other, value in written.items())
            message = _lacking("EventValues", dataset, unknown) + (
                f"; to count {', '.join(written)}: {remedy}" if written else ""
            )
            if len(unknown) == len(self.values):
                raise DataError(message)
            log.warning("%s", message)
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


def _written(column: Column, name: str, named: Collection[str]) -> list[str]:
    """Return the events of the data that mean the same as `name` and are not among those `named`."""
    meant = [other for other in column.categories if kind_of(other) == kind_of(name) is not None]
    return [other for other in meant if other not in named]
