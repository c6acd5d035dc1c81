"""Checks that a metric has the same definition in all runs: the same params in the runs' identities."""

import json
from collections.abc import Iterable

from recexp import file_names
from recexp.comparison.rows import Row, short
from recexp.errors import ConfigError
from recexp.history.archive import Archive, StoredRun
from recexp.metric_names import bare
from recexp.metrics.base import Metric
from recexp.params import describe


def depth(metric: Metric, tested: int) -> int | None:
    """Return of how many rows the definition is read: of all (None) if the metric has params, else of those tested."""
    return None if len(describe(metric)) > 1 else tested


def check(archive: Archive, rows: Iterable[Row], name: str) -> None:
    """Raise ConfigError if the runs of the rows have another definition of a metric than the first of them.

    A metric that `recexp evaluate` added is not in a run's identity, and taken to be the same.
    """
    seen: dict[str, tuple[dict[str, object], StoredRun]] = {}
    for run in {run.id: run for row in rows for run in row.runs}.values():
        evaluation = archive.yaml(run, file_names.IDENTITY).get("evaluation") or {}
        definition = evaluation.get("metrics", {}).get(bare(name))
        if definition is not None:
            seen.setdefault(json.dumps(definition, sort_keys=True), (definition, run))
    if len(seen) < 2:
        return
    (one, first), (other, second) = [*seen.values()][:2]
    keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
    raise ConfigError(
        f"--metric: {name} is not the same in all runs: {_of(one, keys)} in {short(first)} ({first.name}), "
        f"{_of(other, keys)} in {short(second)} ({second.name}); choose runs with --runs"
    )


def _of(definition: dict[str, object], keys: list[str]) -> str:
    return " ".join(f"{key}={definition.get(key)}" for key in keys)
