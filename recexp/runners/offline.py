"""The straight line: data, filter, split, fit, recommend, evaluate, track."""

import copy
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np

from recexp import threads
from recexp.algorithms.base import Recommender, Report, Validate
from recexp.cost import Costs
from recexp.data import Dataset, Queries, Split
from recexp.errors import ConfigError, MisfitError
from recexp.evaluation.evaluation import Evaluation
from recexp.models.fitted import FittedModel
from recexp.models.saving import check_savable
from recexp.params import Resource, Switch, params
from recexp.prepared import Preparation
from recexp.ranking import Ranking
from recexp.rng import generator
from recexp.runners.base import Experiment, Outcome, Runner
from recexp.runners.identity import Data, identify
from recexp.runners.record import Part, conclude, once, record
from recexp.tracking import Run, Store

log = logging.getLogger(__name__)


@params
class Offline(Runner):
    """Trains on the past, asks about what was held out, once a fold.

    Parameters
    ----------
    threads : how many threads work; None is all cores.
    block_mib : memory in MiB that a block of scores may take.
    cache : keep filtered data and splits on disk and take them from there.
    """

    threads: Resource | None
    block_mib: Resource
    cache: Switch
    lists: ClassVar[bool] = True

    def run(self, experiment: Experiment) -> list[Outcome]:
        x, costs, outcomes = experiment, Costs(), []
        with threads.limit(self.threads), x.tracking.open() as store, self.prepare(x) as prepared:
            with costs.measure("data"):
                loaded = prepared.load()
                refuse_misfits(x, loaded.dataset)
            splits = prepared.splits(loaded)
            while True:
                with costs.measure("split"):
                    split = next(splits, None)
                if split is None:
                    return conclude(x, store, outcomes)
                if x.fold not in (None, split.fold):
                    continue
                split = x.evaluation.relevant(split)
                with costs.measure("audit"):
                    found = x.audit.inspect(split, x.splitter.time)
                data = Data(loaded.source, loaded.effects, loaded.dataset, split, found)
                outcomes.append(self._fold(x, store, data, costs))
                costs = Costs()

    def prepare(self, x: Experiment) -> Preparation:
        """Return what loads, filters and splits the data of an experiment."""
        return Preparation(x.source, x.filters, x.splitter, seed=x.seed, cache=self.cache)

    def _fold(self, x: Experiment, store: Store, data: Data, costs: Costs) -> Outcome:
        queries, identity = _shown(x, data.split), identify(x, self, data)

        def work(run: Run) -> Outcome:
            model, parts = self._answer(x, run, data.split, queries, costs)
            return record(x, store, run, data, identity, model, parts, costs)

        return once(x, store, identity, work)

    def _answer(
        self, x: Experiment, run: Run, split: Split, queries: Queries, costs: Costs
    ) -> tuple[FittedModel, list[Part]]:
        """Return the model that answered `queries`, those of the test, and each judged part, the test's last."""
        parts, model, known = [], None, split.train.interactions
        algorithm = copy.deepcopy(x.algorithm)
        if split.validation is not None:
            model = self.fit(x, algorithm, split.validation, costs, report=run.log_step, validate=True)
            parts.append(self.judge(x, "validation", split.validation, split.validation.queries, model, costs))
            if x.evaluation.history == "train":
                known = split.validation.train.interactions
        if model is None or x.refit:
            report = _staged(run, "" if split.validation is None else "refit_")
            model = self.fit(x, algorithm, split, costs, report=report, validate=False)
        else:
            model = model.informed(known, x.evaluation.ranking(split.train, seed=x.seed))
        parts.append(self.judge(x, "test", split, queries, model, costs))
        return model, parts

    def fit(
        self, x: Experiment, algorithm: Recommender, split: Split, costs: Costs, *, report: Report, validate: bool
    ) -> FittedModel:
        """Fit algorithm and fallback on the split's train; with `validate` it may rate itself on the queries.

        `report` gets validation values as the metric itself, whichever way is better.
        """
        ranking = x.evaluation.ranking(split.train, seed=x.seed)
        fallback = copy.deepcopy(x.fallback).fit(split.train, rng=generator(x.seed, "fallback"))
        wrap = _wrapping(fallback, ranking, split.train, x.splitter.exclude_seen, self.block_mib)
        rate = _rating(x.evaluation, x.seed, split, wrap) if validate else None
        with costs.measure("fit"):
            algorithm.fit(
                split.train, rng=generator(x.seed, "fit"), report=_unsigned(report, x.evaluation.rising), validate=rate
            )
        if x.tracking.log_model:
            check_savable(algorithm)
        return wrap(algorithm)

    def judge(self, x: Experiment, name: str, split: Split, queries: Queries, model: FittedModel, costs: Costs) -> Part:
        """Ask the model the split's queries and measure its answers."""
        return _judged(x.evaluation, x.seed, name, split, queries, model, costs)


