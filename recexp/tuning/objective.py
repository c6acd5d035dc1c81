"""The objective: what a trial's model is worth on validation data, and all that it gets to see."""

import copy
import math
from dataclasses import replace

from recexp.algorithms.base import Recommender
from recexp.algorithms.fit_context import LogStep, ignore_step
from recexp.cost import Costs
from recexp.data import Split
from recexp.errors import DataError
from recexp.runners.base import Experiment
from recexp.runners.offline import Offline, refuse_misfits


class Objective:
    """Fits an algorithm on the train part of a sealed split and judges it by the headline metric.

    The value is that which an offline run of the same config logs for its validation part.
    """

    def __init__(self, runner: Offline, x: Experiment, split: Split) -> None:
        name, metric = next(iter(x.evaluation.metrics.items()))
        self.runner, self.split = runner, split
        self.x = replace(x, evaluation=replace(x.evaluation, metrics={name: metric}, resamples=1))

    def __call__(self, algorithm: Recommender, report: LogStep = ignore_step) -> float:
        """Return the metric; `report` gets the model's steps, a `validation` value among them as the metric itself.

        Raises DataError when it is not a number, MisfitError when the data lack what the algorithm needs.
        """
        x, costs = self.x, Costs()
        refuse_misfits(replace(x, algorithm=algorithm, show=None), self.split.train)
        model = self.runner.fit(x, copy.deepcopy(algorithm), self.split, costs, report=report, validate=True)
        part = self.runner.judge(x, "validation", self.split, self.split.queries, model, costs)
        value = part.results.metrics[x.evaluation.headline]
        if not math.isfinite(value):
            raise DataError(f"{x.evaluation.headline} is {value}")
        return value
