"""The steps that all runs share: store, threads, costs, reuse of complete runs, recording and completion."""

import logging
import math
from dataclasses import replace

from recexp import file_names, threads
from recexp.cost import Costs
from recexp.errors import DataError
from recexp.evidence import run_files
from recexp.evidence.description import Summary, describe_run
from recexp.evidence.evidence import Evidence
from recexp.identity import code_files
from recexp.metric_names import bare, headlines, is_final, is_judgement
from recexp.runners import machine
from recexp.runners.base import Experiment, Identity, Plan
from recexp.runners.checkpoints import checkpoint_folder
from recexp.runners.context import RunContext
from recexp.runners.identity import identify
from recexp.runners.result import RunResult
from recexp.secrets import mask
from recexp.tracking import Run, Store
from recexp.tracking.tags import COMMAND, CONFIG, REPRODUCES, TEST
from recexp.tracking.view import view_state

log = logging.getLogger(__name__)

_LONGEST = 5000
"""Letters of a tag that every tracking store takes."""


def run_experiment(experiment: Experiment) -> list[RunResult]:
    """Execute the runs of an experiment, or reuse complete ones if allowed; return their results.

    Once all are complete, the job is marked as done, so the next call can tell before loading data.
    """
    results, costs = [], Costs()
    with threads.limit(experiment.runner.threads), experiment.tracking.open() as store:
        for plan in experiment.runner.plans(experiment, costs):
            if experiment.fold is not None and plan.tags.get("fold") != str(experiment.fold):
                continue
            results.append(run_or_reuse(experiment, store, plan, costs))
            costs.reset()
        if experiment.job_key is not None and results:
            store.mark_job_complete(experiment.job_key, [result.run_id for result in results])
    return results


def run_or_reuse(experiment: Experiment, store: Store, plan: Plan, costs: Costs) -> RunResult:
    """Return the result of a complete run of the plan's identity if reuse is allowed, else of a new run.

    The experiment's `check` is called with the identity's content first.
    """
    identity = identify(experiment, plan)
    if experiment.check is not None:
        experiment.check(identity.content)
    if complete := store.reserve(identity.tags[CONFIG], experiment.reuse_tags):
        log.info("already done in run %s", complete.id)
        return RunResult.of_stored(complete, store, experiment.runner.final)
    name = experiment.title + (f" fold {plan.tags['fold']}" if "fold" in plan.tags else "")
    digest = identity.digests[CONFIG]
    command = mask(experiment.command)
    tags = {COMMAND: command} if len(command) <= _LONGEST else {}
    with store.run(name=name, tags=identity.tags | tags) as run, checkpoint_folder(digest) as checkpoint:
        evidence = experiment.runner.run(experiment, plan, RunContext(costs, run.log_step, checkpoint))
        check_evidence(experiment, evidence)
        return record(experiment, store, run, identity, evidence, costs)


def check_evidence(experiment: Experiment, evidence: Evidence) -> None:
    """Raise DataError if a runner's result is not valid evidence or lacks the headline metric of the final part."""
    runner = experiment.runner
    if not isinstance(evidence, Evidence):
        raise DataError(f"{type(runner).__name__}.run must return Evidence (got {type(evidence).__name__})")
    headline = runner.headline(experiment)[0]
    if bare_names := [name for name in evidence.metrics if "/" not in str(name)]:
        example = f"{runner.final}/{bare_names[0]}"
        raise DataError(
            f"{type(runner).__name__}: the metric {bare_names[0]} does not name its part; call it {example}"
        )
    final = [name for name in evidence.metrics if is_final(name, runner.final)]
    if final and headline not in [name.rpartition("/")[2] for name in final]:
        expected = f"{runner.final}/{headline}"
        raise DataError(f"{type(runner).__name__}: the headline {expected} is not among the metrics {', '.join(final)}")
    for name in final:
        if not math.isfinite(evidence.metrics[name]) and name.endswith(f"/{headline}"):
            log.warning("%s is %s", name, evidence.metrics[name])


def record(
    experiment: Experiment, store: Store, run: Run, identity: Identity, evidence: Evidence, costs: Costs
) -> RunResult:
    """Write a run's evidence and identity to the store, which completes the run."""
    runner, folder = experiment.runner, run.directory
    headline, higher_is_better = runner.headline(experiment)
    (folder / file_names.CONFIG).write_text(mask(run_files.as_yaml(experiment.config)))
    (folder / file_names.IDENTITY).write_text(run_files.as_yaml(identity.content))
    (folder / file_names.MACHINE).write_text(run_files.as_yaml(machine.describe()))
    directions = {**evidence.higher_is_better, bare(headline): higher_is_better}
    judged = {name: value for name, value in evidence.metrics.items() if is_judgement(name)}
    run_files.write_metrics(folder, judged, evidence.intervals, directions)
    facts = {
        "warnings": [*evidence.warnings],
        "tables": [table.plain() for table in evidence.tables],
        "digests": identity.digests,
    }
    (folder / file_names.SUMMARY).write_text(mask(run_files.as_yaml(facts)), encoding="utf-8")
    evidence.write(folder, runner.unit, run.curves())
    saved = None
    if evidence.model is not None and experiment.tracking.log_model:
        saved = run.scratch / "recommender"
        evidence.model.save(saved)
    metrics = {**evidence.metrics, **{f"cost/{name}": value for name, value in costs.metrics().items()}}
    counts = REPRODUCES not in identity.tags and any(is_final(name, runner.final) for name in judged)
    summary = Summary(
        subject=experiment.subject,
        setting=experiment.setting,
        labels=experiment.labels,
        seed=experiment.seed,
        final=runner.final,
        metrics=metrics,
        intervals=evidence.intervals,
        tables=evidence.tables,
        warnings=evidence.warnings,
        overview=evidence.overview,
        command=experiment.command,
    )
    first = headlines((name for name in metrics if is_final(name, runner.final)), runner.final)
    columns = [name for name in (runner.setting, runner.subject[0], *experiment.labels) if name]
    run.finish(
        metrics={name: metrics[name] for name in [*first, *metrics]},  # MLflow's compare page plots the first metric
        params=experiment.config,
        description=lambda evaluations: describe_run(replace(summary, evaluations=evaluations)),
        inputs=evidence.inputs,
        model_folder=saved,
        own_files=[*experiment.own_yaml, *code_files([runner, *experiment.components.values()])],
        view=view_state(metrics, runner.final, columns, higher_is_better=higher_is_better is not False),
        test=identity.tags[TEST] if counts else None,
    )
    intervals = dict(evidence.intervals)
    return RunResult(
        run.id, run.link, store.leaderboard, metrics, intervals, runner.final, evidence.model, evidence.shown
    )
