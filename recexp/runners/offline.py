"""Offline evaluation: dataset, filter, split, fit, recommend, evaluate; `runners.driver` does what all runs share."""

import copy
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

from recexp.algorithms.base import Recommender
from recexp.audit import Audit
from recexp.cost import Costs
from recexp.datasets.base import Source
from recexp.errors import IncompatibleError
from recexp.evaluation.evaluation import Evaluation
from recexp.evidence.evidence import Evidence
from recexp.evidence.learning_curve import UserCurve
from recexp.evidence.log_report import log_report
from recexp.evidence.overview import overview
from recexp.evidence.recommendations import PartResult, Recommendations, fallback_table
from recexp.filters.base import Filters
from recexp.models.fitted import FittedModel
from recexp.params import Id, Resource, Switch, Undescribed, describe, params
from recexp.rerankers.base import Reranker
from recexp.runners.base import Experiment, Objective, Plan, Runner
from recexp.runners.context import RunContext
from recexp.runners.fold import Fold, check_compatible, final_queries, prepare, tell_unranked
from recexp.runners.job_files import source_content
from recexp.runners.sealed import SealedObjective, seal
from recexp.runners.stages import Stages
from recexp.splits.base import Splitter

log = logging.getLogger(__name__)

MODELS = ("algorithm", "fallback")
"""The components that are fitted recommenders."""
SHOWN = 5
"""How many recommendations are shown for one user: enough to get an idea."""


@params
class Offline(Runner):
    """Trains on the training part and evaluates on the held-out part; one run per fold.

    Parameters
    ----------
    threads : how many threads work; None is all cores.
    block_mib : memory limit of a block of scores, in MiB.
    cache : store filtered data and splits on disk and reuse them.
    statistics : attach `log_report` statistics of all rows to each run; reads the rows again if the rest is cached.
    device : compute device of networks; auto: the best available.
    precision : number format of network computations; weights are always float32.
    refit : after validation, fit the final model on train and validation; otherwise test the model as it is.
    show : user for whom example recommendations are displayed, or None.
    """

    components: ClassVar[Mapping[str, type]] = {
        "dataset": Source,
        "filter": Filters,
        "split": Splitter,
        "algorithm": Recommender,
        "fallback": Recommender,
        "reranker": Reranker,
        "evaluation": Evaluation,
        "audit": Audit,
    }
    subject: ClassVar[tuple[str, ...]] = ("algorithm", "fallback", "reranker")
    labels: ClassVar[tuple[str, ...]] = ("split", "reranker")
    final: ClassVar[str] = "test"
    unit: ClassVar[str] = "user"
    trials: ClassVar[str | None] = "validation"

    block_mib: Resource
    cache: Switch
    statistics: Switch
    device: Undescribed[Literal["auto", "cpu", "cuda"]]
    precision: Undescribed[Literal["float32", "bfloat16"]]
    refit: Undescribed[bool]
    show: Undescribed[Id | None]

    def plans(self, experiment: Experiment, costs: Costs) -> Iterator[Plan]:
        with prepare(experiment, cache=self.cache) as prepared:
            with costs.measure("data"):
                loaded = prepared.load(keep=self.statistics)
                check_compatible(experiment, loaded.dataset, show=self.show)
                report = log_report(prepared.whole()) if self.statistics else None
            for split in costs.measure_each("split", prepared.splits(loaded)):
                if experiment.fold in (None, split.fold):  # otherwise the rest would be wasted
                    split = experiment["evaluation"].applied(split)
                    if split.fold in (None, 0, experiment.fold):  # once is enough
                        tell_unranked(experiment, loaded, split)
                    with costs.measure("audit"):
                        fold = replace(Fold.of(experiment, loaded, split), report=report)
                    yield fold.plan(fold)

    def run(self, experiment: Experiment, plan: Plan, context: RunContext) -> Evidence:
        fold: Fold = plan.work
        split, inner = fold.split, fold.split.validation
        stages = self.stages(experiment, context.costs)
        algorithm, queries = copy.deepcopy(experiment["algorithm"]), final_queries(experiment, split, refit=self.refit)
        parts = []
        if inner is not None:
            model = stages.fit(algorithm, inner, context, validate=True)
            parts.append(stages.evaluate("validation", inner, inner.queries, model))
            context = context.staged("refit")
        if inner is None or self.refit:
            model = stages.fit(algorithm, split, context, validate=False)
        else:
            history = split.train if experiment["evaluation"].history == "all" else inner.train
            model = model.with_history(history.interactions, stages.ranking(split))
        parts.append(stages.evaluate("test", split, queries, model))
        curve = stages.curve(split, queries, model)
        return evidence(experiment, fold, parts, model, show=self.show, curve=curve)

    def headline(self, experiment: Experiment) -> tuple[str, bool | None]:
        return experiment["evaluation"].headline, experiment["evaluation"].higher_is_better

    def check(self, experiment: Experiment) -> None:
        for name in ("dataset", "split", *MODELS):
            experiment[name].check()
        for name in MODELS:
            experiment[name].check_device(self.device)
            if missing := experiment[name].capabilities.needs & experiment["dataset"].lacks():
                found = f"{experiment['dataset'].name} has none"
                raise IncompatibleError(f"{name}: {experiment[name].needs_in_words(missing, found)}")
        if experiment["evaluation"].rates and not experiment["algorithm"].capabilities.predicts:
            labels = any("labels" in metric.needs for metric in experiment["evaluation"].metrics.values())
            kind, other = ("labels", "algorithm=fm algorithm.task=click") if labels else ("ratings", "algorithm=mf")
            does = experiment["algorithm"].predicts_by.get(kind, other)
            raise IncompatibleError(
                f"evaluation.metrics: metrics of {kind} need predicted {kind}; "
                f"{type(experiment['algorithm']).__name__} predicts none, {does} does"
            )

    def protocol(self, experiment: Experiment) -> dict[str, Any]:
        return {
            "runner": self.rules(),
            "filters": describe(experiment["filter"]),
            "split": experiment["split"].rule(),
            **experiment["evaluation"].rule(),
            "refit": self.refit,
        }

    def content(self, experiment: Experiment) -> dict[str, Any]:
        evaluation = experiment["evaluation"]
        subject = describe({name: experiment[name] for name in self.subject})
        return {**subject, "evaluation": {**describe(evaluation), "headline": evaluation.headline}}

    def final_content(self, protocol: Mapping[str, Any]) -> dict[str, Any]:
        split = {name: rule for name, rule in protocol["split"].items() if not name.startswith("validation")}
        return {"data": protocol["data"], "filters": protocol["filters"], "split": split}

    def job_content(self, experiment: Experiment) -> dict[str, Any] | None:
        return source_content(experiment["dataset"], experiment["filter"], experiment["split"])

    def objective(self, experiment: Experiment) -> Objective:
        return self.seal(experiment)

    def seal(self, experiment: Experiment, *, statistics: bool = False) -> SealedObjective:
        """Return the objective, which holds only the validation part; `statistics` adds those of the log."""
        stages = self.stages(experiment, Costs())
        return seal(experiment, stages, cache=self.cache, show=self.show, statistics=statistics)

    def stages(self, experiment: Experiment, costs: Costs) -> Stages:
        """Return the stages of an experiment's models, with this runner's settings."""
        return Stages.of(experiment, costs, block_mib=self.block_mib, device=self.device, precision=self.precision)


