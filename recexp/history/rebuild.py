"""Rebuilds the experiment of a stored run, without the config folders that it came from."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from recexp import config, console, file_names, threads
from recexp.class_names import stored_name
from recexp.config.building import build, imported
from recexp.config.experiments import assemble, group_of, keys, parts
from recexp.config.overrides import parse
from recexp.datasets.base import Source
from recexp.datasets.memory import Memory
from recexp.errors import ConfigError, DataError, RecexpError, StoreError, unknown
from recexp.evaluation.evaluation import Evaluation
from recexp.filters.base import Filters
from recexp.history.archive import Archive, StoredRun
from recexp.history.backfill import Basis
from recexp.history.differences import Difference
from recexp.history.migrate import Completion
from recexp.splits.base import Splitter
from recexp.tracking import Tracking

if TYPE_CHECKING:
    from recexp.runners.base import Experiment, Runner

OPEN = ("tracking", "runner", "logging", "debug")
"""The parts of a run's config in which values may be given anew, beside those of MOVED: where things lie, not what
they are."""
MOVED = (Source, Splitter)
EVALUATED = (Source, Filters, Splitter, Evaluation)
"""What lists are evaluated on, and by."""


class Rebuilt(NamedTuple):
    """An experiment of a stored run, and the fields of its config that were added or removed since."""

    experiment: "Experiment"
    changes: list[Difference]


def store_and_overrides(words: Sequence[str]) -> tuple[Tracking, list[str]]:
    """Return the store that words such as `tracking.uri=...` name, or the default one, and all other words.

    Also configures logging as words such as `logging.level=...` say.
    """
    shared = [word for word in words if re.match(r"(tracking|logging|debug)\b[^=]*=", word)]
    cfg = config.plain(config.compose(shared))
    console.configure_logging(cfg["logging"])
    return build(cfg["tracking"], Tracking, "tracking"), [word for word in words if word not in shared]


def rebuild(
    archive: Archive, run: StoredRun, overrides: Sequence[str], *, command: str = "", tags: dict[str, str] | None = None
) -> Rebuilt:
    """Build and check the experiment of a run from its own files; overrides name new locations of data.

    The new run goes to the store and the experiment of the run, and has only the run's fold. New fields get the values
    of today's options. Raises StoreError if the run is not complete or lacks files, ConfigError or DataError if a class
    cannot be imported or data are missing.
    """
    with _damage_as_store_error(run):
        runner, choices, stored = _stored(archive, run)
        completion = Completion(stored, choices)
        whole = completion.keys(keys(runner))
        node = {key: completion.part(value, key, group_of(key, runner.components)) for key, value in whole.items()}
        node["tracking"] |= {"uri": archive.uri, "artifacts": None, "experiment": archive.experiments()[run.experiment]}
        node["resume"] = False
        if node["runner"].get("threads", 1) is None:
            node["runner"]["threads"] = _threads(archive, run)
        for text in overrides:
            _override(node, text, runner)
        metrics = _metrics(archive, run, completion, runner)
        with _errors_about(run):
            experiment = assemble(node, metrics, choices=choices, command=command, tags=tags or {})
    fold = run.tags.get("fold")
    one = replace(experiment, fold=None if fold is None else int(fold))
    return Rebuilt(one, completion.changes)


def basis(archive: Archive, run: StoredRun, overrides: Sequence[str]) -> Basis:
    """Build and check what a run was judged on and by, and nothing else of it; raises as `rebuild`.

    StoreError also when it kept no lists.
    """
    with _damage_as_store_error(run):
        runner, choices, stored = _stored(archive, run)
        names = _names(runner, EVALUATED)
        if len(names) != len(EVALUATED) or not archive.has(run, file_names.LISTS):
            kind = runner.__name__
            raise StoreError(f"run {run.id} stored no lists to compute new metrics from (its runner: {kind})")
        completion = Completion(stored, choices)
        node = {
            **stored,
            **{name: completion.part(stored[name], name, group_of(name, runner.components)) for name in names},
        }
        for text in overrides:
            _override(node, text, runner)
        with _errors_about(run):
            built = parts(
                node, _metrics(archive, run, completion, runner), {name: runner.components[name] for name in names}
            )
            source, filters, splitter, evaluation = (built[name] for name in names)
            source.check()
            splitter.check()
        return Basis(
            source=source,
            filters=filters,
            splitter=splitter,
            evaluation=evaluation,
            seed=int(node["seed"]),
            cache=node["runner"].get("cache") is not False,
            data=archive.yaml(run, file_names.IDENTITY)["protocol"]["data"],
        )


def _stored(archive: Archive, run: StoredRun) -> "tuple[type[Runner], dict[str, str], dict[str, Any]]":
    """Return the runner, the chosen options and the config of a complete run."""
    if not run.complete:
        raise StoreError(f"run {run.id} is not complete (status {run.status}), so nothing can be built from it")
    stored = archive.config(run)
    if stored.get("dataset", {}).get("_target_") == stored_name(Memory):
        raise DataError(f"run {run.id}: its data was in memory; run it again from Python: recexp.run(..., dataset=...)")
    runner = imported(stored["runner"]["_target_"], "runner")
    return runner, {name: run.tags.get(name, "") for name in runner.components}, stored


def _names(runner: "type[Runner]", bases: Sequence[type]) -> list[str]:
    """Return the names of a runner's components of these bases, in their order."""
    return [name for base in bases for name, own in runner.components.items() if issubclass(own, base)]


