"""Share of the catalogue that is recommended at all."""

from typing import ClassVar

import numpy as np

from recexp.metrics.base import JudgedLists, RunMetric
from recexp.params import Fraction, params


@params
class CatalogCoverage(RunMetric):
    """Share of the catalogue's items that are in at least one list cut at k.

    Ge et al. (2010, Beyond accuracy, section 3.1). Short lists cover the items they hold; if all lists are empty the
    value is 0. With an empty catalogue it is undefined.
    """

    def value(self, judged: JudgedLists, k: int) -> float:
        return _share(judged, k, judged.catalogue)


@params
class LongTailCoverage(RunMetric):
    """Share of the catalogue's tail items that are in at least one list cut at k.

    An item belongs to the head if the items more popular than it hold less than `head` of all train interactions
    (a user's repeats count once), else to the tail. Equally popular items are on the same side, and unseen items are in
    the tail (after Celma and Cano 2008, From hits to niches). Short lists cover the items they hold; if all lists are
    empty the value is 0. Without tail items it is undefined.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"train"})
    head: Fraction

    def value(self, judged: JudgedLists, k: int) -> float:
        tail = judged.catalogue & (judged.share_above >= self.head)
        return _share(judged, k, tail)


def _share(judged: JudgedLists, k: int, items: np.ndarray) -> float:
    """Return the share of `items`, bool (n_items,), that occur in a list cut at `k`; NaN if there are none."""
    return float(np.mean(judged.recommended_at(k)[items] > 0)) if items.any() else float("nan")
