"""Metric: a named definition with its implementation; subclasses differ in the unit of a value: list, run or row.

A metric is a pure function of a model's answers and the held-out data. It can be called on plain ids::

    Ndcg()(ranked=["a", "b"], relevant={"b"}, k=2)                              one list
    Gini()(lists=[["a", "b"], ["a", "c"]], k=2)                                 all lists of a run
    Rmse()(predicted=[3.5, 4.0], actual=[4, 2])                                 ratings

Further inputs are passed the same way: `train` as user -> items (a mapping, or a pandas Series of lists), `features`
as item -> names of its categories, `catalogue` as the recommendable items, each once, in any order (omitted: all
items that occur anywhere).
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from recexp import file_names
from recexp.data import Dataset
from recexp.errors import ConfigError, DataError
from recexp.metric_names import metric_at
from recexp.metrics.plain import id_lists_of, ids_of, lists_by_id, ratings_of
from recexp.metrics.predicted_ratings import PredictedRatings
from recexp.metrics.ranked_lists import JudgedLists

__all__ = ["Answers", "JudgedLists", "ListMetric", "Measured", "Metric", "RatingMetric", "RowMetric", "RunMetric"]


@dataclass(frozen=True)
class Answers:
    """A model's answers with the held-out data; `ratings` is None if no ratings were predicted."""

    lists: JudgedLists
    ratings: PredictedRatings | None = None


@dataclass(frozen=True)
class Measured:
    """The values of a metric.

    Attributes
    ----------
    values : for each of the metric's results, float64 (n,), the values of n units; NaN where undefined.
    owners : int64 (n,), the owner of each unit, 0..u-1; intervals resample owners. None: the run is the only unit.
    """

    values: list[np.ndarray]
    owners: np.ndarray | None


class Metric(ABC):
    """Base of all metrics. A metric is decorated with `@params` and derives from one of the subclasses below.

    A new kind of metric sets `unit` and implements `measure`.

    Class attributes
    ----------------
    unit : what one value belongs to: list, run, row (held out, with a predicted rating), impression (a shown item).
    needs : inputs other than the lists: "relevant", "train", or what a dataset must have (`Dataset.has`).
    higher_is_better : direction of the metric; None if it has none.
    bounds : the lowest and the highest possible value.
    pooled : whether all units have equal weight regardless of owner, so users with more units weigh more. Values of
        single units may then be outside `bounds`; their mean is not.
    """

    unit: ClassVar[str]
    needs: ClassVar[frozenset[str]] = frozenset()
    higher_is_better: ClassVar[bool | None] = True
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    pooled: ClassVar[bool] = False

    @abstractmethod
    def measure(self, answers: Answers, cutoffs: Sequence[int]) -> Measured | None:
        """Return the values of all units, for each of `names`; None if `answers` hold nothing to measure."""

    def of_ratings(self, rated: PredictedRatings) -> float | None:
        """Return the result if the metric reads only predicted ratings; None if it reads lists."""
        return None

    def problem(self, dataset: Dataset) -> str:
        """Return a text on what is wrong with the inputs that the metric needs from a dataset; empty if nothing is."""
        return ""

    def remedy(self, name: str, dataset: Dataset) -> str:
        """Return advice for a dataset that lacks what the metric `name` needs; empty if there is none."""
        return ""

    def names(self, name: str, cutoffs: Sequence[int]) -> list[str]:
        """Return the names of the results of a metric `name`: one per cutoff, `ndcg_at_10`, or `name` alone."""
        return [metric_at(name, k) for k in cutoffs]

    @property
    def directed(self) -> bool:
        """Whether the metric has a direction (higher or lower is better)."""
        return self.higher_is_better is not None

    def finish(self, mean: np.ndarray) -> np.ndarray:
        """Convert means over units, float64 of any shape, to values of the metric; the identity unless overridden."""
        return mean

    def stored_table(self, unit: str) -> str | None:
        """Return the file with the values of a run's units, which are named `unit`; None: one value per run."""
        return file_names.per_unit(unit)

    def stored_columns(self, result: str) -> list[str]:
        """Return the columns that hold a result, `ndcg_at_10`, in the stored table of a run's units."""
        return [result]

    def of_stored(self, *columns: np.ndarray) -> np.ndarray:
        """Return float64 (n,): the units' values of a result, given its `stored_columns`."""
        return columns[0]

    def _cutoff(self, k: Any, longest: int) -> int:
        """Return the cutoff of a call; None means whole lists."""
        if k is None:
            return max(1, longest)
        if isinstance(k, bool) or not isinstance(k, int | np.integer):
            raise ConfigError(f"k must be a whole number (got {k!r})")
        if k < 1:
            raise ConfigError(f"k must be at least 1 (got {k})")
        return int(k)

    def _tables(self, **given: Any) -> list[dict[Hashable, list[Any]]]:
        """Return `train` and `features` as dicts; raises ConfigError if one is needed and missing."""
        tables = [lists_by_id(table, name) for name, table in given.items()]
        for need, (name, table) in zip(("train", "item_categories"), zip(given, tables)):
            if need in self.needs and not table:
                raise ConfigError(f"{type(self).__name__} needs {name}=...")
        return tables


