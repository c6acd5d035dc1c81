"""Filters on what a user thought of an item."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from recexp.data import Dataset, Interactions
from recexp.data.scales import doubtful_minimum
from recexp.filters.base import Filter
from recexp.filters.repeats import Deduplicate
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
    which the upper half counts: counts, percentages, values around 0. After values were added up (`Deduplicate` with
    `keep: sum`) the sums are compared, in data without ratings too.
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

    def following(self, earlier: Sequence[Filter], dataset: Dataset) -> Filter:
        if not dataset.interactions.explicit:
            for step in reversed(earlier):
                if isinstance(step, Binarize):
                    break
                if isinstance(step, Deduplicate) and step.keep == "sum":
                    return _MinimumSum(minimum=self.minimum)
        return self


@params
class _MinimumSum(Filter):
    """What `MinimumRating` is after values were added up."""

    minimum: float

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        return dataset.take(dataset.interactions.values >= self.minimum)


@params
class Labels(Filter):
    """Turn ratings into labels: 1 where the item was liked, else 0; data without ratings is kept whole.

    Rows without a rating are dropped with a warning that counts them. Values that are labels already stay as they are.

    Parameters
    ----------
    positive_from : the smallest rating that becomes 1.
    drop : ratings that say neither; their rows are dropped.
    """

    positive_from: float
    drop: list[float]

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        if not dataset.interactions.explicit:
            return dataset
        dataset = DropNaN().apply(dataset, rng=rng)
        values = dataset.interactions.values
        if np.isin(values, (0, 1)).all():
            return dataset
        if doubt := doubtful_minimum(values, self.positive_from):
            log.warning(
                "%s: ratings of at least %g become label 1, but %s; set filter.steps.0.positive_from to what is liked "
                "on this scale",
                *(dataset.name, self.positive_from, doubt),
            )
        labels = (values >= self.positive_from).astype(np.float32)
        labeled = replace(dataset, interactions=replace(dataset.interactions, values=labels))
        return labeled.take(~np.isin(values, np.array(self.drop, np.float32)))


@params
class Binarize(Filter):
    """Forget values: every row that is a like becomes 1 and is no longer a rating.

    Every rating is one here, however low, so that what is no like must be dropped before. Where values are weights, not
    ratings, those of the same user and item are added up first: a sum of 0 or below is no like, nor is such a row.
    """

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        if _with_dislikes(dataset.interactions):
            dataset = dataset.take(_likes(dataset.interactions))
        rows = dataset.interactions
        return replace(dataset, interactions=replace(rows, values=np.ones(len(rows), np.float32), explicit=False))

    def following(self, earlier: Sequence[Filter], dataset: Dataset) -> Filter:
        return _BinarizeWeights() if _with_dislikes(dataset.interactions) else self


@params
class _BinarizeWeights(Binarize):
    """What `Binarize` is where some weights are no likes: a weight that is taken back later looks ahead."""

    def looks_ahead(self, dataset: Dataset) -> bool:
        return True

    def following(self, earlier: Sequence[Filter], dataset: Dataset) -> Filter:
        return self


def _with_dislikes(rows: Interactions) -> bool:
    return not rows.explicit and bool((rows.values <= 0).any())


def _likes(rows: Interactions) -> np.ndarray:
    """Return bool (m,): which rows do not weigh 0 or less, of users and items whose rows do not together either.

    A row without a weight says nothing against a like.
    """
    _, pair = np.unique(rows.users.astype(np.int64) * rows.n_items + rows.items, return_inverse=True)
    weighed = ~np.isnan(rows.values)
    sums = np.bincount(pair, np.where(weighed, rows.values, 0).astype(np.float64))
    return ~(rows.values <= 0) & ((sums > 0) | (np.bincount(pair, weighed) == 0))[pair]
