"""Filters on how often users and items occur. A row counts once, repeats of the same user and item too."""

import numpy as np

from recexp.data import Dataset
from recexp.filters.base import Filter
from recexp.params import NonNegativeInt, params


@params
class _Minimum(Filter):
    counts = True

    per_user: NonNegativeInt
    per_item: NonNegativeInt

    def _enough(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Return bool (m,): which rows have a user and an item that occur often enough among them."""
        parts = ((users, self.per_user), (items, self.per_item))
        often = [(np.bincount(codes) >= minimum)[codes] for codes, minimum in parts]
        return often[0] & often[1]


@params
class MinimumInteractions(_Minimum):
    """Keep rows of users and items with at least so many rows, counted once, before any is dropped.

    What is left may therefore count less than asked for; `KCore` goes on until it does not.

    Parameters
    ----------
    per_user, per_item : fewest rows of a user and of an item.
    """

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        return dataset.take(self._enough(dataset.interactions.users, dataset.interactions.items))


@params
class KCore(_Minimum):
    """Drop users and items with fewer rows than asked for, again and again until all that are left have enough.

    With `per_user` = `per_item` = k this is the k-core.

    Parameters
    ----------
    per_user, per_item : fewest rows of a user and of an item.
    """

    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        users, items = dataset.interactions.users, dataset.interactions.items
        left = np.arange(len(users))
        while True:
            enough = self._enough(users[left], items[left])
            if enough.all():
                return dataset.take(left)
            left = left[enough]