class ListMetric(Metric):
    """One value per list; reports the mean over lists, with an interval over users."""

    unit = "list"

    @abstractmethod
    def values(self, judged: JudgedLists, k: int) -> np.ndarray:
        """Return float64 (b,): the value of each list cut at `k`; NaN where undefined."""

    def measure(self, answers: Answers, cutoffs: Sequence[int]) -> Measured:
        judged = answers.lists
        values = [np.asarray(self.values(judged, k), np.float64) for k in cutoffs]
        if wrong := [some.shape for some in values if some.shape != judged.owners.shape]:
            raise DataError(f"{type(self).__name__}.values gave {wrong[0]}; one value a list is {judged.owners.shape}")
        return Measured(values, judged.owners)

    def __call__(
        self,
        ranked: Sequence[Hashable],
        relevant: Collection[Hashable] = (),
        k: int | None = None,
        *,
        train: Mapping[Hashable, Collection[Hashable]] | None = None,
        features: Mapping[Hashable, Collection[str]] | None = None,
    ) -> float:
        """Return the value of one list cut at `k` (None: its length); NaN if undefined."""
        best, wanted = ids_of(ranked, "ranked", ranked=True), ids_of(relevant, "relevant")
        cutoff, tables = self._cutoff(k, len(best)), self._tables(train=train, features=features)
        if "relevant" in self.needs and not wanted:
            return float("nan")
        judged = JudgedLists.of_ids([best], [wanted], tables[0], tables[1], None)
        return float(self.finish(self.values(judged, cutoff))[0])


class RunMetric(Metric):
    """One value over all lists of a run."""

    unit = "run"

    @abstractmethod
    def value(self, judged: JudgedLists, k: int) -> float:
        """Return the value over all lists cut at `k`; NaN if undefined."""

    def measure(self, answers: Answers, cutoffs: Sequence[int]) -> Measured:
        return Measured([np.array([self.value(answers.lists, k)], np.float64) for k in cutoffs], None)

    def stored_table(self, unit: str) -> str | None:
        return None

    def __call__(
        self,
        lists: Sequence[Sequence[Hashable]],
        k: int | None = None,
        *,
        train: Mapping[Hashable, Collection[Hashable]] | None = None,
        catalogue: Collection[Hashable] | None = None,
    ) -> float:
        """Return the value over `lists` cut at `k` (None: the longest list's length)."""
        all_lists = id_lists_of(lists, "lists")
        cutoff, [known] = self._cutoff(k, max(map(len, all_lists), default=0)), self._tables(train=train)
        listed = None if catalogue is None else dict.fromkeys(ids_of(catalogue, "catalogue"))
        if listed is not None and not listed:
            raise ConfigError("catalogue is empty; omit it to use all items that occur")
        judged = JudgedLists.of_ids(all_lists, [()] * len(all_lists), known, {}, listed)
        return float(self.value(judged, cutoff))


class RowMetric(Metric):
    """One value per held-out row, from predicted and actual ratings; reports finish(mean), with an interval."""

    unit = "row"

    @abstractmethod
    def values(self, rated: PredictedRatings) -> np.ndarray:
        """Return float64 (m,): the value of each row; NaN where undefined."""

    def of_ratings(self, rated: PredictedRatings) -> float:
        """Return the metric's value over all rows; NaN if no row has a value."""
        values = self.values(rated)
        known = values[~np.isnan(values)]
        return float(self.finish(np.mean(known))) if len(known) else float("nan")

    def measure(self, answers: Answers, cutoffs: Sequence[int]) -> Measured | None:
        rated = answers.ratings
        return None if rated is None else Measured([self.values(rated)], rated.owners)

    def names(self, name: str, cutoffs: Sequence[int]) -> list[str]:
        return [name]

    def stored_table(self, unit: str) -> str | None:
        return file_names.PREDICTIONS

    def stored_columns(self, result: str) -> list[str]:
        return ["predicted", "rating"]

    def of_stored(self, *columns: np.ndarray) -> np.ndarray:
        predicted, actual = (column.astype(np.float64) for column in columns[:2])
        return self.values(PredictedRatings(predicted, actual, _numbered(columns[2:], len(actual))))

    def __call__(
        self, predicted: Sequence[float], actual: Sequence[float], users: Sequence[Hashable] | None = None
    ) -> float:
        """Return the value over all rows; `users` names the user of each row. NaN without rows.

        Raises DataError for a rating that is not a finite number.
        """
        found, given = ratings_of(predicted, "predicted"), ratings_of(actual, "actual")
        if len(found) != len(given):
            raise DataError(f"{len(found)} predicted ratings for {len(given)} actual ones")
        ids = [] if users is None else [np.array(ids_of(users, "users"), object)]
        if ids and len(ids[0]) != len(given):
            raise DataError(f"{len(ids[0])} users for {len(given)} ratings")
        return self.of_ratings(PredictedRatings(found, given, _numbered(ids, len(given))))


class RatingMetric(RowMetric):
    """The error of predicted ratings, pooled over rows: finish(mean of errors), with an interval over users."""

    needs: ClassVar[frozenset[str]] = frozenset({"ratings"})
    higher_is_better: ClassVar[bool | None] = False
    bounds: ClassVar[tuple[float, float]] = (0.0, float("inf"))

    @abstractmethod
    def errors(self, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
        """Return float64 (m,): each row's error, given float64 (m,) predicted and actual ratings."""

    def values(self, rated: PredictedRatings) -> np.ndarray:
        return self.errors(rated.predicted, rated.actual)


def _numbered(ids: Sequence[np.ndarray], n: int) -> np.ndarray:
    """Return int32 (n,): a code for each id of the single array in `ids`; without one, all rows have the same owner."""
    return np.unique(ids[0], return_inverse=True)[1].astype(np.int32) if ids else np.zeros(n, np.int32)