def _judged(
    evaluation: Evaluation, seed: int, name: str, split: Split, queries: Queries, model: FittedModel, costs: Costs
) -> Part:
    with costs.measure("recommend"):
        lists = model.lists(queries, evaluation.cutoffs[-1])
        predicted = model.estimate(split.test, queries) if evaluation.rates else None
    with costs.measure("evaluate"):
        results = evaluation.evaluate(split, lists, seed=seed, predicted=predicted)
    prefix = name if queries.candidates is None else f"{name}_candidates"
    if evaluation.rising and not results.per_query.get(evaluation.headline, np.ones(1)).any():
        log.warning("%s: %s is 0 for each query: lists hold nothing of what was held out", prefix, evaluation.headline)
    share = float(np.mean(~model.serves(queries)))
    if share:
        log.info("%s: %.1f %% of the lists are the fallback's", prefix, 100 * share)
    return Part(prefix, split, lists, predicted, results, share)


def _wrapping(
    fallback: Recommender, ranking: Ranking, train: Dataset, exclude_seen: bool, block_mib: int
) -> Callable[[Recommender], FittedModel]:
    return lambda model: FittedModel.of(model, fallback, ranking, train, exclude_seen=exclude_seen, block_mib=block_mib)


def _rating(evaluation: Evaluation, seed: int, split: Split, wrap: Callable[[Recommender], FittedModel]) -> Validate:
    """Return the `validate` that a model gets: made of no more than this, for source and splitter lead to the test."""
    quick = replace(evaluation, resamples=1)  # intervals would only cost time here

    def rate(model: Recommender) -> float:
        if quick.rising is None:
            raise ConfigError(f"evaluation.metrics: {quick.headline} comes first and has no better or worse")
        part = _judged(quick, seed, "validation", split, split.queries, wrap(model), Costs())
        return part.results.metrics[quick.headline] * (1 if quick.rising else -1)

    return rate


def _unsigned(report: Report, rising: bool | None) -> Report:
    """Return what reports a model's validation values, which `validate` gave it, as the metric itself."""
    if rising is not False:
        return report

    def unsigned(step: int, values: Mapping[str, float]) -> None:
        report(step, {key: -value if key.endswith("validation") else value for key, value in values.items()})

    return unsigned


def _staged(run: Run, stage: str) -> Report:
    """Return what logs a learning curve's points, `stage` before their names."""

    def report(step: int, values: Mapping[str, float]) -> None:
        run.log_step(step, {f"{stage}{name}": value for name, value in values.items()})

    return report


def _shown(x: Experiment, split: Split) -> Queries:
    """Return the test queries with the histories that the model is shown: all that is known, or its own train rows."""
    queries = split.queries
    if x.refit or split.validation is None or x.evaluation.history == "all":
        return queries
    train = split.train.interactions
    if (queries.lengths != np.bincount(train.users, minlength=train.n_users)[queries.users]).any():
        raise ConfigError("evaluation.history=train: with this split, histories are more than the users' train rows")
    shown = Queries.of_users(queries.users, split.validation.train.interactions, exclude_seen=False)
    if not shown.lengths.all():
        raise ConfigError("evaluation.history=train: some test users have no rows in the train part of validation")
    return replace(queries, log=shown.log, start=shown.start, stop=shown.stop)


def refuse_misfits(x: Experiment, dataset: Dataset) -> None:
    """Raise MisfitError when the data lack what an algorithm needs, ConfigError for a metric or an unknown `show`."""
    for role, model in (("algorithm", x.algorithm), ("fallback", x.fallback)):
        if lacking := model.lacking(dataset):
            raise MisfitError(f"{role}: {lacking}")
    if x.show is not None and str(x.show) not in map(str, dataset.user_ids):
        raise ConfigError(f"show: there is no user {x.show} in {dataset.name} after filtering")
    if x.evaluation.rates and not x.algorithm.predicts:
        raise MisfitError(
            f"evaluation.metrics: metrics of ratings need predicted ones; {type(x.algorithm).__name__} gives none, "
            "algorithm=mf does"
        )
    x.evaluation.check(dataset)
