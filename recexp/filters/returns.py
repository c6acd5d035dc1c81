"""Filters that add up what a user took of an item and gave back."""

import logging
from dataclasses import replace

import numpy as np

from recexp.data import Dataset, Interactions
from recexp.data.event_kinds import kind_of
from recexp.errors import DataError
from recexp.filters.base import Filter
from recexp.params import PositiveFloat, params

log = logging.getLogger(__name__)


@params
class NetReturns(Filter):
    """Net the quantities of each user and item: of all data, or of each part where a split by time comes after.

    Purchases count above 0 and returns below. Of a pair whose sum is at least `minimum`, the last purchase stays and
    its value is the sum; other rows are dropped. A return after the point of a split takes nothing from the purchases
    before it, as nobody knew of it then, and is no purchase itself::

        anna  tea     +3  -1       |  2
        anna  coffee  +1  -1       |
        ben   tea     +1       +2  |  3

    Data whose events name views, carts or ratings are refused, as those would count as purchases.

    Parameters
    ----------
    minimum : the smallest sum that counts.
    """

    minimum: PositiveFloat

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        rows = dataset.interactions
        if rows.explicit:
            raise DataError(
                f"filter NetReturns needs quantities, but {dataset.name} has ratings; name the column of quantities "
                "with dataset.columns.quantity and set dataset.columns.rating=null, or choose another filter=..."
            )
        if not len(rows):
            return dataset
        _check_events(dataset)
        last, sums = _added_up(rows)
        enough = sums >= self.minimum
        log.info(
            "NetReturns: %d returns netted; %d of %d pairs of user and item keep at least %g",
            *((rows.values < 0).sum(), enough.sum(), len(sums), self.minimum),
        )
        return _merged(dataset, last[enough], sums[enough])

    def looks_ahead(self, dataset: Dataset) -> bool:
        return _with_repeats(dataset)


@params
class CountRepeats(Filter):
    """Merge the rows of each user and item into the last, with how often or how much of it there was as its value.

    Quantities and weights are added up. What is below 0, such as a return, is taken off, and a pair of which nothing is
    left is dropped. A rating and a row without a value count 1. Of each part where a split by time comes after::

        anna  tea     +3  -1       |  2
        anna  coffee  +1  -1       |
        anna  milk    (5 stars)    |  1
    """

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        rows = dataset.interactions
        if not len(rows):
            return dataset
        values = np.where(np.isnan(rows.values) | rows.explicit, np.float32(1), rows.values)
        counted = replace(rows, values=values, explicit=False)
        last, sums = _added_up(counted)
        return _merged(replace(dataset, interactions=counted), last[sums > 0], sums[sums > 0])

    def looks_ahead(self, dataset: Dataset) -> bool:
        return _with_repeats(dataset)


def _check_events(dataset: Dataset) -> None:
    """Raise DataError where rows are views, carts or ratings; warn of events whose names mean nothing."""
    events = dataset.interactions.events
    if events is None:
        return
    counts = np.bincount(events.values[events.values >= 0], minlength=len(events.categories))
    there = {name: int(n) for name, n in zip(events.categories, counts) if n}
    others = {name: n for name, n in there.items() if kind_of(name) not in ("purchase", "return", None)}
    if others:
        named = ", ".join(f"{name} ({n:,} rows)" for name, n in others.items())
        raise DataError(
            f"filter NetReturns counts every row above 0 as a purchase, and {dataset.name} has the events {named}; "
            "filter=purchases keeps purchases, filter=event_values weighs all events"
        )
    if unknown := [name for name in there if kind_of(name) is None]:
        log.warning("NetReturns: rows of the events %s count as purchases", ", ".join(unknown))


def _added_up(rows: Interactions) -> tuple[np.ndarray, np.ndarray]:
    """Return of each pair of user and item the row of its last purchase, -1 without one, and the sum of its values."""
    order, pairs = rows.time_order(), rows.pair_numbers
    order = order[np.argsort(pairs[order], kind="stable")]
    begin = np.flatnonzero(np.diff(pairs[order], prepend=-1))
    quantities = np.nan_to_num(rows.values[order]).astype(np.float64)
    bought = np.maximum.reduceat(np.where(quantities > 0, np.arange(len(order)), -1), begin)
    return np.where(bought < 0, -1, order[bought]), np.add.reduceat(quantities, begin)


def _merged(dataset: Dataset, kept: np.ndarray, sums: np.ndarray) -> Dataset:
    """Return the rows that are kept, with sums as their values."""
    values = dataset.interactions.values.copy()
    values[kept] = sums
    return replace(dataset, interactions=replace(dataset.interactions, values=values)).take(np.sort(kept))


def _with_repeats(dataset: Dataset) -> bool:
    return bool((np.diff(np.sort(dataset.interactions.pair_numbers)) == 0).any())
