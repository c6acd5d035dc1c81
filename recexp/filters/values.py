"""Filters on what a user thought of an item."""

from dataclasses import replace

import numpy as np

from recexp.data import Dataset
from recexp.filters.base import Filter
from recexp.params import params


@params
class MinimumRating(Filter):
    """Keep rows whose rating is at least `minimum`; data without ratings is kept whole, as each row is a positive."""

    minimum: float

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        if not dataset.interactions.explicit:
            return dataset
        return dataset.take(dataset.interactions.values >= self.minimum).compact()


@params
class Binarise(Filter):
    """Forget values: every row becomes 1 and is no longer a rating."""

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        rows = dataset.interactions
        return replace(dataset, interactions=replace(rows, values=np.ones(len(rows), np.float32), explicit=False))
