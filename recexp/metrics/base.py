"""Metric: a definition with a name; three kinds by what they look at.

Every metric is a pure function of ranked lists (or predicted values) and what was held out. It is called on plain ids::

    Ndcg()(ranked=["a", "b"], relevant={"b"}, k=2)                              one list
    Gini()(lists=[["a", "b"], ["a", "c"]], k=2)                                 all lists of a run
    Rmse()(predicted=[3.5, 4.0], actual=[4, 2])                                 ratings

What a metric needs besides is given the same way: `train` as user -> items, `features` as item -> names of its
categories, `catalogue` as the items that can be recommended (left out: all items that are mentioned anywhere).
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import ClassVar

import numpy as np

from recexp.errors import ConfigError, DataError
from recexp.metrics.ranked_lists import Judged

__all__ = ["Judged", "ListMetric", "Metric", "RatingMetric", "RunMetric"]


class Metric:
    """Base of all metrics; a subclass is decorated with `@params` and derives from one of the three kinds.

    Class attributes
    ----------------
    higher_is_better : which way improvement goes, or None where neither does.
    needs : what it reads besides the lists: "relevant", "train", or what a data set must have (`Dataset.has`).
    bounds : the lowest and the highest value that it can take.
    """

    higher_is_better: ClassVar[bool | None] = True
    needs: ClassVar[frozenset[str]] = frozenset()
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def _require(self, k: int | None, train: object, features: object) -> None:
        if k is not None and k < 1:
            raise ConfigError(f"k must be at least 1 (got {k})")
        for need, given, name in (("train", train, "train"), ("item_categories", features, "features")):
            if need in self.needs and not given:
                raise ConfigError(f"{type(self).__name__} needs {name}=...")


class ListMetric(Metric, ABC):
    """One value a list; the mean over lists is reported, with an interval over users."""

    @abstractmethod
    def values(self, judged: Judged, k: int) -> np.ndarray:
        """Return float64 (b,): the value of each list cut at `k`; NaN where the list has none."""

    def __call__(
        self,
        ranked: Sequence[Hashable],
        relevant: Collection[Hashable] = (),
        k: int | None = None,
        *,
        train: Mapping[Hashable, Collection[Hashable]] | None = None,
        features: Mapping[Hashable, Collection[str]] | None = None,
    ) -> float:
        """Return the value of one list cut at `k` (None: its length); NaN where it is not defined."""
        self._require(k, train, features)
        if "relevant" in self.needs and len(relevant) == 0:
            return float("nan")
        judged = Judged.of_ids([ranked], [relevant], train or {}, features or {}, None)
        return float(self.values(judged, max(1, len(ranked)) if k is None else k)[0])


class RunMetric(Metric, ABC):
    """One value over all lists of a run."""

    @abstractmethod
    def value(self, judged: Judged, k: int) -> float:
        """Return the value over all lists cut at `k`; NaN where it is not defined."""

    def __call__(
        self,
        lists: Sequence[Sequence[Hashable]],
        k: int | None = None,
        *,
        train: Mapping[Hashable, Collection[Hashable]] | None = None,
        catalogue: Collection[Hashable] | None = None,
    ) -> float:
        """Return the value over `lists` cut at `k` (None: the longest list's length)."""
        self._require(k, train, None)
        judged = Judged.of_ids(lists, [()] * len(lists), train or {}, {}, catalogue)
        return float(self.value(judged, judged.items.shape[1] if k is None else k))


class RatingMetric(Metric, ABC):
    """One value over predicted ratings, pooled over rows: finish(mean of errors), with an interval over users."""

    higher_is_better: ClassVar[bool | None] = False
    needs: ClassVar[frozenset[str]] = frozenset({"ratings"})
    bounds: ClassVar[tuple[float, float]] = (0.0, float("inf"))

    @abstractmethod
    def errors(self, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
        """Return float64 (m,): each row's error, given float64 (m,) predicted and actual ratings."""

    @abstractmethod
    def finish(self, mean: np.ndarray) -> np.ndarray:
        """Turn mean errors, float64 of any shape, into values of the metric."""

    def __call__(self, predicted: Sequence[float], actual: Sequence[float]) -> float:
        """Return the value over all rows."""
        if len(predicted) != len(actual):
            raise DataError(f"{len(predicted)} predicted ratings for {len(actual)} actual ones")
        errors = self.errors(np.asarray(predicted, np.float64), np.asarray(actual, np.float64))
        return float(self.finish(np.mean(errors)))
