"""How evenly recommendations are spread over the catalogue."""

from typing import ClassVar

import numpy as np

from recexp.metrics.base import JudgedLists, RunMetric
from recexp.params import params
from recexp.statistics.concentration import gini


@params
class Gini(RunMetric):
    """sum over j = 1..n of (2 j - n - 1) p(j) / (n - 1), p ascending; 0: uniform, 1: a single item.

    p(j) is an item's share of all recommendations (positions in lists cut at k that hold an item of the catalogue), and
    n is the number of items in the catalogue, including those never recommended (Shani and Gunawardana 2011, Evaluating
    recommendation systems, equation for the Gini index). Missing positions of short lists do not count; if all lists
    are empty the value is undefined.
    """

    higher_is_better: ClassVar[bool | None] = False

    def value(self, judged: JudgedLists, k: int) -> float:
        return gini(judged.recommended_at(k)[judged.catalogue])


@params
class Entropy(RunMetric):
    """-sum over i of p(i) log2 p(i), in bits; 0: a single item, log2 n: uniform.

    p(i) is an item's share of all recommendations (positions in lists cut at k), and n is the number of items in the
    catalogue (Shannon 1948; for recommendations: Shani and Gunawardana 2011). Missing positions of short lists do not
    count; if all lists are empty the value is undefined.
    """

    bounds: ClassVar[tuple[float, float]] = (0.0, float("inf"))

    def value(self, judged: JudgedLists, k: int) -> float:
        counts = judged.recommended_at(k)
        p = counts[counts > 0] / max(1, counts.sum())
        return float(p @ np.log2(1 / p)) if len(p) else float("nan")
