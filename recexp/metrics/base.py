"""Metric: a definition with a name; three kinds by what they look at.

Every metric is a pure function of ranked lists (or predicted values) and what was held out. Its value on plain lists of
ids: `ndcg(["a", "b", "c"], relevant={"b"}, k=3)`.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import scipy.sparse as sp

from recexp.data import Column, Dataset, Interactions


@dataclass(frozen=True)
class Judged:
    """Ranked lists beside what was relevant: all that list and run metrics read, computed once for all cut-offs.

    Attributes
    ----------
    items : int32 (b, k), ranked items, best first, padded with -1.
    hits : bool (b, k), which of them are relevant.
    relevant : int64 (b,), how many items are relevant to each query, at least 1.
    train : what the model learned from (item counts, features).
    catalogue : bool (n_items,), which items may be recommended.
    """

    items: np.ndarray
    hits: np.ndarray
    relevant: np.ndarray
    train: Dataset
    catalogue: np.ndarray

    @cached_property
    def item_counts(self) -> np.ndarray:
        """int64 (n_items,): distinct train users of each item."""
        return np.bincount(self.train.interactions.csr(values=False).indices, minlength=self.train.n_items)


class Metric(ABC):
    """Base of all metrics; a subclass is decorated with `@params` and derives from one of the three kinds.

    `higher_is_better` says which way improvement goes, or None where neither does. `needs`: "item_features".
    """

    higher_is_better: ClassVar[bool | None] = True
    needs: ClassVar[frozenset[str]] = frozenset()


class ListMetric(Metric):
    """One value a list; the mean over lists is reported, with an interval over users."""

    @abstractmethod
    def values(self, judged: Judged, k: int) -> np.ndarray:
        """Return float64 (b,): the value of each list cut at `k`; NaN where the list has none."""


class RunMetric(Metric):
    """One value over all lists of a run."""

    @abstractmethod
    def value(self, judged: Judged, k: int) -> float:
        """Return the value over all lists cut at `k`."""


class RatingMetric(Metric):
    """One value over predicted ratings, pooled over rows."""

    @abstractmethod
    def errors(self, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
        """Return float64 (m,): each row's error."""

    @abstractmethod
    def finish(self, mean: float) -> float:
        """Turn the mean error of rows into the metric."""
