"""What a run was, in tables of text: results, values other than the defaults, data, split, warnings, files, code."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from recexp import config, file_names
from recexp.config.building import imported
from recexp.config.experiments import group_of
from recexp.errors import ConfigError, DataError, RecexpError, StoreError
from recexp.evidence.run_files import read_metrics
from recexp.history import run_list
from recexp.history.archive import Archive
from recexp.history.stored_run import StoredRun
from recexp.metric_names import is_judgement
from recexp.tracking.names import flatten
from recexp.tracking.tags import CODE, REPEATS, REPRODUCES

NOT_OF_RESULTS = ("tracking.", "logging.", "resume", "debug", "seed", "dataset.name")
"""Keys of a config that say where things go, and those that are shown elsewhere."""


class Section(NamedTuple):
    """A part of a report: a title, the heads of columns, rows of text, and lines below them."""

    title: str
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    lines: Sequence[str] = ()


def report(archive: Archive, run: StoredRun) -> Iterator[Section]:
    """Yield what there is to say about a run; what it does not have is left out, or said to be missing."""
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
    ordered = sorted(judged, key=lambda name: (name != first, name not in run.final_metrics, name))
    rows = [[name, f"{run.metrics[name]:.4f}", _interval(intervals.get(name))] for name in ordered]
    return Section("results", ("metric", "value", "interval"), rows)


def _interval(bounds: tuple[float, float] | None) -> str:
    return "" if bounds is None else f"{bounds[0]:.4f} to {bounds[1]:.4f}"


def _values(archive: Archive, run: StoredRun) -> Section:
    """Return what of the config is not as the chosen options have it today."""
    title = "values other than the defaults"
    try:
        stored = archive.config(run)
        usual = _defaults(stored, run)
    except (RecexpError, KeyError, TypeError, AttributeError) as error:
        return Section(title, lines=[f"not known: {error}"])
    had, default = flatten(stored), flatten(usual)
    keys = [key for key in had if had[key] != default.get(key) and not key.startswith(NOT_OF_RESULTS)]
    rows = [[key, had[key], default.get(key, "none")] for key in keys]
    return Section(title, ("key", "value", "default"), rows, [] if rows else ["none"])


def _defaults(stored: Mapping[str, Any], run: StoredRun) -> dict[str, Any]:
    """Return the config of the run's options without any other word; those that are here no more are left out."""
    target = stored["runner"]["_target_"]
    bases = imported(target, "runner").components
    words = [f"seed={stored['seed']}"]
    for name, path in config.options("runner").items():
        with suppress(ConfigError):
            if (config.read(path).get("runner") or {}).get("_target_") == target:
                words.append(f"runner={name}")
    for name in bases:
        group, option = group_of(name, bases), run.tags.get(name, "")
        if option in config.options(group):
            words.append(f"{name}={option}" if name == group else f"{group}@{name}={option}")
    return config.plain(config.compose(words))


def _summary(archive: Archive, run: StoredRun) -> Iterator[Section]:
    """Yield the tables of data and audit, and the warnings."""
    try:
        found = archive.yaml(run, file_names.SUMMARY)
        for table in found["tables"]:
            rows = [[str(cell).replace("**", "") for cell in row] for row in table["rows"]]
            yield Section(table["head"][0], table["head"], rows, table["notes"])
        told = [*found["warnings"]]
    except StoreError:  # a run of an earlier version, or one that failed
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
    """Yield where the code was from, and what had changed in the person's own since the run before."""
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
    own = _own(archive, run)
    version = [["version of the model's code", tags[CODE][: run_list.ID_DIGITS]]] if CODE in tags else []
    yield Section("code", rows=[*rows, *version, *([name, sha[:12]] for name, sha in own.items())])
    for name, sha in own.items():
        if (before := _before(archive, run, name, sha)) is not None:
            lines = _difference(archive, before, run, name)
            yield Section(f"{name}, changed since run {before.id[: run_list.ID_DIGITS]}", lines=lines)


def _own(archive: Archive, run: StoredRun) -> dict[str, str]:
    """Return the digests of the person's own classes in a run, by name."""
    with suppress(StoreError):
        code = archive.yaml(run, file_names.IDENTITY).get("code")
        return {str(name): str(sha) for name, sha in code.items()} if isinstance(code, dict) else {}
    return {}


def _before(archive: Archive, run: StoredRun, name: str, sha: str) -> StoredRun | None:
    """Return the newest earlier run of the same experiment with another version of a class, if there is one."""
    experiment = archive.experiments()[run.experiment]
    for other in reversed(archive.runs(experiment)):
        if CODE in other.tags and other.started < run.started:
            had = _own(archive, other).get(name)
            if had is not None:
                return None if had == sha else other
    return None


def _difference(archive: Archive, before: StoredRun, after: StoredRun, name: str) -> list[str]:
    """Return the unified diff of the file that a class (`package.module.Class`) is in."""
    old, new = (_text(archive, run, name) for run in (before, after))
    if old is None or new is None:
        return ["its text was not stored (tracking.git_diff=false, or an earlier version of recexp)"]
    first, second = (run.id[: run_list.ID_DIGITS] for run in (before, after))
    return [line.rstrip("\n") for line in difflib.unified_diff(old, new, first, second, n=2)]


def _text(archive: Archive, run: StoredRun, name: str) -> list[str] | None:
    """Return the lines of the kept file of a module or of the module of a class, None where there is none."""
    parts = name.split(".")
    ends = ["/".join(parts[begin:stop]) + ".py" for stop in (len(parts), len(parts) - 1) for begin in range(stop)]
    with suppress(StoreError):
        folder: Path = archive.file(run, file_names.CODE)
        kept = {f"/{path.relative_to(folder).as_posix()}": path for path in sorted(folder.rglob("*.py"))}
        for end in ends:  # the whole path first, then its end
            for place, path in kept.items():
                if place.endswith(f"/{end}"):
                    return path.read_text(encoding="utf-8").splitlines()
    return None
