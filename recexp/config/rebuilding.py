"""From a stored run back to the experiment that it was, without the config folders that it came from."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from recexp import config, console, threads
from recexp.config.building import build, unknown
from recexp.errors import ConfigError, DataError, RecexpError, StoreError
from recexp.tracking import Archive, Record, Tracking

if TYPE_CHECKING:
    from recexp.runners.base import Experiment, Runner

OPEN = ("dataset", "split", "tracking", "runner", "logging", "debug")
"""The parts of a run's config in which values may be given anew: where things lie, not what they are."""
NAMES = ("dataset", "filter", "split", "algorithm")
"""The groups whose chosen options are tags of a run."""


def store(overrides: Sequence[str]) -> Tracking:
    """Return the store that `tracking.uri=...` and the like name, or the usual one; and let recexp log as told."""
    cfg = config.plain(config.compose([word for word in overrides if word.startswith(("tracking.", "logging."))]))
    console.configure_logging(cfg["logging"])
    return build(cfg["tracking"], Tracking, "tracking")


def rebuild(
    archive: Archive, run: Record, overrides: Sequence[str], *, command: str = "", tags: dict[str, str] | None = None
) -> "tuple[Runner, Experiment]":
    """Build and check the experiment of a run from its own files; overrides say what has moved.

    It goes to the store and the experiment of the run, and has the run's fold alone. Raises StoreError when the run is
    not complete or lacks files, ConfigError or DataError when a class cannot be imported or data have gone.
    """
    if not run.complete:
        raise StoreError(f"run {run.id} is not complete (status {run.status}); it has nothing to stand on")
    node, identity = archive.yaml(run, "config.yaml"), archive.yaml(run, "identity.yaml")
    choices = {name: run.tags.get(name, "") for name in NAMES}
    try:
        node["tracking"] |= {"uri": archive.uri, "artifacts": None, "experiment": archive.experiments()[run.experiment]}
        node["resume"] = False
        if node["runner"].get("threads", 1) is None:
            node["runner"]["threads"] = _threads(archive, run)
        for text in overrides:
            _override(node, text)
        metrics = {name: _node(metric) for name, metric in identity["evaluation"]["metrics"].items()}
        with _telling(run):
            runner, experiment = config.assemble(node, metrics, choices=choices, command=command, tags=tags or {})
    except (KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"run {run.id}: its config is damaged, or of another version of recexp ({error!r})") from error
    fold = run.tags.get("fold")
    return runner, replace(experiment, fold=None if fold is None else int(fold))


def _node(described: Any) -> Any:
    """Return the config node of what `params.describe` says of a component."""
    if isinstance(described, dict):
        return {"_target_" if key == "class" else key: _node(value) for key, value in described.items()}
    return [_node(value) for value in described] if isinstance(described, list) else described


def _threads(archive: Archive, run: Record) -> int | None:
    """Return the number of threads that the run had, if this machine has them; None is all there are."""
    had = archive.yaml(run, "environment.yaml")["threads"] if archive.has(run, "environment.yaml") else None
    return had if had is not None and had < threads.count() else None


def _override(node: dict[str, Any], text: str) -> None:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    with config.explained([text]):
        given = OverridesParser.create().parse_override(text)
    key = given.key_or_group
    path = key.split(".")
    plain = given.input_line.partition("=")[0] == key and not given.is_sweep_override()
    if not plain or path[0] not in OPEN or (len(path) == 1 and key != "debug"):
        raise ConfigError(f"{text}: a run keeps its own config; values that can be given anew lie in {', '.join(OPEN)}")
    for at, part in enumerate(path):
        if not isinstance(node, dict) or part not in node:
            raise ConfigError(unknown(".".join(path[:at]), part, list(node) if isinstance(node, dict) else []))
        if at == len(path) - 1:
            node[part] = given.value()
        node = node[part]


@contextmanager
def _telling(run: Record) -> Iterator[None]:
    """Say of an error which run it is about, and what helps."""
    try:
        yield
    except RecexpError as error:
        advice = ""
        if "cannot import" in str(error):
            advice = "; its code must be installed, or lie in the working directory or in PYTHONPATH"
        elif isinstance(error, DataError):
            advice = "; data that lie elsewhere now are named as dataset.interactions=FILE or dataset.root=DIR"
        raise type(error)(f"run {run.id} cannot be built again: {error}{advice}") from error
