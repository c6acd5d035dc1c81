"""A run that stops before the test: fitted on the train part of validation, judged by its held-out rows."""

import copy
from typing import ClassVar

from recexp import threads
from recexp.cost import Costs
from recexp.evidence import run_files
from recexp.evidence.description import Summary, describe_run
from recexp.params import params
from recexp.runners.base import Experiment, Outcome
from recexp.runners.offline import Offline
from recexp.runners.record import Part, conclude, once, write_origins
from recexp.runners.sealed import Sealed, seal
from recexp.tracking import Input, Run, Store


@params
class Validation(Offline):
    """Logs `validation/...` metrics and no others. No test row is held by what a model gets, nor by its process.

    Parameters
    ----------
    threads, block_mib, cache : see `Offline`.
    """

    lists: ClassVar[bool] = False

    def run(self, experiment: Experiment) -> list[Outcome]:
        x, costs = experiment, Costs()
        with threads.limit(self.threads), x.tracking.open() as store:
            with costs.measure("data"):
                sealed = seal(x, self)

            def work(run: Run) -> Outcome:
                algorithm, split = copy.deepcopy(x.algorithm), sealed.split
                model = self.fit(x, algorithm, split, costs, report=run.log_step, validate=True)
                part = self.judge(x, "validation", split, split.queries, model, costs)
                return _record(x, store, run, sealed, part, costs)

            return conclude(x, store, [once(x, store, sealed.identity, work, stage="validation")])


def _record(x: Experiment, store: Store, run: Run, sealed: Sealed, part: Part, costs: Costs) -> Outcome:
    metrics = {f"{part.name}/{name}": value for name, value in part.results.metrics.items()}
    intervals = {f"{part.name}/{name}": interval for name, interval in part.results.intervals.items()}
    write_origins(run, x, sealed.identity)
    run_files.write_metrics(run.directory, metrics, intervals)
    metrics |= {f"{part.name}/fallback_share": part.fallback_share}
    metrics |= {f"cost/{name}": value for name, value in costs.metrics().items()}
    tags, train = sealed.identity.tags, part.split.train
    rows = {"train of validation": train.interactions, "validation": part.split.test}
    summary = Summary(
        algorithm=tags["algorithm"],
        dataset=tags["dataset"],
        split=tags["split"],
        seed=x.seed,
        effects=sealed.effects,
        sizes={name: (len(some), len(some.used_users), len(some.used_items)) for name, some in rows.items()},
        metrics=metrics,
        intervals=intervals,
        fallback_share={part.name: part.fallback_share},
        command=x.command,
        digests={name: tag for name, tag in tags.items() if name.startswith("recexp.")},
    )
    named = f"{tags['dataset']} {tags['split']}"
    run.finish(
        metrics=metrics,
        params=x.config,
        description=describe_run(summary),
        model_folder=None,
        inputs=[Input("train", f"{named} train of validation", train.fingerprint, x.source.name)],
        lower_is_better=x.evaluation.higher_is_better is False,
    )
    return Outcome(run.id, run.link, store.leaderboard, metrics, intervals, None)
