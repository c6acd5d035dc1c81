"""From a composed config to an experiment, or to one of its components, built and checked."""

import dataclasses
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from recexp.class_names import stored_name
from recexp.config.building import build, imported
from recexp.config.composing import compose, plain, read, words_of
from recexp.config.overrides import check_ids
from recexp.config_files.folders import elsewhere, flags, options, within
from recexp.config_files.hydra_guard import SHARED
from recexp.datasets.base import Source
from recexp.errors import ConfigError, unknown
from recexp.evaluation.evaluation import Evaluation
from recexp.folders import conf_dir
from recexp.metrics.base import Metric
from recexp.params import ids
from recexp.runners.base import Experiment, Runner
from recexp.tracking import Tracking

if TYPE_CHECKING:
    from omegaconf import DictConfig

PACKAGE = "# @package _global_"  # the first line of a runner's yaml, which brings components that lie beside it


def experiment(cfg: "DictConfig", *, tags: dict[str, str], source: Source | None = None) -> Experiment:
    """Build and check every component of an experiment before any data is read; `cfg` includes Hydra's own part.

    `source` takes the place of the dataset in the config: data that is in memory.
    """
    words = words_of(cfg.hydra)
    for override in words:
        if override.endswith("={}"):  # Hydra merges dictionaries: nothing would come of it
            raise ConfigError(f"{override}: an empty dictionary changes nothing; remove an entry with ~KEY")
    choices = chosen(cfg)
    _check_package(choices["runner"])
    node = plain(cfg)
    if source is not None:
        node["dataset"] = {"_target_": stored_name(type(source)), "name": source.name, "size": source.size}
        choices["dataset"] = source.name
    elif _nameless(node.get("dataset")):
        node["dataset"] = _named(node["dataset"], choices["dataset"])
        choices["dataset"] = node["dataset"]["name"]
    command = shlex.join(["recexp", *flags(), *words])
    experiment = assemble(node, None, tags=tags, choices=choices, command=command, source=source)
    check_ids(words, ids(type(experiment.runner)))
    return dataclasses.replace(experiment, own_yaml=tuple(_own_yaml(cfg, node)))


