"""Filters on what a user thought of an item."""

import logging
from dataclasses import replace

import numpy as np

from recexp.data import Dataset
from recexp.data.scales import doubtful_minimum
from recexp.filters.base import Filter
from recexp.params import params

log = logging.getLogger(__name__)


@params
class DropNaN(Filter):
    """Drop rows without a rating from data that has ratings, and warn how many; other data is kept whole."""

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        rated = ~np.isnan(dataset.interactions.values)
        if not dataset.interactions.explicit or rated.all():
            return dataset
        log.warning("%s: %d of %d rows have no rating and are dropped", dataset.name, (~rated).sum(), len(rated))
        return dataset.take(rated)


@params
class MinimumRating(Filter):
    """Keep rows whose rating is at least `minimum`; data without ratings is kept whole, as each row is a positive.

    In data with ratings a row without one is dropped. A warning says so where the values do not look like ratings of
    which the upper half counts: counts, percentages, values around 0.
    """

    minimum: float

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        if not dataset.interactions.explicit:
            return dataset
        values = dataset.interactions.values
        if doubt := doubtful_minimum(values, self.minimum):
            log.warning(
                "%s: at least %g counts as positive, %.0f %% of the rows, but %s; set the minimum of MinimumRating "
                "(filter.steps) to what is liked on this scale, or dataset.explicit=false for counts and weights",
                *(dataset.name, self.minimum, 100 * np.mean(values >= self.minimum), doubt),
            )
        return dataset.take(values >= self.minimum)


@params
class Binarize(Filter):
    """Forget values: every row becomes 1 and is no longer a rating."""

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        rows = dataset.interactions
        return replace(dataset, interactions=replace(rows, values=np.ones(len(rows), np.float32), explicit=False))
