"""Novelty and popularity of the recommended items."""

from typing import ClassVar

import numpy as np

from recexp.metrics.base import JudgedLists, ListMetric
from recexp.params import params


class Popular(ListMetric):
    """A list metric based on the number of train users of items."""

    needs: ClassVar[frozenset[str]] = frozenset({"train"})


@params
class Novelty(Popular):
    """Mean over a list's first k items of -log2(train users of the item / train users), in bits.

    Zhou et al. (2010, PNAS 107). An item without train users is treated as having one: log2(train users). The mean of a
    list shorter than k is over its items; an empty list has no value.
    """

    bounds: ClassVar[tuple[float, float]] = (0.0, float("inf"))

    def values(self, judged: JudgedLists, k: int) -> np.ndarray:
        seen = np.maximum(judged.item_counts, 1)
        return judged.mean_at(k, np.log2(max(1, judged.n_train_users)) - np.log2(seen))


@params
class AveragePopularity(Popular):
    """Mean over a list's first k items of their train users (Yin et al. 2012, Challenging the long tail).

    The mean of a list shorter than k is over its items; an empty list has no value.
    """

    higher_is_better: ClassVar[bool | None] = None
    bounds: ClassVar[tuple[float, float]] = (0.0, float("inf"))

    def values(self, judged: JudgedLists, k: int) -> np.ndarray:
        return judged.mean_at(k, judged.item_counts)


@params
class Serendipity(Popular):
    """Share of the k positions with relevant items that a popularity list would not show (Ge et al. 2010, section 3.2).

    A popularity list shows every user the k items with the most train users; all items tied at its end count as shown.
    Missing positions of a list shorter than k count as misses, and an empty list has 0; without a relevant item the
    value is undefined.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"relevant", "train"})

    def values(self, judged: JudgedLists, k: int) -> np.ndarray:
        from recexp.metrics.kernels import count_hits_from

        counts, found = judged.item_counts, np.empty(len(judged.items), np.int64)
        more_popular = len(counts) - np.searchsorted(np.sort(counts), counts, side="right")
        count_hits_from(judged.items, judged.hits, k, more_popular, found)
        return found / k
