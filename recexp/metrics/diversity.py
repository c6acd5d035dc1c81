"""Diversity of the items within lists, and of the lists of different users."""

from typing import ClassVar, Literal

import numpy as np
import scipy.sparse as sp

from recexp import threads
from recexp.metrics.base import JudgedLists, ListMetric, RunMetric
from recexp.params import params


@params
class IntraListDiversity(ListMetric):
    """Mean over the pairs of items in a list of 1 - cosine (Ziegler et al. 2005, Topic diversification, section 3.3).

    An item is represented by a 0/1 vector of traits: with `by` features its categories (all category and
    multi_category columns of the items table), with `by` interactions its train users. An item without traits has
    cosine 0 with every other. Pairs are those of the first k items, or of all items of a shorter list; a list of fewer
    than two items has no value.

    Time: with `by` features the traits of the listed items; with `by` interactions the pairs in the lists and, for each
    interaction, about a 64th of the listed items. Memory: at most 20 bytes per list position and 16 per interaction.
    """

    by: Literal["features", "interactions"]

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]  # of the class where it depends on no field
        return frozenset({"item_categories" if self.by == "features" else "train"})

    def values(self, judged: JudgedLists, k: int) -> np.ndarray:
        similar = judged.cached(("similar", self.by), lambda: self._similar(judged))[:, :k].sum(axis=1)
        lengths = judged.lengths_at(k)
        pairs = lengths * (lengths - 1) / 2
        return np.where(pairs > 0, 1 - similar / np.maximum(pairs, 1), np.nan)

    def _similar(self, judged: JudgedLists) -> np.ndarray:
        """float64 (b, n): sum of each listed item's cosines with the items before it in its list."""
        if self.by == "interactions":
            from recexp.metrics.cooccurrence import cosines_before

            times = judged.recommended_at(judged.items.shape[1])
            return cosines_before(judged.items, judged.train_matrix, times, judged.item_counts)
        from recexp.metrics.kernels import sum_earlier_by_traits

        traits, out = _features(judged), np.zeros(judged.items.shape)
        norm = 1 / np.sqrt(np.maximum(np.diff(traits.indptr), 1))

        def rows(start: int, stop: int) -> None:
            seen = np.zeros(traits.shape[1])
            sum_earlier_by_traits(start, stop, judged.items, traits.indptr, traits.indices, norm, seen, out)

        threads.map_rows(rows, len(out))
        return out


@params
class Personalization(RunMetric):
    """1 - mean over the pairs of lists of |items in both| / length of the longer one.

    The inter-user diversity of Zhou et al. (2010, PNAS 107) for lists cut at k; there, all lists have length k. 0 if
    all lists hold the same items, 1 if no two share one. Shorter lists are divided by their length, not k. Empty lists
    do not count; with fewer than two others the value is undefined. Exact for all pairs: an item in c lists is shared
    by c (c - 1) / 2 pairs.
    """

    revision: ClassVar[int] = 2

    def value(self, judged: JudgedLists, k: int) -> float:
        lengths, shared, before = judged.lengths_at(k), 0.0, 0.0
        pairs = np.count_nonzero(lengths) * (np.count_nonzero(lengths) - 1) / 2
        counts = np.zeros(len(judged.catalogue) + 1, np.int64)
        for length in np.unique(lengths[lengths > 0]).tolist():  # a longer list of each pair has this length
            counts += np.bincount(judged.items[lengths == length, :k].ravel() + 1, minlength=len(counts))
            now = float((counts[1:] * (counts[1:] - 1) / 2).sum())
            shared, before = shared + (now - before) / length, now
        return 1 - shared / pairs if pairs else float("nan")


def _features(judged: JudgedLists) -> sp.csr_array:
    columns = [column for column in judged.train.items.values() if column.kind in ("category", "multi_category")]
    return sp.hstack([column.indicators() for column in columns], format="csr")
