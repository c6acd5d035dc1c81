"""A run as tables of text: results, values other than the defaults, data, split, warnings, files, code."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from recexp import config, file_names
from recexp.config.building import imported
from recexp.config.experiments import group_of
from recexp.errors import ConfigError, DataError, RecexpError, StoreError
from recexp.evidence.run_files import read_metrics
from recexp.evidence.table import tables_of
from recexp.history import code_changes, run_list
from recexp.history.archive import Archive
from recexp.history.stored_run import StoredRun
from recexp.metric_names import is_judgement, natural_key
from recexp.tracking.names import flatten
from recexp.tracking.tags import CODE, COMMAND, REPEATS, REPRODUCES

NOT_OF_RESULTS = ("tracking.", "logging.", "resume", "debug", "seed", "dataset.name")
"""Keys of a config that say where things go, and those that are shown elsewhere."""


class Section(NamedTuple):
    """A part of a report: a title, the heads of columns, rows of text, and lines below them."""

    title: str
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    lines: Sequence[str] = ()


def report(archive: Archive, run: StoredRun) -> Iterator[Section]:
    """Yield the sections of the report on a run; those for which it has no data are left out."""
    yield _about(archive, run)
    yield _results(archive, run)
    yield _values(archive, run)
    yield from _summary(archive, run)
    costs = {name.removeprefix("cost/"): value for name, value in run.metrics.items() if name.startswith("cost/")}
    yield Section("cost", ("cost", "value"), [[name, f"{value:.3g}"] for name, value in costs.items()])
    yield _files(archive, run)
    yield from _code(archive, run)


def _about(archive: Archive, run: StoredRun) -> Section:
    tags, names = run.tags, archive.experiments()
    labels = ("filter", "split", *run.subject[1:], "evaluation")
    rows = [
        ["what", " ".join(filter(None, (tags.get(run.subject[0]), "on", run.setting)))],
        *([name, tags[name]] for name in labels if tags.get(name)),
        ["seed", tags.get("seed", "")],
        *([name, tags[name]] for name in ("fold", "sweep", "tuning") if name in tags),
        ["started", run_list.started(run)],
        ["state", run_list.state(run) + (f": {tags['recexp.error']}" if "recexp.error" in tags else "")],
        ["experiment", names.get(run.experiment, "")],
        *([["command", tags[COMMAND]]] if COMMAND in tags else []),
        *([word, tags[tag]] for word, tag in (("repeats", REPEATS), ("reproduces", REPRODUCES)) if tag in tags),
    ]
    return Section(f"run {run.id}", rows=rows)


def _results(archive: Archive, run: StoredRun) -> Section:
    """Return all metrics of quality, the final part's first, with their intervals."""
    intervals: Mapping[str, tuple[float, float]] = {}
    with suppress(StoreError, DataError):
        _, intervals = read_metrics(archive.file(run, file_names.METRICS))
    judged = [name for name in run.metrics if is_judgement(name) and not name.startswith("training/")]
    first = run_list.headline(run)

    def rank(name: str) -> tuple[bool, bool, bool, list[str | int]]:
        return name != first, name not in run.final_metrics, name not in intervals, natural_key(name)

    ordered = sorted(judged, key=rank)
    rows = [[name, f"{run.metrics[name]:.4f}", _interval(intervals.get(name))] for name in ordered]
    return Section("results", ("metric", "value", "interval"), rows)


def _interval(bounds: tuple[float, float] | None) -> str:
    return "" if bounds is None else f"{bounds[0]:.4f} to {bounds[1]:.4f}"


def _values(archive: Archive, run: StoredRun) -> Section:
    """Return what of the config is not as the chosen options have it today."""
    title = "values other than the defaults"
    try:
        stored = archive.config(run)
        usual, notes = _defaults(stored, run)
    except (RecexpError, KeyError, TypeError, AttributeError) as error:
        return Section(title, lines=[f"not known: {error}"])
    had, default = flatten(stored), {key: value for key, value in flatten(usual).items() if value != "???"}
    keys = [key for key in had if had[key] != default.get(key) and not key.startswith(NOT_OF_RESULTS)]
    rows = [
        [key, had[key], default.get(key, "none" if key.partition(".")[0] in usual else "not known")] for key in keys
    ]
    return Section(title, ("key", "value", "default"), rows, [*([] if rows else ["none"]), *notes])


