"""Evaluation: what is measured on a split's lists, at which cut-offs, and how sure the numbers are."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field

from recexp.data import Dataset, Queries, Split
from recexp.data.scales import doubtful_minimum
from recexp.errors import ConfigError, DataError
from recexp.evaluation import slices
from recexp.evaluation.slices import Group, Slice
from recexp.metric_names import headlines
from recexp.metrics.base import Answers, JudgedLists, Metric
from recexp.metrics.predicted_ratings import PredictedRatings
from recexp.params import Size, params
from recexp.ranking import Lists, Ranking
from recexp.rng import generator
from recexp.statistics.bootstrap import Means, intervals

log = logging.getLogger(__name__)

ALWAYS_THERE = {"relevant", "train"}
"""What every evaluation has for a metric that needs it."""
_LISTS = "list"
_STREAMS = {_LISTS: "lists", "row": "ratings"}
"""The random streams by which the owners of units are resampled, where they are not called as the unit is."""


@dataclass(frozen=True)
class EvaluationResult:
    """What an evaluation found.

    Attributes
    ----------
    metrics : values by name (`ndcg_at_10`, `rmse`), the headline metric first; NaN where one is not defined.
    intervals : (low, high) of each metric that is a mean over lists or rows.
    per_query : float64 (b,), each list metric's value of each judged query.
    users : int32 (b,), who asked them.
    hits : bool (b, n), which items of the whole lists are relevant.
    slices : the same by groups of users and items.
    candidates : whether lists rank given candidates, not the catalogue; such numbers need names of their own.
    """

    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    per_query: dict[str, np.ndarray]
    users: np.ndarray
    hits: np.ndarray
    slices: list[Slice]
    candidates: bool


@dataclass(frozen=True)
class _Units:
    """The values of n units of a kind: a column a result, float64 (n,); `owners`, int64 (n,), are resampled."""

    owners: np.ndarray
    columns: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def everyone(self) -> Group:
        values = np.array([*self.columns.values()]).reshape(-1, len(self.owners)).T
        return Group("", "everyone", len(values), list(self.columns), Means.of(values, self.owners))


def ascending(cutoffs: list[int]) -> list[int]:
    """Return numbers that rise without repeats. Raises ValueError for others."""
    if cutoffs != sorted(set(cutoffs)):
        raise ValueError(f"must rise without repeats, for example {sorted(set(cutoffs))}")
    return cutoffs


@params
class Evaluation:
    """Metrics of ranked lists at several cut-offs, and of predicted ratings.

    Parameters
    ----------
    cutoffs : lengths at which lists are cut, ascending. Lists are shorter than that where there are fewer items.
    metrics : by name; the first is the headline.
    catalogue : which items may be recommended: all with a row after the filters, those with a train row (in_train),
        those without (new), or all and those of the items table that never had a row (listed). With `new`, held-out
        items that have a train row do not count.
    relevant_from : held-out items with at least this value are relevant; None: all of them.
    history : what a model fitted without refit is shown at test: all that is known by then, or its train part.
    resamples, confidence : of the bootstrap over users.
    """

    cutoffs: Annotated[list[Size], Field(min_length=1), AfterValidator(ascending)]
    metrics: Annotated[dict[str, Metric], Field(min_length=1)]
    catalogue: Literal["all", "in_train", "new", "listed"]
    relevant_from: float | None
    history: Literal["all", "train"]
    resamples: Size
    confidence: Annotated[float, Field(gt=0, lt=1)]

    @property
    def rates(self) -> bool:
        """Whether a metric is about predicted ratings."""
        return any(metric.unit == "row" for metric in self.metrics.values())

    def check(self, dataset: Dataset) -> None:
        """Raise ConfigError when a metric needs what `dataset` lacks or has wrong; called before anything is fitted."""
        for name, metric in self.metrics.items():
            for need in sorted(metric.needs - ALWAYS_THERE):
                if not dataset.has(need):
                    remedy = metric.remedy(name, dataset) or (
                        f"leave {name} out, or choose a dataset and filter that provide them"
                    )
                    raise ConfigError(
                        f"evaluation.metrics: {name} needs {need}, and {dataset.name} has none after filtering; "
                        f"{remedy}"
                    )
            if problem := metric.problem(dataset):
                raise ConfigError(f"evaluation.metrics: {name} cannot be computed: {problem}")

    def rule(self) -> dict[str, Any]:
        """Return what two runs must share to be compared; cut-offs and metrics live in the names of results."""
        return {"catalogue": self.catalogue, "relevant_from": self.relevant_from, "history": self.history}

    def of_headline(self) -> "Evaluation":
        """Return the evaluation by the headline's metric alone, without intervals: what choosing by it needs."""
        name, metric = next(iter(self.metrics.items()))
        return replace(self, metrics={name: metric}, resamples=1)

    @property
    def headline_rates(self) -> bool:
        """Whether the headline reads predicted ratings alone, so that it needs no lists."""
        return self.headline_metric.unit == "row"

    def rate(self, split: Split, predicted: np.ndarray) -> float:
        """Return the headline by the ratings predicted for the rows of `split.test`, float (m,), see `evaluate`.

        Raises DataError when the headline reads lists, or predictions are not finite.
        """
        rated = self._ratings(split, predicted)
        value = None if rated is None else self.headline_metric.of_ratings(rated)
        if value is None:
            raise DataError(f"{self.headline} cannot be measured by predicted ratings alone")
        return value

    def ranking(self, train: Dataset, seed: int) -> Ranking:
        """Return the rule by which scores become lists: the catalogue's items, ties broken by the seed."""
        return Ranking.draw(train.n_items, self._catalogue(train), rng=generator(seed, "ties"))

    def evaluate(
        self, split: Split, lists: Lists, *, seed: int, predicted: np.ndarray | None = None
    ) -> EvaluationResult:
        """Judge one list a query, at least as long as the largest cut-off (or the number of items), best first.

        `predicted`, float (m,), are the ratings predicted for the rows of `split.test`; without them rating metrics are
        left out. All of the target counts as relevant (see `relevant`).

        Raises DataError when lists are too short or too few or repeat an item, or predictions are not finite.
        """
        self._refuse(lists, split)
        known = split.train, self._catalogue(split.train), split.test
        whole = JudgedLists.of(lists, split.target, split.queries, *known)
        judged = whole.cut(self.cutoffs[-1])
        metrics, units = self._measure(Answers(judged, self._ratings(split, predicted)))
        groups = {name: [unit.everyone] for name, unit in units.items()}
        groups[_LISTS] += slices.of_queries(judged, units[_LISTS].columns) + slices.of_targets(judged, self.cutoffs)
        bounds: dict[str, tuple[float, float]] = {}
        rows, by_result = [], self.by_result
        for name, some in groups.items():
            limits = self._intervals([group.means for group in some], seed, _STREAMS.get(name, name))
            everyone, *others = (group.finish(bound, by_result) for group, bound in zip(some, limits))
            metrics |= {row.metric: row.value for row in everyone}
            bounds |= {row.metric: (row.low, row.high) for row in everyone}
            rows += [row for other in others for row in other]
        return EvaluationResult(
            metrics={result: metrics[result] for result in by_result if result in metrics},
            intervals={result: bounds[result] for result in by_result if result in bounds},
            per_query=units[_LISTS].columns,
            users=split.queries.users,
            hits=whole.hits,
            slices=rows,
            candidates=split.queries.candidates is not None,
        )

    def applied(self, split: Split) -> Split:
        """Return the split with the items of the chosen catalogue, and with what is `relevant` alone."""
        return self.relevant(split.with_listed() if self.catalogue == "listed" else split)

    def relevant(self, split: Split) -> Split:
        """Return the split without held-out items that do not count, and the queries that then ask for nothing.

        These are items below `relevant_from`, and with catalogue=new those that have a train row. Raises DataError when
        nothing is left.
        """
        if self.relevant_from is None and self.catalogue != "new":
            return split
        target, keep = split.target, np.ones(split.target.nnz, bool)
        if self.catalogue == "new":
            keep = ~split.train.interactions.known_items[target.indices]
            if not keep.any():
                raise DataError(
                    "evaluation.catalogue=new: every held-out item has a train row; split=cold_items holds out items "
                    "with all their rows"
                )
        if self.relevant_from is not None:
            if split.test.explicit and (doubt := doubtful_minimum(split.test.values, self.relevant_from)):
                log.warning("evaluation.relevant_from=%g may not mean liked: %s", self.relevant_from, doubt)
            highest = target.data[keep].max()
            keep &= target.data >= self.relevant_from
            if not keep.any():
                raise DataError(
                    f"evaluation.relevant_from={self.relevant_from:g}: nothing held out is relevant; "
                    f"the highest value is {highest:g}"
                )
        validation = None if split.validation is None else self.relevant(split.validation)
        return replace(split.asking(keep), validation=validation)

    def points(self, queries: Queries) -> Iterator[tuple[int, Queries]]:
        """Yield each point of a learning curve: a number of interactions, and queries that show no more; here none."""
        return iter(())

    @property
    def headline(self) -> str:
        """Name of the result that is looked at first and that `validate` rates by: `ndcg_at_10`."""
        return headlines(self.names)[0]

    @property
    def headline_metric(self) -> Metric:
        """The metric behind the headline."""
        return self.by_result[self.headline]

    @property
    def higher_is_better(self) -> bool | None:
        """Whether higher is better in the headline; None where neither is."""
        return self.headline_metric.higher_is_better

    @property
    def directions(self) -> dict[str, bool | None]:
        """Whether higher is better in each metric, by name; None where neither is."""
        return {name: metric.higher_is_better for name, metric in self.metrics.items()}

    @property
    def by_result(self) -> dict[str, Metric]:
        """The metric behind each result, in order: `ndcg_at_5`, `ndcg_at_10` ..., `rmse`."""
        return {result: metric for name, metric in self.metrics.items() for result in metric.names(name, self.cutoffs)}

    @property
    def names(self) -> list[str]:
        """Names of all results in order: `ndcg_at_5`, `ndcg_at_10` ..., `rmse`."""
        return list(self.by_result)

    def _catalogue(self, train: Dataset) -> np.ndarray:
        known = train.interactions.known_items
        return {"in_train": known, "new": ~known}.get(self.catalogue, np.ones(train.n_items, bool))

    def _refuse(self, lists: Lists, split: Split) -> None:
        """Raise DataError for lists that do not answer the queries of the split."""
        items, b, n_items = lists.items, len(split.queries), split.train.n_items
        needed = min(self.cutoffs[-1], n_items)
        if len(items) != b or items.shape[1] < needed:
            raise DataError(f"evaluate got lists {items.shape}; expected {b} of at least {needed}")
        ordered = np.sort(items, axis=1)
        if ordered.max(initial=-1) >= n_items:
            raise DataError(f"evaluate got item {ordered.max()}; the data have {n_items}")
        if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
            raise DataError("evaluate got a list that contains an item twice")

    def _ratings(self, split: Split, predicted: np.ndarray | None) -> PredictedRatings | None:
        """Return the predicted ratings beside those of the held-out rows, if any metric is about them."""
        if not self.rates:
            return None
        if not split.test.explicit:
            raise DataError("the held-out rows have no ratings to compare predicted ratings with")
        if predicted is None:
            log.info("rating metrics are skipped: there are no predicted ratings")
            return None
        actual = split.test.values.astype(np.float64)
        if predicted.shape != actual.shape or not np.isfinite(predicted).all():
            raise DataError(f"predicted must be {len(actual)} finite ratings, one per held-out row")
        return PredictedRatings(predicted.astype(np.float64), actual, split.test.users)

    def _measure(self, answers: Answers) -> tuple[dict[str, float], dict[str, _Units]]:
        """Return the results that are of the run as a whole, and those of each kind of unit; there are always lists."""
        whole: dict[str, float] = {}
        units = {_LISTS: _Units(answers.lists.owners)}
        for name, metric in self.metrics.items():
            measured = metric.measure(answers, self.cutoffs)
            if measured is None:
                continue
            columns = dict(zip(metric.names(name, self.cutoffs), measured.values, strict=True))
            if measured.owners is None:
                whole |= {result: float(values[0]) for result, values in columns.items()}
            else:
                units.setdefault(metric.unit, _Units(measured.owners)).columns.update(columns)
        return whole, units

    def _intervals(self, means: list[Means], seed: int, name: str) -> list[np.ndarray]:
        """Return float64 (2, c) for each of `means`; the first has the last of the owners."""
        return intervals(
            means,
            int(means[0].users[-1]) + 1,
            resamples=self.resamples,
            confidence=self.confidence,
            rng=generator(seed, "bootstrap", name),
        )
