"""Simulation of a policy in an environment; `runners.driver` does what all runs share."""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from recexp.algorithms.fit_context import LogStep, ignore_step
from recexp.cost import Costs
from recexp.data import Column
from recexp.environments.base import Environment, check_values
from recexp.errors import ConfigError, DataError
from recexp.evidence.decisions import Simulated
from recexp.evidence.evidence import Evidence
from recexp.evidence.table import Table
from recexp.params import PositiveInt, Resource, params
from recexp.policies.base import Policy
from recexp.policies.truth import Truth
from recexp.rng import generator
from recexp.runners.base import Experiment, Objective, Plan, Runner
from recexp.runners.context import RunContext
from recexp.runners.episodes import Episodes, simulate
from recexp.runners.identity import identify
from recexp.tracking import Input

LOWER_IS_BETTER = {"regret_truth": False, "lists": None}


@params
class Simulation(Runner):
    """Lets a policy show lists to visitors of an environment; each visitor is an episode.

    For a given seed, all policies face the same visitors and random numbers. Tuning uses visitors that no run uses.

    Parameters
    ----------
    threads : how many threads work; None is all cores.
    visitors : number of visitors of a run, drawn by its seed.
    validation_visitors : number of visitors reserved for tuning, the same for all seeds.
    block_mib : memory limit, in MiB, of the scores of visitors simulated at once.
    """

    components: ClassVar[Mapping[str, type]] = {"environment": Environment, "policy": Policy}
    subject: ClassVar[tuple[str, ...]] = ("policy",)
    final: ClassVar[str] = "episodes"
    unit: ClassVar[str] = "visitor"

    visitors: PositiveInt
    validation_visitors: PositiveInt
    block_mib: Resource

    def headline(self, experiment: Experiment) -> tuple[str, bool | None]:
        return "reward", True

    def check(self, experiment: Experiment) -> None:
        environment = experiment["environment"]
        environment.check()
        experiment["policy"].check()
        if (asked := self.visitors + self.validation_visitors) > environment.n_visitors:
            raise ConfigError(
                f"runner.visitors: {self.visitors} and runner.validation_visitors={self.validation_visitors} are "
                f"{asked}, more than the {environment.n_visitors} of the environment"
            )

    def run(self, experiment: Experiment, plan: Plan, context: RunContext) -> Evidence:
        environment, visitors = experiment["environment"], self.drawn(experiment)
        with context.costs.measure("data"):
            data = environment.dataset()
            check_values(data.items, environment.reward)
        policy = self.fitted(experiment["policy"], experiment, context)
        with context.costs.measure_work("simulate"):
            found = self.episodes(environment, policy, visitors, experiment.seed)
        with context.costs.measure_work("truth"):
            best = self.episodes(environment, self.fitted(Truth(), experiment, context), visitors, experiment.seed)
        values = found.units()
        values["regret_truth"] = best.sums(best.reward) - values["reward"]
        return Simulated.of_units(
            self.final,
            values,
            seed=experiment.seed,
            ids=data.user_ids[visitors],
            higher_is_better=LOWER_IS_BETTER,
            tables=[funnel(found)],
            inputs=[Input("log", data.name, data.fingerprint, experiment.choices.get("environment", ""))],
            model=getattr(policy, "model_", None),
            decisions=decisions(found, data.user_ids, data.item_ids),
        )

    def objective(self, experiment: Experiment) -> Objective:
        identity = identify(experiment, Plan())
        return VisitorsObjective(
            part="validation visitors",
            metric="reward",
            higher_is_better=True,
            identity=identity,
            content=identity.content,
            definition={"metric": "reward", "visitors": self.validation_visitors},
            runner=self,
            experiment=experiment,
        )

    def drawn(self, experiment: Experiment) -> np.ndarray:
        """Return int32 (v,): the visitors of a run, ascending, without those reserved for tuning."""
        others = self.pool(experiment)[self.validation_visitors :]
        rng = generator(experiment.seed, "visitors")
        return np.sort(rng.choice(others, self.visitors, replace=False))

    def pool(self, experiment: Experiment) -> np.ndarray:
        """Return int32: all visitors, those for tuning first; the same for all seeds."""
        order = generator(0, "visitors").permutation(experiment["environment"].n_visitors)
        return order.astype(np.int32)

    def fitted(self, policy: Policy, experiment: Experiment, context: RunContext) -> Policy:
        """Return a copy of the policy, fitted on the environment's log."""
        policy = copy.deepcopy(policy)
        with context.costs.measure_work("fit"):
            policy.fit(experiment["environment"], experiment.seed)
        return policy

    def episodes(self, environment: Environment, policy: Policy, visitors: np.ndarray, seed: int) -> Episodes:
        """Simulate visitors in blocks that fit in memory."""
        row = 64 * len(environment.candidates)  # scores, noise, weights and masks
        block = max(1, self.block_mib * 2**20 // row)
        return simulate(environment, policy, visitors, seed=seed, block=block)


@dataclass(frozen=True, kw_only=True)
class VisitorsObjective(Objective):
    """The mean reward of validation visitors, whom no run simulates.

    Attributes
    ----------
    runner, experiment : the runner that simulates, and the experiment that is tuned.
    """

    runner: Simulation
    experiment: Experiment

    def __call__(self, subject: Mapping[str, Any], log_step: LogStep = ignore_step) -> float:
        runner, seed = self.runner, self.experiment.seed
        visitors = np.sort(runner.pool(self.experiment)[: runner.validation_visitors])
        policy = runner.fitted(subject["policy"], self.experiment, RunContext(Costs()))
        found = runner.episodes(self.experiment["environment"], policy, visitors, seed)
        value = float(found.units()[self.metric].mean())
        if not math.isfinite(value):
            raise DataError(f"{self.metric} is {value}")
        return value


def funnel(found: Episodes) -> Table:
    """Return the number of items shown, clicked, added to the cart and bought."""
    counts = {
        "visitors": len(found.visitors),
        "visits": len(np.unique(found.who.astype(np.int64) << 32 | found.visits)),
        "lists": len(found.who),
        "clicks": found.clicks.sum(),
        "carts": found.carts.sum(),
        "purchases": found.purchases.sum(),
    }
    return Table(("funnel", "number"), [(name, f"{count:,}") for name, count in counts.items()])


def decisions(found: Episodes, user_ids: np.ndarray, item_ids: np.ndarray) -> dict[str, np.ndarray | Column]:
    """Return columns with one row per item shown, by visitor, list and position (from 1)."""
    order = np.lexsort((found.steps, found.who))
    n, k = found.items.shape
    rows = np.repeat(order, k)
    lists = {
        "user_id": user_ids[found.visitors[found.who]],
        "timestamp": found.timestamps,
        "visit": found.visits,
        "step": found.steps,
    }
    places = {
        "item_id": item_ids[found.items],
        "propensity": found.propensities,
        "clicked": found.clicks,
        "cart": found.carts,
        "purchased": found.purchases,
        "revenue": found.revenue,
        "margin": found.margin,
    }
    return {
        **{name: values[rows] for name, values in lists.items()},
        "position": np.tile(np.arange(1, k + 1, dtype=np.int32), n),
        **{name: values[order].ravel() for name, values in places.items()},
        **{name: column.take(rows) for name, column in found.context.items()},
    }
