"""The stages that runners of recommenders share: fit a model, recommend, evaluate."""

import copy
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from recexp import threads
from recexp.algorithms.base import Recommender
from recexp.algorithms.fit_context import FitContext, LogStep
from recexp.cost import Costs
from recexp.data import Queries, Split
from recexp.errors import ConfigError, DataError
from recexp.evaluation.evaluation import Evaluation
from recexp.evidence.learning_curve import UserCurve
from recexp.evidence.recommendations import PartResult
from recexp.models.fitted import FittedModel
from recexp.models.saving import check_savable
from recexp.ranking import Ranking
from recexp.rerankers.base import Reranker
from recexp.rng import generator
from recexp.runners.base import Experiment
from recexp.runners.context import RunContext

PARTS = ("validation", "test")
"""What `Stages.evaluate` speaks of; of points of a curve it says nothing."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stages:
    """Fits and evaluates one algorithm. It holds neither source nor splitter, which would give access to the test.

    Attributes
    ----------
    fallback, reranker : not yet fitted; each fit creates new ones.
    exclude_seen : whether items in a history are excluded from its list.
    block_mib : memory limit of a block of scores, in MiB.
    device, precision : device (auto, cpu, cuda) and number format (float32, bfloat16) of networks.
    save : whether the model will be saved, and therefore must be savable.
    costs : records the seconds of each stage.
    """

    evaluation: Evaluation
    fallback: Recommender
    reranker: Reranker
    exclude_seen: bool
    seed: int
    block_mib: int
    device: str
    precision: str
    save: bool
    costs: Costs

    @classmethod
    def of(cls, experiment: Experiment, costs: Costs, *, block_mib: int, device: str, precision: str) -> "Stages":
        """Return the stages of an experiment with a recommender."""
        return cls(
            evaluation=experiment["evaluation"],
            fallback=experiment["fallback"],
            reranker=experiment["reranker"],
            exclude_seen=experiment["split"].exclude_seen,
            seed=experiment.seed,
            block_mib=block_mib,
            device=device,
            precision=precision,
            save=experiment.tracking.log_model,
            costs=costs,
        )

    def fit(
        self,
        algorithm: Recommender,
        split: Split,
        context: RunContext,
        *,
        validate: bool,
    ) -> FittedModel:
        """Fit algorithm, fallback and reranker on the split's train; with `validate` the model may evaluate itself.

        The context's `log_step` receives validation values as the metric itself, whatever its direction. Raises
        ModelError if the model must be saved and cannot be.

        Users in the users table without a row get codes if one of the models can answer them.
        """
        models = algorithm, self.fallback
        listed = any(model.capabilities.users_by_features for model in models)
        train = split.train.with_listed_users() if listed else split.train
        ranking = self.ranking(split)
        bare = FitContext(
            rng=generator(self.seed, "fallback"),
            catalogue=None if self.evaluation.catalogue == "new" else ranking.catalogue,  # trained on the others
            device=self.device,
            precision=self.precision,
            threads=threads.count(),
        )
        fallback = copy.deepcopy(self.fallback).fit(train, bare)
        fitted = FittedModel.of(
            algorithm,
            fallback,
            ranking,
            train,
            exclude_seen=self.exclude_seen,
            block_mib=self.block_mib,
            reranker=copy.deepcopy(self.reranker).fit(train),
        )
        whole = replace(
            bare,
            rng=generator(self.seed, "fit"),
            log_step=Unsigned(context.log_step) if self.evaluation.higher_is_better is False else context.log_step,
            validate=ValidationScore(self, split, fitted) if validate else None,
            checkpoint=context.checkpoint,
        )
        with self.costs.measure_work("fit"):
            algorithm.fit(train, whole)
        if self.save:
            check_savable(algorithm)
            check_savable(fitted.reranker)
        return fitted

    def ranking(self, split: Split) -> Ranking:
        """Return the rule that turns scores into lists."""
        return self.evaluation.ranking(split.train, seed=self.seed)

    def evaluate(self, name: str, split: Split, queries: Queries, model: FittedModel) -> PartResult:
        """Run the model on the queries of a split, and evaluate its lists and predicted ratings.

        `name` is the part: `test` or `validation`. Raises DataError if every list of the test is empty.
        """
        evaluation = self.evaluation
        model.model.check_split(split)
        with self.costs.measure_work("recommend"):
            lists = model.lists(queries, min(evaluation.cutoffs[-1], split.train.n_items))
            predicted = model.estimate(split.test, queries) if evaluation.rates else None
        if name == "test" and not (lists.items >= 0).any():
            raise DataError("; ".join(["test: every list is empty", *model.model.remarks(queries)]))
        with self.costs.measure("evaluate"):
            results = evaluation.evaluate(split, lists, seed=self.seed, predicted=predicted)
        part = name if queries.candidates is None else f"{name}_candidates"
        headline = evaluation.headline
        if evaluation.higher_is_better and not results.per_query.get(headline, np.ones(1)).any():
            log.warning("%s: %s is 0 for every query: no list contains a held-out item", part, headline)
        share = float(np.mean(~model.can_answer(queries)))
        if share and name in PARTS:
            log.info("%s: %.1f %% of the lists come from the fallback", part, 100 * share)
        return PartResult(part, split, lists, predicted, results, share)

    def curve(self, split: Split, queries: Queries, model: FittedModel) -> UserCurve | None:
        """Return the headline metric at each point of a learning curve of users; None if the evaluation has none."""
        headline = replace(self.evaluation.of_headline(), resamples=self.evaluation.resamples)
        stages = replace(self, evaluation=headline, costs=Costs())
        found = {
            known: stages.evaluate(f"after_{known}", split, shown, model) for known, shown in headline.points(queries)
        }
        return UserCurve(found) if found else None


@dataclass(frozen=True)
class ValidationScore:
    """The `validate` of a fit: scores the model on the validation part by the headline metric; higher is better."""

    stages: Stages
    split: Split
    fitted: FittedModel

    def __call__(self, model: Recommender) -> float:
        """Return the current headline metric of `model`, negated if lower is better."""
        quick = self.stages.evaluation.of_headline()
        if quick.higher_is_better is None:
            raise ConfigError(
                f"evaluation.metrics: {quick.headline} comes first but has no direction (higher or lower is better); "
                "put another metric first, such as ndcg"
            )
        fitted = replace(self.fitted, model=model)
        if quick.headline_rates:  # computing lists would cost more than an epoch
            value = quick.rate(self.split, fitted.estimate(self.split.test, self.split.queries))
        else:
            stages = replace(self.stages, evaluation=quick, costs=Costs())
            part = stages.evaluate("validation", self.split, self.split.queries, fitted)
            value = part.results.metrics[quick.headline]
        return value if quick.higher_is_better else -value


@dataclass(frozen=True)
class Unsigned:
    """Logs validation values from `ValidationScore` as the metric itself if lower is better."""

    log_step: LogStep

    def __call__(self, step: int, values: Mapping[str, float]) -> None:
        """Log one point."""
        self.log_step(step, {key: -value if key.endswith("validation") else value for key, value in values.items()})