def _metrics(archive: Archive, run: StoredRun, completion: Completion, runner: "type[Runner]") -> dict[str, Any] | None:
    """Return the nodes of a run's metrics as they were defined then; None where it had none."""
    content = archive.yaml(run, file_names.IDENTITY)
    described = [content.get(name, {}).get("metrics", {}) for name in _names(runner, [Evaluation])]
    nodes = {name: _node(metric) for metrics in described for name, metric in metrics.items()}
    return {k: completion.part(v, f"evaluation.metrics.{k}", "metric") for k, v in nodes.items()} or None


def _node(described: Any) -> Any:
    """Return the config node of what `params.describe` says of a component."""
    if isinstance(described, dict):
        fields = {key: _node(value) for key, value in described.items() if key != "revision"}
        return {"_target_" if key == "class" else key: value for key, value in fields.items()}
    return [_node(value) for value in described] if isinstance(described, list) else described


def _threads(archive: Archive, run: StoredRun) -> int | None:
    """Return the number of threads that the run had, if this machine has them; None is all there are."""
    file = file_names.MACHINE
    had = archive.yaml(run, file)["threads"] if archive.has(run, file) else None
    return had if had is not None and had < threads.count() else None


def _override(node: dict[str, Any], text: str, runner: "type[Runner]") -> None:
    """Set a value in a resolved config as an override says; raises ConfigError."""
    (override,) = parse([text])
    path = override.key.split(".")
    allowed = [*_names(runner, MOVED), *OPEN]
    if override.sweep is not None or path[0] not in allowed or (len(path) == 1 and override.key != "debug"):
        raise ConfigError(
            f"{text}: a run keeps its own config; only these parts can be overridden: {', '.join(allowed)}"
        )
    for depth, part in enumerate(path):
        if not isinstance(node, dict) or part not in node:
            raise ConfigError(unknown(".".join(path[:depth]), part, list(node) if isinstance(node, dict) else []))
        if depth == len(path) - 1:
            node[part] = override.value
        node = node[part]


@contextmanager
def _damage_as_store_error(run: StoredRun) -> Iterator[None]:
    """Say of a config that is not as ours are what that means."""
    try:
        yield
    except (KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"run {run.id}: its config is damaged, or from another version of recexp ({error!r})"
        ) from error


@contextmanager
def _errors_about(run: StoredRun) -> Iterator[None]:
    """Say of an error which run it is about, and what helps."""
    try:
        yield
    except RecexpError as error:
        advice = ""
        if "cannot import" in str(error):
            advice = "; its code must be installed, or be in the working directory or on PYTHONPATH"
        elif isinstance(error, DataError):
            advice = "; for data in another location set dataset.interactions=FILE or dataset.root=DIR"
        raise type(error)(f"run {run.id} cannot be rebuilt: {error}{advice}") from error
