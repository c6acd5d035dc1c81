"""From a composed config to an experiment, or to one of its components, built and checked."""

import importlib
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recexp.config.building import build
from recexp.config.composing import compose, plain
from recexp.config.folders import conf_dir, options, search_dirs, within
from recexp.errors import ConfigError, unknown

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from recexp.metrics.base import Metric
    from recexp.runners.base import Experiment, Outcome, Runner

BASES = {
    "runner": "recexp.runners.base:Runner",
    "dataset": "recexp.datasets.base:Source",
    "filter": "recexp.filters.base:Filters",
    "split": "recexp.splits.base:Splitter",
    "algorithm": "recexp.algorithms.base:Recommender",
    "fallback": "recexp.algorithms.base:Recommender",
    "metric": "recexp.metrics.base:Metric",
    "evaluation": "recexp.evaluation.evaluation:Evaluation",
    "audit": "recexp.audit:Audit",
    "tracking": "recexp.tracking:Tracking",
}
"""The class that each part of the config must be a kind of."""
SWITCHES = {"seed": int, "refit": bool, "resume": bool, "debug": bool}
KEYS = [*SWITCHES, "show", "logging", *(name for name in BASES if name != "metric")]
"""What a config has at its top."""


def experiment(cfg: "DictConfig", *, tags: dict[str, str]) -> "tuple[Runner, Experiment]":
    """Build and check every component of an experiment before any data is read; `cfg` includes Hydra's own part."""
    hydra = cfg.hydra
    for override in hydra.overrides.task:
        if override.endswith("={}"):  # Hydra merges dictionaries: nothing would come of it
            raise ConfigError(f"{override}: an empty dictionary changes nothing; ~KEY takes an entry out")
    node = plain(cfg)
    choices = {group: name for group, name in hydra.runtime.choices.items() if not group.startswith("hydra/")}
    if _nameless(node["dataset"]):
        node["dataset"] = _named(node["dataset"], choices["dataset"])
        choices["dataset"] = node["dataset"]["name"]
    return assemble(
        node,
        None,
        tags=tags,
        choices=choices,
        command=shlex.join(["recexp", *(f"--config-dir={d}" for d in search_dirs()[:-1]), *hydra.overrides.task]),
    )


def assemble(
    node: dict[str, Any],
    metrics: dict[str, Any] | None,
    *,
    choices: dict[str, str],
    command: str,
    tags: dict[str, str],
) -> "tuple[Runner, Experiment]":
    """Build and check an experiment from its resolved config; `metrics` are the nodes of those that it names.

    Without `metrics` they are looked up in the config folders.
    """
    from recexp.runners.base import Experiment

    if strange := [unknown("", key, KEYS) for key in node if key not in KEYS]:
        raise ConfigError("\n".join(strange))
    for key, kind in SWITCHES.items():
        if type(node[key]) is not kind or (key == "seed" and node[key] < 0):
            raise ConfigError(
                f"{key}: must be {'true or false' if kind is bool else 'an integer from 0'} (got {node[key]!r})"
            )
    if node["show"] is not None and type(node["show"]) not in (int, str):
        raise ConfigError(f"show: must be a user id or null (got {node['show']!r})")
    for name in BASES:
        if name != "metric" and not isinstance(node[name], dict):
            at = "algorithm@fallback" if name == "fallback" else name
            raise ConfigError(
                f"{name}: choose one with {at}=..., of {', '.join(options(at.partition('@')[0]))} (got {node[name]!r})"
            )
    part = parts(node, metrics, [name for name in BASES if name != "metric"])
    return part["runner"], Experiment(
        seed=node["seed"],
        resume=node["resume"],
        refit=node["refit"],
        show=node["show"],
        source=part["dataset"],
        filters=part["filter"],
        splitter=part["split"],
        algorithm=part["algorithm"],
        fallback=part["fallback"],
        evaluation=part["evaluation"],
        audit=part["audit"],
        tracking=part["tracking"],
        config=node,
        choices=choices,
        command=command,
        tags=tags,
    )


def parts(node: dict[str, Any], metrics: dict[str, Any] | None, names: Iterable[str]) -> dict[str, Any]:
    """Build and check the parts of a resolved config that are named; `metrics` as in `assemble`."""
    resolved = {name: dict(node[name]) for name in names}
    if "evaluation" in resolved:
        resolved["evaluation"]["metrics"] = metrics or metric_nodes(node["evaluation"].get("metrics"))
    found = {name: build(value, _base(name), name) for name, value in resolved.items()}
    for name in ("dataset", "split"):
        if name in found:
            found[name].check()
    return found


def make(*overrides: str, config_dir: str | None = None) -> Any:
    """Build one component; the first override names it: `make("algorithm=ease", "algorithm.l2=100")`."""
    group = overrides[0].partition("=")[0].lstrip("+") if overrides else ""
    if group not in BASES:
        raise ConfigError(f"make: the first override must name a component, one of {', '.join(BASES)} (got {group!r})")
    with within(config_dir):
        if group == "metric":
            return metric(overrides[0].partition("=")[2])
        return component(compose(overrides), group)


def component(cfg: "DictConfig", group: str) -> Any:
    """Build one component of a composed config."""
    node = plain(cfg)[group]
    if group == "evaluation":
        node["metrics"] = metric_nodes(node.get("metrics"))
    if group == "dataset" and _nameless(node):
        node = _named(node, cfg.hydra.runtime.choices["dataset"])
    return build(node, _base(group), group)


def metric(name: str) -> "Metric":
    """Build a metric by name; raises ConfigError for one that no config folder has."""
    return build(_option("metric", name), _base("metric"), "metric")


def run(*overrides: str, config_dir: str | None = None) -> "Outcome | list[Outcome]":
    """Run an experiment and return its outcome; a list of them where the split has folds."""
    with within(config_dir):
        runner, parts = experiment(compose(overrides), tags={})
    outcomes = runner.run(parts)
    return outcomes[0] if len(outcomes) == 1 else outcomes


def metric_nodes(names: Any) -> dict[str, Any]:
    """Return the nodes of metrics by name; raises ConfigError for what is no list of known names."""
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ConfigError(
            f"evaluation.metrics: must be a list of names, some of {', '.join(options('metric'))} (got {names!r})"
        )
    nodes = {name: _option("metric", name, "evaluation.metrics") for name in names}
    for name in names:
        if "_at_" in name:
            raise ConfigError(
                f"evaluation.metrics: {name}: a metric's name must not hold _at_, for its results are called "
                "NAME_at_10; give its yaml another name"
            )
    return nodes


def _option(group: str, name: str, where: str | None = None) -> dict[str, Any]:
    from omegaconf import OmegaConf

    path = options(group).get(name)
    if path is None:
        raise ConfigError(unknown(where or group, name, list(options(group)), what="unknown option"))
    return plain(OmegaConf.load(path))


def _nameless(dataset: Any) -> bool:
    return isinstance(dataset, dict) and "name" in dataset and dataset["name"] is None


def _named(dataset: dict[str, Any], option: str) -> dict[str, Any]:
    """Return a data set's node with a name: that of its option where this is the user's own, else its file's."""
    path = options("dataset").get(option)
    own = path is not None and not path.is_relative_to(conf_dir())
    file = Path(str(dataset.get("interactions", option))).name.removesuffix(".gz")
    return {**dataset, "name": option if own else Path(file).stem or option}


def _base(name: str) -> type:
    module, _, cls = BASES[name].partition(":")
    return getattr(importlib.import_module(module), cls)
