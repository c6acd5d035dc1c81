"""The seal on the test: reads and splits the data, and returns only the validation split made inside train."""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from itertools import islice
from typing import Any

from recexp.algorithms.fit_context import LogStep, ignore_step
from recexp.cost import Costs
from recexp.data import Split
from recexp.errors import ConfigError, DataError, IncompatibleError
from recexp.evidence.log_report import LogReport, log_report
from recexp.filters.base import Effect
from recexp.params import describe
from recexp.runners.base import Experiment, Objective, Plan
from recexp.runners.context import RunContext
from recexp.runners.fold import Fold, check_compatible, prepare, tell_unranked
from recexp.runners.identity import identify
from recexp.runners.stages import Stages
from recexp.splits.base import Splitter

FOLDS = (
    "tuning needs one split, but {} makes folds, and the test rows of each are in the validation parts of "
    "others; tune with another split, then run the folds with the tuned values"
)


@dataclass(frozen=True, kw_only=True)
class SealedObjective(Objective):
    """Fits an algorithm on the train part of the validation split and evaluates it by the headline metric.

    No object reachable from here holds or produces a test row. The data files remain accessible: code that reads them
    again sees all rows. The value equals the validation metric that a run of the same config logs.

    Attributes
    ----------
    plan : plan of a run on these data.
    split : the validation split; its train is smaller, and its held-out rows are not test rows.
    effects : the effect of each filter step.
    stages : the stages that fit and evaluate.
    components : the subject with the values that are not searched.
    report : statistics of the rows before filters, if requested.
    """

    plan: Plan
    split: Split
    effects: list[Effect]
    stages: Stages
    components: Mapping[str, Any]
    report: LogReport | None = None

    def __call__(self, subject: Mapping[str, Any], log_step: LogStep = ignore_step) -> float:
        components = {**self.components, **subject}
        quick = self.stages.evaluation.of_headline()
        others = {name: components[name] for name in ("fallback", "reranker")}
        stages = replace(self.stages, evaluation=quick, costs=Costs(), **others)
        algorithm = copy.deepcopy(components["algorithm"])
        for name, part in components.items():
            if missing := part.missing_requirements(self.split.train):
                raise IncompatibleError(f"{name}: {missing}")
        model = stages.fit(algorithm, self.split, RunContext(stages.costs, log_step), validate=True)
        part = stages.evaluate("validation", self.split, self.split.queries, model)
        value = part.results.metrics[self.metric]
        if not math.isfinite(value):
            raise DataError(f"{self.metric} is {value}")
        return value


def seal(
    experiment: Experiment, stages: Stages, *, cache: bool, show: int | str | None, statistics: bool = False
) -> SealedObjective:
    """Read, filter and split the data, and discard everything except the validation split.

    `cache`, `show` and `statistics` are those of `Offline`; `stages` are those of its trials. Raises ConfigError if
    there is no validation part, or if there are folds; IncompatibleError if data and algorithm are incompatible.
    """
    with prepare(experiment, cache=cache) as prepared:
        loaded = prepared.load(keep=statistics)
        check_compatible(experiment, loaded.dataset, show=show)
        report = log_report(prepared.whole()) if statistics else None
        splits = list(islice(prepared.splits(loaded), 2))
    name = experiment.choices.get("split", type(experiment["split"]).__name__)
    if len(splits) > 1:
        raise ConfigError(f"split: {FOLDS.format(name)}")
    evaluation = experiment["evaluation"]
    split = evaluation.applied(splits[0])
    tell_unranked(experiment, loaded, split)
    if (visible := unsealed(split)) is None:
        raise ConfigError(f"split: {name} has no validation part to tune on; {_how_to_validate(experiment['split'])}")
    fold = Fold.of(experiment, loaded, split)
    plan = fold.plan(None)
    identity = identify(experiment, plan)
    return SealedObjective(
        part="validation",
        metric=evaluation.headline,
        higher_is_better=evaluation.higher_is_better is not False,
        identity=identity,
        content={key: value for key, value in identity.content.items() if key not in ("evaluation", "runner")},
        definition=describe(evaluation.headline_metric),
        plan=plan,
        split=visible,
        effects=fold.effects,
        stages=stages,
        components={name: experiment[name] for name in experiment.runner.subject},
        report=report,
    )


def _how_to_validate(splitter: Splitter) -> str:
    """Return text on how to give a splitter a validation part, naming its fields if it has some."""
    names = [field.name for field in fields(splitter) if field.name.startswith("validation")]
    if "validation_ratio" in names:
        return "add one: split.validation_ratio=0.1"
    if names:
        return f"add one by split.{' or split.'.join(names)}"
    name = type(splitter).__name__
    return f"{name} has no field for it: give it validation_ratio: Fraction, and label such rows VALIDATION"


def unsealed(split: Split) -> Split | None:
    """Return the validation split inside a split, or None."""
    return split.validation