def evidence(
    experiment: Experiment,
    fold: Fold,
    parts: list[PartResult],
    model: FittedModel,
    *,
    show: int | str | None,
    curve: UserCurve | None = None,
) -> Evidence:
    """Return the results of the parts, the test last, and the recommendations for the user `show`, if any."""
    shares = {part.name: part.fallback_share for part in parts}
    metrics = {name: value for part in reversed(parts) for name, value in part.metrics.items()}
    intervals = {name: interval for part in parts for name, interval in part.intervals.items()}
    metrics |= curve.metrics if curve else {}
    metrics |= {f"{name}/fallback_share": share for name, share in shares.items()}
    metrics |= {f"audit/{name}": value for name, value in fold.audit.metrics.items()}
    leaks = [f"leakage audit: {finding}" for finding in fold.audit.findings]
    short = [told for part in parts if (told := part.short_lists(experiment["evaluation"].cutoffs[-1]))]
    remarks = [f"{part.name}: {said}" for part in parts for said in model.model.remarks(part.split.queries)]
    for told in [*short, *remarks]:
        log.warning("%s", told)
    fallbacks = [f"{share:.1%} of the {name} lists come from the fallback" for name, share in shares.items() if share]
    units = parts[-1].units
    return Recommendations(
        metrics=metrics,
        intervals=intervals | (curve.intervals if curve else {}),
        higher_is_better=experiment["evaluation"].directions,
        units=replace(units, values={**units.values, **curve.values}) if curve else units,
        tables=[*fold.tables(), fallback_table(parts), *([curve.table] if curve else [])],
        warnings=leaks + fallbacks + short + remarks,
        plots={**(fold.report.plots if fold.report else {}), **({"known_interactions": curve.plot} if curve else {})},
        inputs=fold.inputs(experiment),
        model=model,
        shown=() if show is None else recommended(model, show),
        overview=overview(parts[-1], model.item_table.titles),
        test=parts[-1],
    )


def recommended(model: FittedModel, user: int | str) -> tuple[tuple[int | str, str, float], ...]:
    """Return id, title and score of five items recommended to a user; without titles the id again."""
    found = model.answer([user], SHOWN)
    names = found.items if found.names is None else found.names
    return tuple((item, str(name), score) for item, name, score in zip(found.items[0], names[0], found.scores[0]))
