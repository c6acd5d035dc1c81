"""Metric: a definition with a name that measures itself; its kinds say what one of its values is about.

A metric is a pure function of what a model answered and what was held out. It is called on plain ids::

    Ndcg()(ranked=["a", "b"], relevant={"b"}, k=2)                              one list
    Gini()(lists=[["a", "b"], ["a", "c"]], k=2)                                 all lists of a run
    Rmse()(predicted=[3.5, 4.0], actual=[4, 2])                                 ratings

What a metric needs besides is given the same way: `train` as user -> items (a mapping, or a pandas Series of lists),
`features` as item -> names of its categories, `catalogue` as the items that can be recommended, each once, in any order
(left out: all items that are mentioned anywhere).
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
    """What a model answered, beside what was held out; `ratings` are None where it was not asked for any."""

    lists: JudgedLists
    ratings: PredictedRatings | None = None


@dataclass(frozen=True)
class Measured:
    """What a metric found.

    Attributes
    ----------
    values : for each of the metric's results float64 (n,), the values of n units; NaN where a unit has none.
    owners : int64 (n,), whose each unit is, 0..u-1: owners are resampled for intervals. None: the run is the one unit.
    """

    values: list[np.ndarray]
    owners: np.ndarray | None


class Metric(ABC):
    """Base of all metrics. A metric is decorated with `@params` and derives from one of the kinds below.

    A new kind is a class that says its `unit` and implements `measure`.

    Class attributes
    ----------------
    unit : the word for what has a value: list, run, row (held out, with a predicted rating), impression (a shown item).
    needs : what it reads besides the lists: "relevant", "train", or what a dataset must have (`Dataset.has`).
    higher_is_better : which way improvement goes, or None where neither does.
    bounds : the lowest and the highest value that it can take.
    pooled : whether all units count alike, whoever's they are, so that a user with more of them counts more. Values of
        single units may then be out of `bounds`; their mean is not.
    """

    unit: ClassVar[str]
    needs: ClassVar[frozenset[str]] = frozenset()
    higher_is_better: ClassVar[bool | None] = True
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    pooled: ClassVar[bool] = False

    @abstractmethod
    def measure(self, answers: Answers, cutoffs: Sequence[int]) -> Measured | None:
        """Return the values of all units, for each of `names`; None where `answers` hold nothing to be measured."""

    def of_ratings(self, rated: PredictedRatings) -> float | None:
        """Return the one result where predicted ratings are all that the metric reads; None where it reads lists."""
        return None

    def problem(self, dataset: Dataset) -> str:
        """Return what is wrong with what a dataset has of the metric's needs, in words; empty where nothing is."""
        return ""

    def remedy(self, name: str, dataset: Dataset) -> str:
        """Return what to do where a dataset lacks what the metric, called `name`, needs; empty for nothing special."""
        return ""

    def names(self, name: str, cutoffs: Sequence[int]) -> list[str]:
        """Return the names of the results of a metric called `name`: one a cut-off, `ndcg_at_10`, or `name` alone."""
        return [metric_at(name, k) for k in cutoffs]

    @property
    def directed(self) -> bool:
        """Whether one of two values is better."""
        return self.higher_is_better is not None

    def finish(self, mean: np.ndarray) -> np.ndarray:
        """Turn means over units, float64 of any shape, into values of the metric; as they are unless overridden."""
        return mean

    def stored_table(self, unit: str) -> str | None:
        """Return the file with the values of a run's units, which are called `unit`; None: there is one value a run."""
        return file_names.per_unit(unit)

    def stored_columns(self, result: str) -> list[str]:
        """Return the columns that hold a result, `ndcg_at_10`, in the stored table of a run's units."""
        return [result]

    def of_stored(self, *columns: np.ndarray) -> np.ndarray:
        """Return float64 (n,), the units' values of a result, given its `stored_columns`."""
        return columns[0]

    def _cutoff(self, k: Any, longest: int) -> int:
        """Return the cut-off that a call asks for; None asks for the whole lists."""
        if k is None:
            return max(1, longest)
        if isinstance(k, bool) or not isinstance(k, int | np.integer):
            raise ConfigError(f"k must be a whole number (got {k!r})")
        if k < 1:
            raise ConfigError(f"k must be at least 1 (got {k})")
        return int(k)

    def _tables(self, **given: Any) -> list[dict[Hashable, list[Any]]]:
        """Return `train` and `features` as dicts; raises ConfigError for one that is needed and not there."""
        tables = [lists_by_id(table, name) for name, table in given.items()]
        for need, (name, table) in zip(("train", "item_categories"), zip(given, tables)):
            if need in self.needs and not table:
                raise ConfigError(f"{type(self).__name__} needs {name}=...")
        return tables


class ListMetric(Metric):
    """One value a list; the mean over lists is reported, with an interval over users."""

    unit = "list"

    @abstractmethod
    def values(self, judged: JudgedLists, k: int) -> np.ndarray:
        """Return float64 (b,): the value of each list cut at `k`; NaN where the list has none."""

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
        """Return the value of one list cut at `k` (None: its length); NaN where it is not defined."""
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
        """Return the value over all lists cut at `k`; NaN where it is not defined."""

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
    """One value a held-out row, made of predicted and actual ratings; finish(mean) is reported, with an interval."""

    unit = "row"

    @abstractmethod
    def values(self, rated: PredictedRatings) -> np.ndarray:
        """Return float64 (m,): each row's value; NaN where it has none."""

    def of_ratings(self, rated: PredictedRatings) -> float:
        """Return the metric's value over all rows; NaN where no row has one."""
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
        """Return the value over all rows, `users` naming whose each is; NaN without rows.

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
    """How far predicted ratings are off, pooled over rows: finish(mean of errors), with an interval over users."""

    needs: ClassVar[frozenset[str]] = frozenset({"ratings"})
    higher_is_better: ClassVar[bool | None] = False
    bounds: ClassVar[tuple[float, float]] = (0.0, float("inf"))

    @abstractmethod
    def errors(self, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
        """Return float64 (m,): each row's error, given float64 (m,) predicted and actual ratings."""

    def values(self, rated: PredictedRatings) -> np.ndarray:
        return self.errors(rated.predicted, rated.actual)


def _numbered(ids: Sequence[np.ndarray], n: int) -> np.ndarray:
    """Return a number for each id of the one array in `ids`, int32 (n,); without one, all rows have the same owner."""
    return np.unique(ids[0], return_inverse=True)[1].astype(np.int32) if ids else np.zeros(n, np.int32)
