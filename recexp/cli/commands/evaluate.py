"""metric=NAME,... cutoffs=[5,...] [--experiment E] [--runs ID,...] [--again]: compute new metrics for finished runs"""

from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING

from recexp.cli.parsing import MOVED, STORE, Parser
from recexp.config.building import build
from recexp.errors import ConfigError, IncompatibleError, RecexpError, StoreError

if TYPE_CHECKING:
    from recexp.history.archive import Archive, StoredRun
    from recexp.history.backfill import Values
    from recexp.metrics.base import Metric


def parser() -> Parser:
    """Return what reads the command's words."""
    parser = Parser(
        "evaluate",
        __doc__,
        example="recexp evaluate metric=mrr,gini cutoffs=[5,10]",
        overrides={
            "metric=NAME,...": "metrics to compute, see recexp metric --help; default: the metrics of each run",
            "cutoffs=[5,...]": "list lengths, at most the stored length; default: the cut-offs of each run",
            **STORE,
            **MOVED,
        },
    )
    parser.add_runs()
    parser.add_argument("--again", action="store_true", help="recompute metrics that a run already has")
    return parser


def run(given: Namespace) -> Iterator[str]:
    """Yield what each run was given; raises RecexpError at the end when some could not be evaluated."""
    wanted, words = _wanted(given.overrides)
    if not wanted:
        parser().error(f"got {' '.join(given.arguments) or 'nothing'}")
    metrics, cutoffs = _metrics(wanted.get("metrics")), _cutoffs(wanted.get("cutoffs"))
    from recexp.history import rebuild, references
    from recexp.history.archive import Archive

    tracking, overrides = rebuild.store_and_overrides(words)
    with Archive(tracking.uri) as archive:
        if given.runs:
            records = [references.find_run(archive, name) for name in dict.fromkeys(given.runs.split(","))]
        else:
            records, untested = _tested(archive, given.experiment or tracking.experiment)
            if untested:
                yield f"{untested} runs without final metrics are skipped"
        yield from _evaluate(archive, records, metrics, cutoffs, overrides, again=given.again)


def _tested(archive: "Archive", experiment: str) -> "tuple[list[StoredRun], int]":
    """Return the runs of an experiment that have metrics of their final part, and how many have none."""
    records = archive.runs(experiment)
    tested = [record for record in records if record.final_metrics]
    if not tested:
        raise StoreError(f"the experiment {experiment} has no complete runs with final metrics")
    return tested, len(records) - len(tested)


def _evaluate(
    archive: "Archive",
    records: "list[StoredRun]",
    metrics: "dict[str, Metric] | None",
    cutoffs: list[int] | None,
    overrides: list[str],
    *,
    again: bool,
) -> Iterator[str]:
    problems: dict[str, list[tuple[StoredRun, RecexpError]]] = {}
    for record, found in _results(archive, records, metrics, cutoffs, overrides, again=again):
        if isinstance(found, RecexpError):
            problems.setdefault(str(found), []).append((record, found))
        else:
            values = ", ".join(_value(name, *value) for name, value in found.items())
            yield f"{_title(record)}: {values or 'already computed (--again recomputes them)'}"
    for message, alike in problems.items():
        if len(alike) == len(records):
            raise alike[0][1]
        yield f"{_title(alike[0][0])}{f' and {len(alike) - 1} more' if alike[1:] else ''}: {message}"
    errors = [error for alike in problems.values() for _, error in alike]
    incompatible = sum(isinstance(error, IncompatibleError) for error in errors)
    if incompatible:
        yield f"{len(records) - len(errors)} of {len(records)} runs have the metrics, {incompatible} are incompatible"
    if incompatible < len(errors):
        raise RecexpError(f"{len(errors) - incompatible} of {len(records)} runs could not be evaluated")


def _results(
    archive: "Archive",
    records: "list[StoredRun]",
    metrics: "dict[str, Metric] | None",
    cutoffs: list[int] | None,
    overrides: list[str],
    *,
    again: bool,
) -> "Iterator[tuple[StoredRun, Values | RecexpError]]":
    """Yield each run with what it was given, nothing where it had all, or with what went wrong."""
    from recexp.history import backfill, rebuild

    jobs = []
    for record in records:
        try:
            basis = rebuild.basis(archive, record, overrides)
            job = backfill.Backfill.of(record, basis, metrics=metrics, cutoffs=cutoffs, again=again)
        except RecexpError as error:
            yield record, error
            continue
        if job.missing:
            jobs.append(job)
        else:
            yield record, {}
    yield from backfill.fill(archive, jobs)


def _wanted(overrides: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return the metrics and cut-offs as given, and the other overrides."""
    wanted, others = {}, []
    for word in overrides:
        key, _, value = word.partition("=")
        if key.removeprefix("evaluation.") in ("metric", "metrics", "cutoffs"):
            wanted["cutoffs" if key.endswith("cutoffs") else "metrics"] = value.strip("[] ")
        else:
            others.append(word)
    return wanted, others


def _metrics(given: str | None) -> "dict[str, Metric] | None":
    if given is None:
        return None
    from recexp.config.experiments import metric_nodes
    from recexp.metrics.base import Metric

    nodes = metric_nodes([name.strip() for name in given.split(",")])
    return {name: build(node, Metric, f"metric {name}") for name, node in nodes.items()}


def _cutoffs(given: str | None) -> list[int] | None:
    if given is None:
        return None
    words = [word.strip() for word in given.split(",")]
    if not all(word.isdecimal() and int(word) for word in words):
        raise ConfigError(f"evaluation.cutoffs: must be numbers from 1, such as [5,10] (got {given})")
    return sorted({int(word) for word in words})


def _title(record: "StoredRun") -> str:
    return f"run {record.id} ({record.name})"


def _value(name: str, value: float, interval: tuple[float, float] | None) -> str:
    return f"{name} {value:.4f}" + (f" ±{(interval[1] - interval[0]) / 2:.4f}" if interval else "")
