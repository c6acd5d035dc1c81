"""metric=NAME,... cutoffs=[5,...] [--experiment E] [--runs ID,...] [--again]: new metrics over finished runs"""

from collections.abc import Iterator

from recexp import config
from recexp.config import rebuilding
from recexp.config.building import build
from recexp.errors import ConfigError, RecexpError, StoreError
from recexp.finished import backfill
from recexp.metrics.base import Metric
from recexp.tracking import Archive, Record

USAGE = "recexp evaluate takes metric=NAME,... or cutoffs=[...] or both, and [--experiment E] [--runs ID,...] [--again]"
FLAGS = ("--experiment", "--runs")


def run(arguments: list[str]) -> Iterator[str]:
    """Yield what each run was given; raises RecexpError at the end when some could not be evaluated."""
    options, given, words = _parse(arguments)
    metrics = _metrics(given.get("metrics"))
    cutoffs = _cutoffs(given.get("cutoffs"))
    tracking, overrides = rebuilding.told(words)
    with Archive(tracking.uri) as archive:
        if "--runs" in options:
            records = [archive.run(name) for name in dict.fromkeys(options["--runs"].split(","))]
        else:
            records, untested = _tested(archive, options.get("--experiment", tracking.experiment))
            if untested:
                yield f"{untested} runs without metrics of the test are left out"
        yield from _evaluate(archive, records, metrics, cutoffs, overrides, again="--again" in options)


def _tested(archive: Archive, experiment: str) -> tuple[list[Record], int]:
    """Return the runs of an experiment that have metrics of the test, and how many have none."""
    records = archive.runs(experiment)
    tested = [record for record in records if any(name.startswith("test") for name in record.metrics)]
    if not tested:
        raise StoreError(f"there are no complete runs with metrics of the test in the experiment {experiment}")
    return tested, len(records) - len(tested)


def _evaluate(
    archive: Archive, records: list[Record], metrics: dict[str, Metric] | None, cutoffs: list[int] | None,
    overrides: list[str], *, again: bool,
) -> Iterator[str]:  # fmt: skip
    jobs, problems = [], {}
    for record in records:
        try:
            basis = rebuilding.basis(archive, record, overrides)
            job = backfill.Job.of(record, basis, metrics=metrics, cutoffs=cutoffs, again=again)
        except RecexpError as error:
            problems[record.id] = error
            yield f"{_title(record)}: {error}"
            continue
        if job.missing:
            jobs.append(job)
        else:
            yield f"{_title(record)}: has them already (--again computes them again)"
    for record, found in backfill.fill(archive, jobs):
        if isinstance(found, RecexpError):
            problems[record.id] = found
            yield f"{_title(record)}: {found}"
        else:
            yield f"{_title(record)}: {', '.join(_value(name, *value) for name, value in found.items())}"
    if len(problems) == len(records) == 1:
        raise next(iter(problems.values()))
    if problems:
        raise RecexpError(f"{len(problems)} of {len(records)} runs could not be evaluated")


def _parse(arguments: list[str]) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Return the flags, the metrics and cut-offs as given, and the other overrides."""
    options: dict[str, str] = {}
    wanted: dict[str, str] = {}
    overrides = []
    rest = iter(arguments)
    for word in rest:
        key, equals, value = word.partition("=")
        if word in FLAGS:
            options[word] = next(rest, "")
        elif word == "--again" or key in FLAGS:
            options[key] = value
        elif key.removeprefix("evaluation.") in ("metric", "metrics", "cutoffs") and equals:
            wanted["cutoffs" if key.endswith("cutoffs") else "metrics"] = value.strip("[] ")
        elif equals and not word.startswith("-"):
            overrides.append(word)
        else:
            raise ConfigError(f"{USAGE} (got {word})")
    if not wanted or any(options.get(flag, "given") == "" for flag in FLAGS):
        raise ConfigError(f"{USAGE} (got {' '.join(arguments) or 'nothing'})")
    return options, wanted, overrides


def _metrics(given: str | None) -> dict[str, Metric] | None:
    if given is None:
        return None
    nodes = config.metric_nodes([name.strip() for name in given.split(",")])
    return {name: build(node, Metric, f"metric {name}") for name, node in nodes.items()}


def _cutoffs(given: str | None) -> list[int] | None:
    if given is None:
        return None
    words = [word.strip() for word in given.split(",")]
    if not all(word.isdecimal() and int(word) for word in words):
        raise ConfigError(f"evaluation.cutoffs: must be numbers from 1, such as [5,10] (got {given})")
    return sorted({int(word) for word in words})


def _title(record: Record) -> str:
    return f"run {record.id} ({record.name})"


def _value(name: str, value: float, interval: tuple[float, float] | None) -> str:
    return f"{name} {value:.4f}" + (f" ±{(interval[1] - interval[0]) / 2:.4f}" if interval else "")
