"""Evaluation: what is measured on a split's lists, at which cut-offs, and how sure the numbers are."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
import scipy.sparse as sp
from pydantic import AfterValidator, Field

from recexp.data import Dataset, Split
from recexp.errors import ConfigError, DataError
from recexp.evaluation import slices
from recexp.evaluation.slices import Slice
from recexp.metric_names import at, bare, headlines
from recexp.metrics.base import Judged, ListMetric, Metric, RatingMetric, RunMetric
from recexp.params import PositiveInt, params
from recexp.ranking import Lists, Ranking
from recexp.rng import generator
from recexp.statistics.bootstrap import Means, intervals

log = logging.getLogger(__name__)

GIVEN = {"relevant", "train"}
"""What every evaluation has for a metric that needs it."""


@dataclass(frozen=True)
class Results:
    """What an evaluation found.

    Attributes
    ----------
    metrics : values by name (`ndcg_at_10`, `rmse`), the headline metric first; NaN where one is not defined.
    intervals : (low, high) of each metric that is a mean over lists or rows.
    per_query : float64 (b,), each list metric's value of each judged query.
    users : int32 (b,), who asked them.
    slices : the same by groups of users and items.
    candidates : whether lists rank given candidates, not the catalogue; such numbers need names of their own.
    """

    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    per_query: dict[str, np.ndarray]
    users: np.ndarray
    slices: list[Slice]
    candidates: bool


def _of_a_kind(metrics: dict[str, Metric]) -> dict[str, Metric]:
    for name, metric in metrics.items():
        if not isinstance(metric, ListMetric | RunMetric | RatingMetric):
            raise ValueError(f"{name} must be a ListMetric, RunMetric or RatingMetric, which say what it is given")
    return metrics


def _rising(cutoffs: list[int]) -> list[int]:
    if cutoffs != sorted(set(cutoffs)):
        raise ValueError(f"must rise without repeats, for example {sorted(set(cutoffs))}")
    return cutoffs


@params
class Evaluation:
    """Metrics of ranked lists at several cut-offs, and of predicted ratings.

    Parameters
    ----------
    cutoffs : lengths at which lists are cut, rising. Lists are shorter than that where there are fewer items.
    metrics : by name; the first is the headline.
    catalogue : which items may be recommended: all, or those with a train row.
    relevant_from : held-out items with at least this value are relevant; None: all of them.
    history : what a model fitted without refit is shown at test: all that is known by then, or its train part.
    resamples, confidence : of the bootstrap over users.
    """

    cutoffs: Annotated[list[PositiveInt], Field(min_length=1), AfterValidator(_rising)]
    metrics: Annotated[dict[str, Metric], Field(min_length=1), AfterValidator(_of_a_kind)]
    catalogue: Literal["all", "in_train"]
    relevant_from: float | None
    history: Literal["all", "train"]
    resamples: PositiveInt
    confidence: Annotated[float, Field(gt=0, lt=1)]

    @property
    def rates(self) -> bool:
        """Whether a metric is about predicted ratings."""
        return any(isinstance(metric, RatingMetric) for metric in self.metrics.values())

    def check(self, dataset: Dataset) -> None:
        """Raise ConfigError when a metric needs what `dataset` does not have; called before anything is fitted."""
        for name, metric in self.metrics.items():
            for need in sorted(metric.needs - GIVEN):
                if not dataset.has(need):
                    raise ConfigError(
                        f"evaluation.metrics: {name} needs {need}, and {dataset.name} has none after filtering; "
                        f"leave {name} out, or choose data and a filter that have them"
                    )

    def ranking(self, train: Dataset, seed: int) -> Ranking:
        """Return the rule by which scores become lists: the catalogue's items, ties broken by the seed."""
        return Ranking.draw(train.n_items, self._allowed(train), rng=generator(seed, "ties"))

    def evaluate(self, split: Split, lists: Lists, *, seed: int, predicted: np.ndarray | None = None) -> Results:
        """Judge one list a query, at least as long as the largest cut-off (or the number of items), best first.

        `predicted`, float (m,), are the ratings predicted for the rows of `split.test`; without them rating metrics are
        left out. All of the target counts as relevant (see `relevant`).

        Raises DataError when lists are too short or too few or repeat an item, or predictions are not finite.
        """
        target, queries, allowed = split.target, split.queries, self._allowed(split.train)
        needed = min(self.cutoffs[-1], split.train.n_items)
        if len(lists.items) != len(queries) or lists.items.shape[1] < needed:
            raise DataError(f"evaluate got lists {lists.items.shape}; expected {len(queries)} of at least {needed}")
        items = np.ascontiguousarray(lists.items[:, : self.cutoffs[-1]])
        ordered = np.sort(items, axis=1)
        if ordered.max(initial=-1) >= split.train.n_items:
            raise DataError(f"evaluate got item {ordered.max()}; the data have {split.train.n_items}")
        if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
            raise DataError("evaluate got a list that holds an item twice")
        judged = Judged.of(items, target, split.train, np.ones(target.shape[1], bool) if allowed is None else allowed)
        per_query, values = self._measure(judged)
        owners = _owners(queries.users, queries.lengths)
        means = Means.of(np.array([*per_query.values()]).reshape(-1, len(queries)).T, owners)
        groups = slices.of_queries(queries, per_query, owners, judged)
        groups += slices.of_targets(target, judged, self.cutoffs, owners)
        bounds = self._intervals([means, *(group.means for group in groups)], seed, "lists")
        values.update(zip(per_query, means.values.tolist()))
        found = dict(zip(per_query, map(tuple, bounds[0].T.tolist())))
        for name, value, interval in self._ratings(split, predicted, seed):
            values[name], found[name] = value, interval
        return Results(
            metrics={name: values[name] for name in self.names if name in values},
            intervals={name: found[name] for name in self.names if name in found},
            per_query=per_query,
            users=queries.users,
            slices=[row for group, bound in zip(groups, bounds[1:]) for row in group.finish(bound)],
            candidates=queries.candidates is not None,
        )

    def relevant(self, split: Split) -> Split:
        """Return the split without held-out items that do not count, and the queries that then ask for nothing.

        Raises DataError when nothing is left.
        """
        if self.relevant_from is None:
            return split
        target, b = split.target, len(split.queries)
        keep = target.data >= self.relevant_from
        indptr = np.concatenate([[0], np.cumsum(keep)])[target.indptr]
        kept = np.flatnonzero(np.diff(indptr))
        if not len(kept):
            raise DataError(
                f"evaluation.relevant_from={self.relevant_from:g}: nothing held out is relevant; "
                f"the highest value there is {target.data.max():g}"
            )
        if len(kept) < b:
            log.info("%d of %d queries have nothing relevant held out and do not count", b - len(kept), b)
        target = sp.csr_array((target.data[keep], target.indices[keep], indptr), shape=target.shape)[kept]
        validation = None if split.validation is None else self.relevant(split.validation)
        return replace(split, queries=split.queries.take(kept), target=target, validation=validation)

    @property
    def headline(self) -> str:
        """Name of the result that is looked at first and that `validate` rates by: `ndcg_at_10`."""
        return headlines(self.names)[0]

    @property
    def judge(self) -> Metric:
        """The metric behind the headline."""
        return self.metrics[bare(self.headline)]

    @property
    def rising(self) -> bool | None:
        """Whether higher is better in the headline; None where neither is."""
        return self.judge.higher_is_better

    @property
    def names(self) -> list[str]:
        """Names of all results in order: `ndcg_at_5`, `ndcg_at_10` ..., `rmse`."""
        rating = {name for name, metric in self.metrics.items() if isinstance(metric, RatingMetric)}
        found = ([name] if name in rating else [at(name, k) for k in self.cutoffs] for name in self.metrics)
        return [name for some in found for name in some]

    def _allowed(self, train: Dataset) -> np.ndarray | None:
        if self.catalogue == "all":
            return None
        return train.interactions.known_items

    def _measure(self, judged: Judged) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        """Return each list metric's values of the queries, and each run metric's value."""
        per_query, values = {}, {}
        for name, metric in self.metrics.items():
            for k in self.cutoffs:
                if isinstance(metric, ListMetric):
                    per_query[at(name, k)] = metric.values(judged, k)
                elif isinstance(metric, RunMetric):
                    values[at(name, k)] = metric.value(judged, k)
        return per_query, values

    def _ratings(
        self, split: Split, predicted: np.ndarray | None, seed: int
    ) -> Iterator[tuple[str, float, tuple[float, float]]]:
        """Yield name, value and interval of each rating metric; rows without a rating are left out."""
        if not self.rates:
            return
        if not split.test.explicit:
            raise DataError("the held-out rows have no ratings, so predicted ones cannot be judged")
        if predicted is None:
            log.info("rating metrics are left out: there are no predicted ratings")
            return
        actual = split.test.values.astype(np.float64)
        if predicted.shape != actual.shape or not np.isfinite(predicted).all():
            raise DataError(f"predicted must be {len(actual)} finite ratings, one a held-out row; it is not")
        metrics = {name: metric for name, metric in self.metrics.items() if isinstance(metric, RatingMetric)}
        errors = np.stack([metric.errors(predicted.astype(np.float64), actual) for metric in metrics.values()], axis=1)
        means = Means.of(errors, _owners(split.test.users, np.zeros(len(actual), np.int64)))
        (bounds,) = self._intervals([means], seed, "ratings")
        for (name, metric), mean, interval in zip(metrics.items(), means.values, bounds.T):
            low, high = metric.finish(interval).tolist()
            yield name, float(metric.finish(mean)), (low, high)

    def _intervals(self, means: list[Means], seed: int, name: str) -> list[np.ndarray]:
        """Return float64 (2, c) for each of `means`; the first has all the users."""
        return intervals(
            means,
            len(means[0].users),
            resamples=self.resamples,
            confidence=self.confidence,
            rng=generator(seed, "bootstrap", name),
        )


def _owners(users: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Number the users, int (b,), 0..u-1 by `lengths` of a query of theirs; each unknown one, -1, is one of its own."""
    known = np.where(users >= 0, users, -1 - np.arange(len(users)))
    _, first, owners = np.unique(known, return_index=True, return_inverse=True)
    rank = np.empty_like(first)
    rank[np.argsort(lengths[first], kind="stable")] = np.arange(len(first))
    return rank[owners]
