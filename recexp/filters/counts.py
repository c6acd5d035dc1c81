"""Filters on how often users and items occur. A row counts once, repeats of the same user and item too."""

import numpy as np

from recexp.data import Dataset
from recexp.filters.base import Filter
from recexp.params import NonNegativeInt, params


@params
class MinimumInteractions(Filter):
    """Keep rows of users and items with at least so many rows, counted once, before any is dropped.

    What is left may therefore count less than asked for; `KCore` goes on until it does not.

    Parameters
    ----------
    per_user, per_item : fewest rows of a user and of an item.
    """

    per_user: NonNegativeInt
    per_item: NonNegativeInt

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        rows = dataset.interactions
        return dataset.take(_enough(rows.users, self.per_user) & _enough(rows.items, self.per_item)).compact()


@params
class KCore(Filter):
    """Drop users and items with fewer rows than asked for, again and again until all that are left have enough.

    With `per_user` = `per_item` = k this is the k-core.

    Parameters
    ----------
    per_user, per_item : fewest rows of a user and of an item.
    """

    per_user: NonNegativeInt
    per_item: NonNegativeInt

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        users, items = dataset.interactions.users, dataset.interactions.items
        left = np.arange(len(users))
        while True:
            enough = _enough(users[left], self.per_user) & _enough(items[left], self.per_item)
            if enough.all():
                return dataset.take(left).compact()
            left = left[enough]


def _enough(codes: np.ndarray, minimum: int) -> np.ndarray:
    return (np.bincount(codes) >= minimum)[codes]
