"""Filters that keep a random part, to try things out on less data."""

import numpy as np

from recexp.data import Dataset
from recexp.filters.base import Filter
from recexp.params import OpenFraction, PositiveInt, params


@params
class _Sample(Filter):
    random = counts = True

    ratio: OpenFraction | None
    n: PositiveInt | None

    def __post_init__(self) -> None:
        if (self.ratio is None) == (self.n is None):
            raise ValueError(f"give either ratio or n (got ratio={self.ratio}, n={self.n})")

    def _draw(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Return bool (size,): who is kept."""
        kept = np.zeros(size, bool)
        n = max(1, round(self.ratio * size)) if self.ratio is not None else self.n
        kept[rng.permutation(size)[:n]] = True
        return kept


@params
class SampleUsers(_Sample):
    """Keep all rows of some users, drawn at random.

    Parameters
    ----------
    ratio : share of the users; n : how many (all, where there are fewer). One of the two is None.
    """

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        return dataset.take(self._draw(dataset.n_users, rng)[dataset.interactions.users])


@params
class SampleItems(_Sample):
    """Keep all rows of some items, drawn at random.

    Parameters
    ----------
    ratio : share of the items; n : how many (all, where there are fewer). One of the two is None.
    """

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        return dataset.take(self._draw(dataset.n_items, rng)[dataset.interactions.items])