def _defaults(stored: Mapping[str, Any], run: StoredRun) -> tuple[dict[str, Any], list[str]]:
    """Return the config of the run's options without any other word, and what to know of those that are not here.

    In their place is the only option of the same class; where there is none, or several, the component is left out.
    """
    target = stored["runner"]["_target_"]
    bases = imported(target, "runner").components
    words, unknown, notes, given = [f"seed={stored['seed']}"], [], [], _words(run)
    if (preset := given.get("experiment")) in config.options("experiment"):
        words.append(f"+experiment={preset}")
    words += [
        f"runner={name}" for name, node in _nodes("runner") if (node.get("runner") or {}).get("_target_") == target
    ]
    for name in (name for name in bases if name in stored):
        group = group_of(name, bases)
        word = name if name == group else f"{group}@{name}"
        option = given.get(word) or run.tags.get(name, "")
        if option not in config.options(group):
            alike = [one for one, node in _nodes(group) if node.get("_target_") == stored[name]["_target_"]]
            known = (
                f"the default values are those of {name}={alike[0]}" if len(alike) == 1 else "all its values are listed"
            )
            notes.append(f"{name}={option} is not in the config folders here (--config-dir); {known}")
            if len(alike) != 1:
                unknown.append(name)
                continue
            option = alike[0]
        words.append(f"{word}={option}")
    usual = config.plain(config.compose(words), whole=False)
    return {name: value for name, value in usual.items() if name not in unknown}, notes


def _nodes(group: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the options of a group with what their yaml holds; a broken one is left out."""
    for name, path in config.options(group).items():
        with suppress(ConfigError):
            yield name, config.read(path)


def _words(run: StoredRun) -> dict[str, str]:
    """Return the overrides of the command that made a run, by key."""
    pairs = (word.lstrip("+").partition("=") for word in shlex.split(run.tags.get(COMMAND, "")) if word[:1] != "-")
    return {key: value for key, sign, value in pairs if sign}


def _summary(archive: Archive, run: StoredRun) -> Iterator[Section]:
    """Yield the tables of data and audit, and the warnings."""
    try:
        found = archive.yaml(run, file_names.SUMMARY)
        for table in tables_of(found):
            rows = [[cell.replace("**", "") for cell in row] for row in table.rows]
            yield Section(table.head[0], table.head, rows, table.notes)
        told = [*found["warnings"]]
    except (StoreError, DataError):  # a run of an earlier version, or one that failed
        text = run.tags.get("mlflow.note.content", "")
        told = [line.removeprefix("> **Warning:** ") for line in text.splitlines() if line.startswith("> **Warning:**")]
    logged = [line for line in _logged_warnings(archive, run) if not any(line in one or one in line for one in told)]
    yield Section("warnings", lines=[*told, *logged] or ["none"])


def _logged_warnings(archive: Archive, run: StoredRun) -> list[str]:
    """Return the warnings in the run's log, each once."""
    with suppress(StoreError):
        text = archive.file(run, file_names.LOG).read_text(encoding="utf-8")
        return list(dict.fromkeys(re.findall(r"^\S+ \S+ WARNING \S+: (.*)$", text, re.MULTILINE)))
    return []


def _files(archive: Archive, run: StoredRun) -> Section:
    rows = [[path, f"{size:,}"] for path, size in archive.files(run)]
    return Section("files", ("file", "bytes"), rows, [f"in {run.files.removeprefix('file://')}"])


def _code(archive: Archive, run: StoredRun) -> Iterator[Section]:
    """Yield where the code was from, and what had changed in the person's own since the run before, or reproduced."""
    tags = run.tags
    rows = [
        [word, tags[tag]]
        for word, tag in (
            ("commit", "mlflow.source.git.commit"),
            ("branch", "mlflow.source.git.branch"),
            ("not committed", "recexp.git_dirty"),
            ("machine", "recexp.host"),
        )
        if tag in tags
    ]
    own = code_changes.digests(archive, run)
    version = [["version of the model's code", tags[CODE][: run_list.ID_DIGITS]]] if CODE in tags else []
    yield Section("code", rows=[*rows, *version, *([name, sha[:12]] for name, sha in own.items())])
    for name, sha in own.items():
        if (before := _before(archive, run, name, sha)) is not None:
            lines = code_changes.difference(archive, before, run, name)
            yield Section(f"{name}, changed since run {before.id[: run_list.ID_DIGITS]}", lines=lines)


def _before(archive: Archive, run: StoredRun, name: str, sha: str) -> StoredRun | None:
    """Return the newest earlier run of the same experiment if it has another version of a class.

    For a reproduction that is the run which it repeats.
    """
    if REPRODUCES in run.tags:
        with suppress(StoreError):  # where it is no more
            other = archive.run(run.tags[REPRODUCES])
            return other if code_changes.digests(archive, other).get(name) not in (None, sha) else None
    experiment = archive.experiments()[run.experiment]
    for other in reversed(archive.runs(experiment)):
        if CODE in other.tags and other.started < run.started:
            had = code_changes.digests(archive, other).get(name)
            if had is not None:
                return None if had == sha else other
    return None
