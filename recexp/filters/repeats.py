"""Filter on repeats of the same user and item."""

from dataclasses import replace
from typing import Literal

import numpy as np

from recexp.data import Dataset
from recexp.filters.base import Filter
from recexp.params import params


@params
class Deduplicate(Filter):
    """Keep one row of each user and item: of all data, or, where a split by time comes after, of each of its parts.

    Only `first` is known when it happens. Each other one would let a repeat after the point of a split erase the row
    before it, so that a purchase made again looked like one that is new to the user.

    Parameters
    ----------
    keep : which one. `first`, `last`: by time, ties in file order. `max`: the first of the highest value. `sum`: the
        last, with the values of all added up, so that a sum is never known before all of it has happened. Rows without
        a value count for `max` and `sum` only where there is no other.
    """

    keep: Literal["first", "last", "max", "sum"]

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        rows = dataset.interactions
        order, pairs = rows.time_order(), rows.pair_numbers
        if self.keep == "max":
            order = order[np.argsort(-rows.values[order], kind="stable")]  # NaN comes last
        order = order[np.argsort(pairs[order], kind="stable")]
        new = np.diff(pairs[order], prepend=-1) != 0
        if new.all():
            return dataset
        kept = order[new if self.keep in ("first", "max") else np.roll(new, -1)]
        if self.keep == "sum":
            values = rows.values.copy()
            values[kept] = _sums(rows.values[order], np.flatnonzero(new))
            dataset = replace(dataset, interactions=replace(rows, values=values))
        return dataset.take(np.sort(kept))

    def looks_ahead(self, dataset: Dataset) -> bool:
        return self.keep != "first" and (np.diff(np.sort(dataset.interactions.pair_numbers)) == 0).any()


def _sums(values: np.ndarray, begin: np.ndarray) -> np.ndarray:
    numbers = ~np.isnan(values)
    sums = np.add.reduceat(np.where(numbers, values, 0.0), begin, dtype=np.float64)
    return np.where(np.logical_or.reduceat(numbers, begin), sums, np.nan)
