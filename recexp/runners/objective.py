"""Objective: the objective function of a tuning, which never sees the data of the final part."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from recexp.algorithms.fit_context import LogStep, ignore_step
from recexp.cost import Costs
from recexp.errors import ConfigError, DataError
from recexp.rng import generator
from recexp.runners.base import Experiment, Objective, Plan, Runner
from recexp.runners.context import RunContext
from recexp.runners.identity import identify

TRIAL_SEEDS = 2**61
"""Seeds of trials begin here; those that people give to runs are smaller."""


@dataclass(frozen=True, kw_only=True)
class SeedObjective(Objective):
    """Runs the experiment with its own seeds, which no final run uses, and returns the mean of its headline metric.

    For runners that draw all of their data (simulations, bandits); data from files would be the same for each seed.

    Attributes
    ----------
    experiment : the experiment to run.
    seeds : number of seeds.
    """

    experiment: Experiment
    seeds: int

    @classmethod
    def of(cls, experiment: Experiment, *, seeds: int = 3) -> "SeedObjective":
        """Return the objective of an experiment.

        Parameters
        ----------
        seeds : number of runs per trial.
        """
        runner = experiment.runner
        if type(runner).plans is not Runner.plans:
            raise ConfigError(f"runner: {type(runner).__name__} makes several runs, but tuning needs one")
        metric, higher_is_better = runner.headline(experiment)
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
        draws = generator(self.experiment.seed, "tuning").integers(TRIAL_SEEDS, 2 * TRIAL_SEEDS, self.seeds)
        experiment, runner = self.experiment.replaced(**subject), self.experiment.runner
        name = f"{runner.final}/{self.metric}"
        values = [
            runner.run(replace(experiment, seed=int(seed)), Plan(), RunContext(Costs(), ignore_step)).metrics[name]
            for seed in draws
        ]
        mean = sum(values) / len(values)
        if not math.isfinite(mean):
            raise DataError(f"{name} is {mean}")
        return mean
