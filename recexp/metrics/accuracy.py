"""Ranking accuracy: how many relevant items a list holds, and at which ranks. Relevance is binary."""

from typing import ClassVar

import numpy as np

from recexp.metrics.base import JudgedLists, ListMetric
from recexp.params import params


class Accuracy(ListMetric):
    """A list metric based on relevance."""

    needs: ClassVar[frozenset[str]] = frozenset({"relevant"})


@params
class Precision(Accuracy):
    """h(k) / k: h(k) relevant items among the first k of a list.

    Missing positions of a list shorter than k count as misses: the denominator is still k, and an empty list has 0.
    Without a relevant item the value is undefined (Manning et al. 2008, Introduction to Information Retrieval, 8.4).
    """

    def values(self, judged: JudgedLists, k: int) -> np.ndarray:
        return judged.hits_at(k) / k


@params
class Recall(Accuracy):
    """h(k) / R: h(k) relevant items among the first k of a list, R relevant items in all.

    All relevant items count, so if R > k a perfect list stays below 1 (Manning et al. 2008, 8.3). A list shorter than k
    is evaluated as it is, and an empty list has 0; without a relevant item the value is undefined.
    """

    def values(self, judged: JudgedLists, k: int) -> np.ndarray:
        return judged.hits_at(k) / judged.relevant


@params
class RecallCapped(Accuracy):
    """h(k) / min(R, k): h(k) relevant items among the first k of a list, R relevant items in all.

    A perfect list has 1 (Liang et al. 2018, Variational autoencoders for CF, section 4.2). A list shorter than k is
    evaluated as it is, and an empty list has 0; without a relevant item the value is undefined.
    """

    def values(self, judged: JudgedLists, k: int) -> np.ndarray:
        return judged.hits_at(k) / np.minimum(judged.relevant, k)


@params
class F1(Accuracy):
    """2 h(k) / (k + R): h(k) relevant items among the first k of a list, R relevant items in all.

    The harmonic mean of precision and recall (van Rijsbergen 1979, Information Retrieval, 7). Missing positions of a
    list shorter than k count as misses, and an empty list has 0; without a relevant item the value is undefined.
    """

    def values(self, judged: JudgedLists, k: int) -> np.ndarray:
        return 2 * judged.hits_at(k) / (k + judged.relevant)


@params
class Ndcg(Accuracy):
    """DCG(k) / DCG of a perfect list of min(R, k) hits; DCG = sum over hits at rank r <= k of 1 / log2(r + 1).

    A hit is a relevant item, R are all relevant items; gains are binary (Järvelin and Kekäläinen 2002, Cumulated
    gain-based evaluation, with the discount log2(r + 1)). Missing positions of a list shorter than k count as misses,
    and an empty list has 0; without a relevant item the value is undefined.
    """

    def values(self, judged: JudgedLists, k: int) -> np.ndarray:
        hits = judged.hits[:, :k]
        most = min(k, max(hits.shape[1], int(judged.relevant.max(initial=0))))  # no more positions can hold a hit
        discounts = 1 / np.log2(np.arange(2, most + 2))
        ideal = np.cumsum(discounts)[np.minimum(judged.relevant, k) - 1]
        return hits @ discounts[: hits.shape[1]] / ideal


@params
class MeanAveragePrecision(Accuracy):
    """Sum over hits at rank r <= k of h(r) / r, divided by min(R, k); its mean over lists is MAP.

    A hit is a relevant item, h(r) are the hits among the first r of a list, R all relevant items. Dividing by
    min(R, k), as the Kaggle and RecSys challenges do, gives a perfect list 1; others divide by R (Manning et al. 2008,
    8.4), which agrees if R <= k. Missing positions of a list shorter than k count as misses, and an empty list has 0;
    without a relevant item the value is undefined.
    """

    def values(self, judged: JudgedLists, k: int) -> np.ndarray:
        found = judged.cumulative_hits[:, :k] * judged.hits[:, :k]
        return found @ (1 / np.arange(1, found.shape[1] + 1)) / np.minimum(judged.relevant, k)


@params
class ReciprocalRank(Accuracy):
    """1 / rank of the first relevant item within the first k of a list, 0 without one.

    Its mean over lists is MRR (Voorhees 1999, TREC-8 QA). An empty list has 0; without a relevant item the value is
    undefined.
    """

    def values(self, judged: JudgedLists, k: int) -> np.ndarray:
        return (judged.hits_at(k) > 0) / (1.0 + np.argmax(judged.hits[:, :k], axis=1))


@params
class HitRate(Accuracy):
    """1 if any of the first k items of a list is relevant, else 0.

    The hit rate of Deshpande and Karypis (2004, Item-based top-N, section 6.2). An empty list has 0; without a relevant
    item the value is undefined.
    """

    def values(self, judged: JudgedLists, k: int) -> np.ndarray:
        return (judged.hits_at(k) > 0).astype(np.float64)
