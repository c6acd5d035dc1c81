"""How much of the catalogue is recommended to anyone."""

from typing import ClassVar

import numpy as np

from recexp.metrics.base import JudgedLists, RunMetric
from recexp.params import Fraction, params


@params
class CatalogCoverage(RunMetric):
    """Share of the catalogue's items that are in at least one list (Ge et al. 2010, Beyond accuracy, section 3.1)."""

    def value(self, judged: JudgedLists, k: int) -> float:
        return float(np.mean(judged.recommended_at(k)[judged.catalogue] > 0))


@params
class LongTailCoverage(RunMetric):
    """Share of the catalogue's tail items that are in at least one list.

    An item belongs to the head if the items more popular than it hold less than `head` of all train interactions
    (a user's repeats count once), else to the tail; so equally popular items are on one side, unseen ones in the tail
    (after Celma and Cano 2008, From hits to niches). Without a tail there is no value.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"train"})
    head: Fraction

    def value(self, judged: JudgedLists, k: int) -> float:
        tail = judged.catalogue & (judged.share_above >= self.head)
        return float(np.mean(judged.recommended_at(k)[tail] > 0)) if tail.any() else float("nan")
