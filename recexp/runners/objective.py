"""Objective: what a tuning improves; it sees nothing of what the final part is made of."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from recexp.algorithms.fit_context import LogStep, ignore_step
from recexp.cost import Costs
from recexp.rng import generator
from recexp.runners.base import Plan, RunContext
from recexp.runners.experiment import Experiment
from recexp.runners.identity import Identity, identify

FINAL_SEEDS = 2**32
"""Seeds of trials begin here; those that people give to runs are smaller."""


@dataclass(frozen=True, kw_only=True)
class Objective(ABC):
    """What values of the subject are worth.

    Attributes
    ----------
    part, metric : where the value is from, and its name: `validation`, `ndcg_at_10`.
    higher_is_better : which way it improves.
    identity : who a run of the experiment would be, with the values that are not searched.
    content : what a trial's value depends on besides the subject, as plain data.
    definition : the metric's own, as plain data.
    """

    part: str
    metric: str
    higher_is_better: bool
    identity: Identity
    content: Mapping[str, Any]
    definition: Any

    @abstractmethod
    def __call__(self, subject: Mapping[str, Any], log_step: LogStep = ignore_step) -> float:
        """Return the metric of these components, by name; `log_step` gets steps with a `validation` value among them.

        Raises DataError when it is not a number.
        """


@dataclass(frozen=True, kw_only=True)
class SeedObjective(Objective):
    """Runs the experiment with seeds of its own, which no final run uses, and takes the mean of its headline metric.

    For runners that draw all they work on (simulations, bandits); what is read from files would be the same.

    Attributes
    ----------
    experiment : what is run.
    seeds : how many times.
    """

    experiment: Experiment
    seeds: int

    @classmethod
    def of(cls, experiment: Experiment, *, seeds: int = 3) -> "SeedObjective":
        """Return the objective of an experiment."""
        metric, higher_is_better = experiment.runner.headline(experiment)
        identity = identify(experiment, Plan())
        return cls(
            part="seeds of tuning",
            metric=metric,
            higher_is_better=higher_is_better is not False,
            identity=identity,
            content=identity.content,
            definition={"metric": metric, "seeds": seeds},
            experiment=experiment,
            seeds=seeds,
        )

    def __call__(self, subject: Mapping[str, Any], log_step: LogStep = ignore_step) -> float:
        draws = generator(self.experiment.seed, "tuning").integers(FINAL_SEEDS, 2 * FINAL_SEEDS, self.seeds)
        experiment, runner = self.experiment.replaced(**subject), self.experiment.runner
        name = f"{runner.final}/{self.metric}"
        found = [
            runner.run(replace(experiment, seed=int(seed)), Plan(), RunContext(Costs(), ignore_step)).metrics[name]
            for seed in draws
        ]
        return sum(found) / len(found)
