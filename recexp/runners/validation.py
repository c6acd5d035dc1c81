"""A run without the test: fitted on the train part of the validation split, evaluated on its held-out rows."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from recexp.cost import Costs
from recexp.evidence.evidence import Evidence
from recexp.evidence.recommendations import fallback_table
from recexp.params import params
from recexp.runners.base import Experiment, Plan, Runner
from recexp.runners.context import RunContext
from recexp.runners.fold import data_table
from recexp.runners.offline import Offline
from recexp.runners.sealed import SealedObjective
from recexp.tracking import Input


@params
class Validation(Offline):
    """Logs only `validation/...` metrics. Neither the model's input nor its process holds a test row.

    Parameters
    ----------
    threads, block_mib, cache, statistics, device, precision, refit, show : see `Offline`.
    """

    beside: ClassVar[str] = "-trials"
    objective = Runner.objective  # none: its runs are themselves trials

    def plans(self, experiment: Experiment, costs: Costs) -> Iterator[Plan]:
        with costs.measure("data"):
            sealed = self.seal(experiment, statistics=self.statistics)
        yield replace(sealed.plan, work=sealed)

    def run(self, experiment: Experiment, plan: Plan, context: RunContext) -> Evidence:
        sealed: SealedObjective = plan.work
        split, stages = sealed.split, replace(sealed.stages, costs=context.costs)
        algorithm = copy.deepcopy(experiment["algorithm"])
        model = stages.fit(algorithm, split, context, validate=True)
        part = stages.evaluate("validation", split, split.queries, model)
        rows = {"train of validation": split.train.interactions, "validation": split.test}
        report = sealed.report
        name = f"{experiment.choices['dataset']} {experiment.choices['split']} train of validation"
        return Evidence(
            metrics={**part.metrics, f"{part.name}/fallback_share": part.fallback_share},
            intervals=part.intervals,
            higher_is_better=experiment["evaluation"].directions,
            tables=[data_table(sealed.effects, rows), *([report.table] if report else []), fallback_table([part])],
            plots=report.plots if report else {},
            inputs=[Input("train", name, split.train.fingerprint, experiment["dataset"].name)],
        )
