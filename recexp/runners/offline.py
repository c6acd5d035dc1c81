"""The straight line: data, filter, split, fit, recommend, evaluate, track."""

import copy
import logging
from dataclasses import replace

import numpy as np

from recexp import threads
from recexp.algorithms.base import Recommender
from recexp.cost import Costs
from recexp.data import Dataset, Queries, Split
from recexp.errors import ConfigError
from recexp.evaluation import Results
from recexp.model import FittedModel
from recexp.params import Resource, params
from recexp.ranking import Lists
from recexp.rng import generator
from recexp.runners.base import Experiment, Outcome, Runner
from recexp.runners.record import Part, identify, record
from recexp.tracking import Run, Store

log = logging.getLogger(__name__)


@params
class Offline(Runner):
    """Trains on the past, asks about what was held out, once a fold.

    Parameters
    ----------
    threads : how many threads work; None is all cores.
    block_mib : memory in MiB that a block of scores may take.
    """

    threads: Resource | None
    block_mib: Resource

    def run(self, experiment: Experiment) -> list[Outcome]:
        costs = Costs()
        with threads.limit(self.threads), experiment.tracking.open() as store:
            with costs.measure("data"):
                dataset, effects = experiment.filters.apply(experiment.source.load(), seed=experiment.seed)
                _refuse_misfits(experiment, dataset)
            outcomes = []
            splits = iter(experiment.splitter.split(dataset))
            while True:
                with costs.measure("split"):
                    split = next(splits, None)
                if split is None:
                    return outcomes
                outcomes.append(self._fold(experiment, store, dataset, effects, split, costs))
                costs = Costs()

    def _fold(
        self, x: Experiment, store: Store, dataset: Dataset, effects: list, split: Split, costs: Costs
    ) -> Outcome:
        tags = identify(x, dataset, split)
        done = store.finished({"recexp.config": tags["recexp.config"]}) if x.resume else None
        if done:
            log.info("already done in run %s", done)
            return Outcome(done, store.link(done), store.leaderboard, {}, {}, None)
        with store.run(name=f"{tags['algorithm']} seed {x.seed} {tags['dataset']}", tags=tags) as run:
            parts = []
            algorithm = copy.copy(x.algorithm)
            model = None
            if split.validation is not None:
                model = self._fit(x, algorithm, split.validation, run, costs, validate=True)
                parts.append(self._judge(x, "validation", split.validation, split.validation.queries, model, costs))
            if model is None or x.refit:
                model = self._fit(x, algorithm, split, run, costs)
            parts.append(self._judge(x, "test", split, _shown(x, split), model, costs))
            return record(x, store, run, dataset, effects, split, model, parts, costs)

    def _fit(
        self, x: Experiment, algorithm: Recommender, split: Split, run: Run, costs: Costs, validate: bool = False
    ) -> FittedModel:
        """Fit the algorithm and the fallback on the split's train; on its queries the algorithm may rate itself."""

        def rate(model: Recommender) -> float:
            part = self._judge(quick, "validation", split, split.queries, wrap(model), Costs())
            value = next(iter(part.results.metrics.values()))
            return -value if headline.higher_is_better is False else value

        def wrap(model: Recommender) -> FittedModel:
            return FittedModel.of(model, fallback, ranking, split.train, split.train.interactions, self.block_mib)

        headline = next(iter(x.evaluation.metrics.values()))
        quick = replace(x, evaluation=replace(x.evaluation, resamples=1))  # intervals would only cost time here
        ranking = x.evaluation.ranking(split.train, seed=x.seed)
        fallback = copy.copy(x.fallback).fit(split.train, rng=generator(x.seed, "fallback"))
        with costs.measure("fit"):
            algorithm.fit(
                split.train, rng=generator(x.seed, "fit"), report=run.log_step, validate=rate if validate else None
            )
        return wrap(algorithm)

    def _judge(
        self, x: Experiment, name: str, split: Split, queries: Queries, model: FittedModel, costs: Costs
    ) -> "Part":
        """Ask the model the split's queries and measure its answers."""
        with costs.measure("recommend"):
            lists: Lists = model.lists(queries, max(x.evaluation.cutoffs))
            predicted = model.model.predict(split.test, queries) if x.evaluation.rates else None
        with costs.measure("evaluate"):
            results: Results = x.evaluation.evaluate(split, lists, seed=x.seed, predicted=predicted)
        prefix = name if queries.candidates is None else f"{name}_candidates"
        share = float(np.mean(~model.serves(queries)))
        if share:
            log.info("%s: %.1f %% of the lists are the fallback's", prefix, 100 * share)
        return Part(prefix, split, lists, results, share)


def _shown(x: Experiment, split: Split) -> Queries:
    """Return the test queries with the histories that the model is shown: all that is known, or its own train rows."""
    if x.refit or split.validation is None or x.evaluation.history == "all":
        return split.queries
    queries = split.queries
    shown = Queries.of_users(queries.users, split.validation.train.interactions, exclude_seen=False)
    if (shown.lengths[queries.lengths > 0] == 0).any():
        raise ConfigError("evaluation.history: train would leave users without history; with this split it must be all")
    return replace(queries, log=shown.log, start=shown.start, stop=shown.stop)


def _refuse_misfits(x: Experiment, dataset: Dataset) -> None:
    """Raise ConfigError when the data lack what the algorithm or a metric needs."""
    rows = dataset.interactions
    has = {
        "timestamps": rows.timestamps is not None,
        "sessions": rows.sessions is not None,
        "user_features": bool(dataset.users),
        "item_features": bool(dataset.items),
        "ratings": rows.explicit,
    }
    for role, model in (("algorithm", x.algorithm), ("fallback", x.fallback)):
        lacking = sorted(need for need in model.needs if not has[need])
        if lacking:
            raise ConfigError(
                f"{role}: {type(model).__name__} needs {', '.join(lacking)}, which {dataset.name} has not"
            )
    if x.evaluation.rates and not x.algorithm.predicts:
        raise ConfigError(
            f"evaluation.metrics: rmse and mae need predicted ratings; {type(x.algorithm).__name__} gives none"
        )
    x.evaluation.check(dataset)