def _own_yaml(cfg: "DictConfig", node: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths of the person's own yaml among the chosen options, presets and metrics."""
    choices = [(key.partition("@")[0], option) for key, option in cfg.hydra.runtime.choices.items()]
    evaluation = node.get("evaluation")
    metrics = evaluation.get("metrics") if isinstance(evaluation, dict) else None
    for group, option in [*choices, *(("metric", name) for name in metrics or ())]:
        path = options(group).get(str(option))
        if path is not None and not path.is_relative_to(conf_dir()):
            yield str(path)


def chosen(cfg: "DictConfig") -> dict[str, str]:
    """Return the option chosen for each component, by its name in the config: `fallback`, not `algorithm@fallback`."""
    choices = cfg.hydra.runtime.choices
    return {key.rpartition("@")[2]: choices[key] for key in choices if not key.startswith("hydra/")}


def assemble(
    node: dict[str, Any],
    metrics: dict[str, Any] | None,
    *,
    choices: dict[str, str],
    command: str,
    tags: dict[str, str],
    source: Source | None = None,
) -> Experiment:
    """Build and check an experiment from its resolved config; `metrics` are the nodes of those that it names.

    Without `metrics` they are looked up in the config folders.
    """
    _check_shared(node)
    runner = build(node["runner"], Runner, "runner")
    runner.check_names()
    allowed = keys(type(runner))
    for key in node:
        if key not in allowed:
            raise ConfigError(_unknown_key(key, choices.get("runner", ""), type(runner), allowed))
    tracking, beside = build(node["tracking"], Tracking, "tracking"), runner.beside
    built = Experiment(
        runner=runner,
        components=parts(node, metrics, runner.components, {} if source is None else {"dataset": source}),
        tracking=dataclasses.replace(tracking, experiment=tracking.experiment.removesuffix(beside) + beside),
        seed=node["seed"],
        resume=node["resume"],
        config=node,
        choices=choices,
        command=command,
        tags=tags,
    )
    runner.check(built)
    return built


def keys(runner: type[Runner]) -> list[str]:
    """Return what the config of a runner may have at its top: a field of its own may be given there."""
    return [*SHARED, *runner.components, *(f.name for f in dataclasses.fields(runner) if f.name != "threads")]


def parts(
    node: Mapping[str, Any],
    metrics: dict[str, Any] | None,
    bases: Mapping[str, type],
    built: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Build and check the components of a resolved config that are named by `bases`, but those `built` already.

    `metrics` as in `assemble`.
    """
    bases = {name: base for name, base in bases.items() if name not in built}
    for name in bases:
        if not isinstance(node.get(name), dict):
            group = group_of(name, bases)
            word = name if name == group else f"{group}@{name}"
            allowed = ", ".join(options(group))
            raise ConfigError(f"{name}: choose one with {word}=..., of {allowed} (got {node.get(name)!r})")
    resolved = {name: dict(node[name]) for name in bases}
    for name in (name for name, base in bases.items() if issubclass(base, Evaluation)):
        resolved[name]["metrics"] = metrics or metric_nodes(node[name].get("metrics"))
    return {**built, **{name: build(value, bases[name], name) for name, value in resolved.items()}}


def group_of(name: str, bases: Mapping[str, type]) -> str:
    """Return the group that has the options of a component: that of its name, or that of another of the same base."""
    same = (other for other, base in bases.items() if options(other) and base is bases.get(name))
    return name if options(name) else next(same, name)


def make(*overrides: str, config_dir: str | None = None) -> Any:
    """Build one component; the first override names it: `make("algorithm=ease", "algorithm.l2=100")`."""
    group = overrides[0].partition("=")[0].lstrip("+") if overrides else ""
    with within(config_dir):
        if group == "metric":
            return metric(overrides[0].partition("=")[2])
        runner = next((name for name, cls in _runners() if group in (*cls.components, "runner", "tracking")), None)
        if runner is None:
            known = [*(name for _, cls in _runners() for name in cls.components), "metric", "runner"]
            names = ", ".join(dict.fromkeys(known))
            raise ConfigError(f"make: the first override must name a component, one of {names} (got {group!r})")
        return component(compose([*([] if group == "runner" else [f"runner={runner}"]), *overrides]), group)


def _runners() -> Iterable[tuple[str, type[Runner]]]:
    """Yield the runners there are by name, ours first."""
    for name, path in sorted(options("runner").items(), key=lambda pair: not pair[1].is_relative_to(conf_dir())):
        node = read(path).get("runner") or {}
        if "_target_" in node:
            yield name, imported(node["_target_"], f"runner={name}")


def component(cfg: "DictConfig", group: str) -> Any:
    """Build one component of a composed config."""
    node = plain(cfg)[group]
    bases = {"tracking": Tracking, "runner": Runner, **imported(cfg.runner["_target_"], "runner").components}
    if issubclass(bases[group], Evaluation):
        node["metrics"] = metric_nodes(node.get("metrics"))
    elif issubclass(bases[group], Source) and _nameless(node):
        node = _named(node, chosen(cfg)[group])
    return build(node, bases[group], group)


def metric(name: str) -> Metric:
    """Build a metric by name; raises ConfigError for one that no config folder has."""
    built: Metric = build(_option("metric", name), Metric, "metric")
    return built


def metric_nodes(names: Any) -> dict[str, Any]:
    """Return the nodes of metrics by name; raises ConfigError for what is no list of known names."""
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        known = ", ".join(options("metric"))
        raise ConfigError(f"evaluation.metrics: must be a list of names, some of {known} (got {names!r})")
    nodes = {name: _option("metric", name, "evaluation.metrics") for name in names}
    for name in names:
        if "_at_" in name:
            raise ConfigError(
                f"evaluation.metrics: {name}: a metric's name must not contain _at_, because results are "
                "named NAME_at_10; rename its yaml"
            )
    return nodes


def _check_shared(node: Mapping[str, Any]) -> None:
    for key, kind in {"seed": int, "resume": bool, "debug": bool}.items():
        if type(node[key]) is not kind or (key == "seed" and node[key] < 0):
            allowed = "true or false" if kind is bool else "an integer from 0"
            raise ConfigError(f"{key}: must be {allowed} (got {node[key]!r})")
    for key in ("runner", "tracking"):
        if not isinstance(node[key], dict):
            raise ConfigError(f"{key}: choose one with {key}=..., of {', '.join(options(key))} (got {node[key]!r})")


def _check_package(runner: str) -> None:
    """Raise ConfigError for a runner's yaml without the line that lets it bring components."""
    path = options("runner")[runner]
    if PACKAGE not in path.read_text(encoding="utf-8"):
        raise ConfigError(
            f"{path}: a runner's yaml must begin with the line `{PACKAGE}` and have the runner's fields under runner:"
        )


def _unknown_key(key: str, option: str, runner: type[Runner], allowed: list[str]) -> str:
    if options(key):
        return f"{key}: runner={option} has no {key}; it has {', '.join(runner.components)}"
    return unknown("", key, allowed)


def _option(group: str, name: str, where: str | None = None) -> dict[str, Any]:
    from omegaconf import OmegaConf

    path = options(group).get(name)
    if path is None:
        known = unknown(where or group, name, list(options(group)), what="unknown option")
        raise ConfigError(known + elsewhere(group, name))
    return plain(OmegaConf.create(read(path)))


def _nameless(dataset: Any) -> bool:
    return isinstance(dataset, dict) and "name" in dataset and dataset["name"] is None


def _named(dataset: dict[str, Any], option: str) -> dict[str, Any]:
    """Return a dataset's node with a name: that of its option where this is the user's own, else its file's."""
    path = options("dataset").get(option)
    own = path is not None and not path.is_relative_to(conf_dir())
    file = Path(str(dataset.get("interactions", option))).name.removesuffix(".gz")
    return {**dataset, "name": option if own else Path(file).stem or option}
