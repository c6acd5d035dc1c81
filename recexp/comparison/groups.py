"""Which runs are compared: those of one protocol, on one or several datasets; others are excluded with a reason."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from recexp import file_names
from recexp.comparison import validation_parts
from recexp.comparison.protocols import other_options, unlike
from recexp.comparison.rows import Row, rows_of, short
from recexp.errors import ConfigError, StoreError
from recexp.history.archive import Archive, StoredRun
from recexp.history.references import find_run
from recexp.metric_names import bare, cutoff, headlines, natural_key, point
from recexp.tracking import flatten
from recexp.tracking.tags import HEADLINE, PROTOCOL, REPRODUCES

_SHOWN = 3
"""Protocols that are left out with their differences shown, those of the newest runs."""
_SAME = 1e-4
"""Relative difference up to which two results count as the same: other machines and thread counts round differently."""


@dataclass(frozen=True)
class ComparisonGroup:
    """The rows that can be compared directly: those of one protocol on one dataset or environment.

    Attributes
    ----------
    setting : the name of that dataset or environment.
    protocol : the digest that all runs share.
    rows : the configurations that were run.
    """

    setting: str
    protocol: str
    rows: list[Row]

    @property
    def newest(self) -> StoredRun:
        """The run that started last."""
        return max((run for row in self.rows for run in row.runs), key=lambda run: run.started)

    @property
    def unit(self) -> str:
        """What the values behind its metrics are of: a user, an episode."""
        return self.newest.unit

    @property
    def conditions(self) -> str:
        """What its runs share besides the data: filter, split with its values, the catalog that is ranked."""
        run = self.newest
        fields = {key.removeprefix("split."): text for key, text in run.params.items() if key.startswith("split.")}
        fields = {key: text for key, text in fields.items() if key not in ("_target_", "seed") and text != "null"}
        values = [f"{key}={fields[key]}" for key in sorted(fields)]
        split = f"{run.tags.get('split', '')} ({', '.join(values)})" if values else run.tags.get("split")
        shared = {"filter": run.tags.get("filter"), "split": split, "catalogue": run.params.get("evaluation.catalogue")}
        return ", ".join(f"{name} {value}" for name, value in shared.items() if value)

    def metrics(self) -> list[str]:
        """Return the names of all final metrics, the headline and its cut-off first."""
        return final_metrics(run for row in self.rows for run in [*row.runs, *row.older])

    def points(self) -> list[str]:
        """Return the names of the metrics at the points of a curve of users."""
        found = {name for row in self.rows for run in row.runs for name in run.metrics if point(name) is not None}
        return sorted(found, key=natural_key)


def find_runs(
    archive: Archive, experiment: str, *, runs: Sequence[str] = (), sweep: str | None = None
) -> list[StoredRun]:
    """Return the runs asked for: those of the given ids, of a sweep, or all complete ones of the experiment."""
    if runs:
        found = [find_run(archive, name) for name in dict.fromkeys(runs)]
        for run in found:
            if not run.complete or PROTOCOL not in run.tags:
                raise ConfigError(f"--runs: {run.id} is not a finished run ({run.status.lower()})")
        return list({run.id: run for run in found}.values())
    found = [run for run in archive.runs(experiment) if PROTOCOL in run.tags]
    if not found:
        raise StoreError(f"tracking.experiment: there are no finished runs in {experiment}; run recexp first")
    if sweep is None:
        return found
    some = [run for run in found if run.tags.get("sweep") == sweep]
    if not some:
        sweeps = list(dict.fromkeys(run.tags["sweep"] for run in reversed(found) if "sweep" in run.tags))
        raise ConfigError(
            f"--sweep: there is no {sweep} in {experiment}; the newest: {', '.join(sweeps[:9]) or 'none'}"
        )
    return some


def group_runs(
    archive: Archive, found: Sequence[StoredRun], *, strict: bool
) -> tuple[list[ComparisonGroup], list[str]]:
    """Return a group for each dataset, that of the newest run first, and notes on excluded runs.

    The protocol is that of the newest run; runs that differ from it only in the data are compared on their own dataset.
    All other runs are excluded, and so are runs without test metrics and reproductions. With `strict` (runs were named)
    reproductions count, and any other run that would be excluded raises ConfigError.
    """
    found, notes = _usable(found, strict=strict)
    by_protocol: dict[str, list[StoredRun]] = {}
    for run in sorted(found, key=lambda run: -run.started):
        by_protocol.setdefault(run.tags[PROTOCOL], []).append(run)
    reference: dict[str, str] | None = None
    options: Mapping[str, str] = {}
    groups: list[ComparisonGroup] = []
    others: list[tuple[list[StoredRun], str]] = []
    advised: list[str] = []
    for protocol, runs in by_protocol.items():
        content = _protocol(archive, runs[0]) if len(by_protocol) > 1 else {}
        if reference is None:
            reference, options = content, runs[0].tags
        same_data = runs[0].setting in [group.setting for group in groups]
        differs = unlike(content, reference, other_options(runs[0].tags, options), same_data=same_data)
        if differs and strict:
            first = groups[0].newest
            raise ConfigError(
                f"--runs: {short(runs[0])} ({runs[0].name}) and {short(first)} ({first.name}) are of different "
                f"protocols and cannot be compared: {differs}"
            )
        if differs:
            shown = next((group for group in groups if group.setting == runs[0].setting), groups[0])
            told = [run for row in shown.rows for run in row.runs]
            advice = None if advised else validation_parts.advice(runs, content, told, reference)
            if advice is None:
                others.append((runs, differs))
            else:
                advised.append(f"excluded: {_count(len(runs), 'run')} {advice}")
            continue
        rows, repeated = rows_of(runs)
        groups.append(ComparisonGroup(runs[0].setting, protocol, rows))
        if repeated:
            notes.append(f"excluded: {_count(len(repeated), 'run')} repeated by a newer one{_unequal(repeated)}")
    notes += advised
    for runs, differs in others[:_SHOWN]:
        where = "" if runs[0].setting == groups[0].setting else f" on {runs[0].setting}"
        notes.append(f"excluded: {_count(len(runs), 'run')}{where} ({short(runs[0])}): {differs}")
    if rest := [run for runs, _ in others[_SHOWN:] for run in runs]:
        more = _count(len(others) - _SHOWN, "other protocol")
        notes.append(f"excluded: {_count(len(rest), 'older run')} with {more}")
    if others:
        notes.append("to compare excluded runs with each other, select them with --runs or --sweep")
    return groups, notes


def _usable(found: Sequence[StoredRun], *, strict: bool) -> tuple[list[StoredRun], list[str]]:
    """Return the runs that can be compared, and a note on each kind of the others."""
    usable: list[StoredRun] = []
    untested: list[StoredRun] = []
    reproductions: list[StoredRun] = []
    notes = []
    for run in found:
        if not run.final_metrics:
            untested.append(run)
        elif REPRODUCES in run.tags and not strict:
            reproductions.append(run)
        else:
            usable.append(run)
    if untested and strict:
        raise ConfigError(f"--runs: {untested[0].id} ({untested[0].name}) has no {untested[0].final} metrics")
    if untested:
        what = f"{_count(len(untested), 'run')} without {untested[0].final} metrics"
        notes.append(f"excluded: {what}, such as {short(untested[0])}")
    if reproductions:
        notes.append(f"excluded: {_count(len(reproductions), 'run')} made to reproduce others; select them with --runs")
    if not usable:
        raise StoreError(f"there is nothing to compare; {'; '.join(notes)}")
    return usable, notes


def final_metrics(runs: Iterable[StoredRun]) -> list[str]:
    """Return the names of the runs' final metrics, those of the newest run's headline first."""
    newest_first = sorted(runs, key=lambda run: -run.started)
    newest, names = newest_first[0], dict.fromkeys(name for run in newest_first for name in sorted(run.final_metrics))
    configured = json.loads(newest.params.get("evaluation.metrics", "[]"))
    cutoffs = json.loads(newest.params.get("evaluation.cutoffs", "[]"))
    order = [bare(newest.tags.get(HEADLINE, "")), *configured]
    position = {name: number for number, name in reversed([*enumerate(order)])}
    ordered = sorted(names, key=lambda name: (position.get(bare(name), len(order)), cutoff(name) or 0))
    first = headlines((name for name in ordered if not cutoffs or cutoff(name) in (None, *cutoffs)), newest.final)
    return [*first, *(name for name in ordered if name not in first)]


def _unequal(repeated: Sequence[tuple[StoredRun, StoredRun]]) -> str:
    """Return which run has other results than the one that repeats it, "" where none has."""
    for run, newer in repeated:
        for name in sorted(run.final_metrics & newer.final_metrics):
            values = run.metrics[name], newer.metrics[name]
            if not math.isclose(*values, rel_tol=_SAME):
                return (
                    f"; {short(run)} and {short(newer)} have the same config, data and code, but {name} is "
                    f"{values[0]:.4f} and {values[1]:.4f}: something that runs do not record has changed"
                )
    return ""


def _protocol(archive: Archive, run: StoredRun) -> dict[str, str]:
    """Return what a run's protocol is made of, by dotted names."""
    return flatten(archive.yaml(run, file_names.IDENTITY)["protocol"])


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
