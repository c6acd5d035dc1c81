"""From yaml and overrides to validated components: the only place, with cli.py, that knows Hydra and OmegaConf."""

import importlib
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recexp.building import build, refusal, unknown
from recexp.errors import ConfigError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override
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
    "evaluation": "recexp.evaluation:Evaluation",
    "audit": "recexp.audit:Audit",
    "tracking": "recexp.tracking:Tracking",
}
"""The class that each part of the config must be a kind of."""
SWITCHES = {"seed": int, "refit": bool, "resume": bool, "debug": bool}

_user_dirs: list[Path] = []


def conf_dir() -> Path:
    """Return the folder of our own yaml: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    return package / "conf" if (package / "conf").is_dir() else package.parent / "conf"


def search_dirs() -> list[Path]:
    """Return the config folders, the user's first."""
    return [*_user_dirs, conf_dir()]


def use_config_dirs(folders: Sequence[str]) -> None:
    """Put the user's config folders before ours: a file of theirs wins over ours of the same name."""
    for folder in folders:
        if not Path(folder).is_dir():
            raise ConfigError(f"--config-dir: {folder} is not a folder")
    _user_dirs[:] = [Path(folder).resolve() for folder in folders]
    if not _user_dirs:
        return
    from hydra.core.config_search_path import ConfigSearchPath
    from hydra.core.plugins import Plugins
    from hydra.plugins.search_path_plugin import SearchPathPlugin

    class UserConfigFirst(SearchPathPlugin):
        def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
            for folder in reversed(_user_dirs):
                search_path.prepend("user", f"file://{folder}")

    Plugins.instance().register(UserConfigFirst)


@contextmanager
def _within(config_dir: str | None) -> Iterator[None]:
    before = [str(folder) for folder in _user_dirs]
    use_config_dirs([config_dir] if config_dir else [])
    try:
        yield
    finally:
        use_config_dirs(before)


def compose(overrides: Sequence[str] = ()) -> "DictConfig":
    """Compose conf/config.yaml, Hydra's own part included, with command-line style overrides; raises ConfigError."""
    from hydra import compose as hydra_compose

    with explained(overrides), _hydra():
        return hydra_compose("config", overrides=list(overrides), return_hydra_config=True)


def parse(overrides: Sequence[str]) -> "list[Override]":
    """Return overrides as Hydra reads them, `glob(*)` with what it stands for; raises ConfigError."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser

    with explained(overrides), _hydra():
        parser = OverridesParser.create(GlobalHydra.instance().config_loader())
        return parser.parse_overrides(list(overrides))


def _hydra() -> AbstractContextManager[None]:
    """Return a block in which Hydra knows our config: that of the sweep we are in, or one of our own."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    if GlobalHydra.instance().is_initialized():
        return nullcontext()
    return initialize_config_dir(version_base="1.3", config_dir=str(conf_dir()), job_name="recexp")


def options(group: str) -> dict[str, Path]:
    """Return the yaml of each option of a config group by name, the user's before ours."""
    found = {}
    for folder in reversed(search_dirs()):
        found.update({path.stem: path for path in (folder / group).glob("*.yaml")})
    return dict(sorted(found.items()))


def groups() -> list[str]:
    """Return the names of all config groups."""
    return sorted({p.name for d in search_dirs() for p in d.iterdir() if p.is_dir() and any(p.glob("*.yaml"))})


def plain(cfg: "DictConfig") -> dict[str, Any]:
    """Return our part of the config as resolved data; raises ConfigError for what is missing or cannot be resolved."""
    from omegaconf import OmegaConf, open_dict
    from omegaconf.errors import OmegaConfBaseException

    cfg = cfg.copy()
    with open_dict(cfg):
        cfg.pop("hydra", None)
    try:
        missing = sorted(OmegaConf.missing_keys(cfg))
        if missing:
            raise ConfigError("\n".join(f"{key}: is missing; give it as {key}=..." for key in missing))
        return OmegaConf.to_container(cfg, resolve=True)
    except OmegaConfBaseException as error:
        raise ConfigError(str(error).splitlines()[0]) from error


def experiment(cfg: "DictConfig", *, tags: dict[str, str]) -> "tuple[Runner, Experiment]":
    """Build and check every component of an experiment before any data is read; `cfg` includes Hydra's own part."""
    hydra = cfg.hydra
    for override in hydra.overrides.task:
        if override.endswith("={}"):  # Hydra merges dictionaries: nothing would come of it
            raise ConfigError(f"{override}: an empty dictionary changes nothing; ~KEY takes an entry out")
    return assemble(
        plain(cfg), None, tags=tags,
        choices={group: name for group, name in hydra.runtime.choices.items() if not group.startswith("hydra/")},
        command=shlex.join(["recexp", *(f"--config-dir={d}" for d in _user_dirs), *hydra.overrides.task]),
    )  # fmt: skip


def assemble(
    node: dict[str, Any], metrics: dict[str, Any] | None, *, choices: dict[str, str], command: str,
    tags: dict[str, str],
) -> "tuple[Runner, Experiment]":  # fmt: skip
    """Build and check an experiment from its resolved config; `metrics` are the nodes of those that it names.

    Without `metrics` they are looked up in the config folders.
    """
    from recexp.runners.base import Experiment

    allowed = [*SWITCHES, "show", "logging", *(name for name in BASES if name != "metric")]
    if strange := [unknown("", key, allowed) for key in node if key not in allowed]:
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
    resolved = {name: dict(node[name]) for name in BASES if name != "metric"}
    resolved["evaluation"]["metrics"] = metrics or metric_nodes(node["evaluation"].get("metrics"))
    part = {name: build(value, _base(name), name) for name, value in resolved.items()}
    for component in (part["dataset"], part["split"]):
        component.check()
    return part["runner"], Experiment(
        seed=node["seed"], resume=node["resume"], refit=node["refit"], show=node["show"], source=part["dataset"],
        filters=part["filter"], splitter=part["split"], algorithm=part["algorithm"], fallback=part["fallback"],
        evaluation=part["evaluation"], audit=part["audit"], tracking=part["tracking"], config=node, choices=choices,
        command=command, tags=tags,
    )  # fmt: skip


def make(*overrides: str, config_dir: str | None = None) -> Any:
    """Build one component; the first override names it: `make("algorithm=ease", "algorithm.l2=100")`."""
    group = overrides[0].partition("=")[0].lstrip("+") if overrides else ""
    if group not in BASES:
        raise ConfigError(f"make: the first override must name a component, one of {', '.join(BASES)} (got {group!r})")
    with _within(config_dir):
        if group == "metric":
            return metric(overrides[0].partition("=")[2])
        return component(compose(overrides), group)


def component(cfg: "DictConfig", group: str) -> Any:
    """Build one component of a composed config."""
    node = plain(cfg)[group]
    if group == "evaluation":
        node["metrics"] = metric_nodes(node.get("metrics"))
    return build(node, _base(group), group)


def metric(name: str) -> "Metric":
    """Build a metric by name; raises ConfigError for one that no config folder has."""
    return build(_option("metric", name), _base("metric"), "metric")


def run(*overrides: str, config_dir: str | None = None) -> "Outcome | list[Outcome]":
    """Run an experiment and return its outcome; a list of them where the split has folds."""
    with _within(config_dir):
        runner, parts = experiment(compose(overrides), tags={})
    outcomes = runner.run(parts)
    return outcomes[0] if len(outcomes) == 1 else outcomes


@contextmanager
def explained(overrides: Iterable[str]) -> Iterator[None]:
    """Turn Hydra's own errors about overrides into ours: which key, what was found, what is allowed."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException
    from pydantic import ValidationError

    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        if isinstance(error.__cause__, ValidationError):  # of a launcher or sweeper, which Hydra builds
            where = str(error).rpartition("full_key: ")[2].strip()
            raise refusal(error.__cause__, where, []) from error
        raise ConfigError(_reworded(str(error), list(overrides))) from error
    except ValueError as error:  # Hydra's answer to filter=null
        if "Config group override" not in str(error):
            raise
        raise ConfigError(f"a group needs one of its options, not null: {' '.join(overrides)}") from error


def _reworded(message: str, overrides: list[str]) -> str:
    if found := re.match(r"Could not override '([^']+)'", message):
        return _no_such_key(found[1], [o for o in overrides if o.partition("=")[0] != found[1]])
    if (found := re.search(r"Could not find '([^']+)/([^'/]*)'", message)) and options(found[1]):
        return unknown(found[1], found[2] or "''", list(options(found[1])), what="unknown option")
    return message.strip()


def _no_such_key(key: str, others: list[str]) -> str:
    from omegaconf import OmegaConf

    parent, _, name = key.rpartition(".")
    if parent.startswith("hydra."):  # the same in all jobs
        others = [word for word in others if word.startswith("hydra")]
    try:
        node = OmegaConf.to_container(compose(others))
    except ConfigError:  # a sweep: which of its jobs lacks the key is not known here
        return f"{key}: unknown in at least one of the jobs"
    for depth, part in enumerate(parts := key.split(".")[:-1]):
        node = node.get(part) if isinstance(node, dict) else None
        if isinstance(node, list):
            return f"{key}: a list is given as a whole: '{'.'.join(parts[: depth + 1])}=[...]'"
    return unknown(parent, name, [k for k in node if k not in ("_target_", "hydra")] if isinstance(node, dict) else [])


def metric_nodes(names: Any) -> dict[str, Any]:
    """Return the nodes of metrics by name; raises ConfigError for what is no list of known names."""
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ConfigError(
            f"evaluation.metrics: must be a list of names, some of {', '.join(options('metric'))} (got {names!r})"
        )
    return {name: _option("metric", name, "evaluation.metrics") for name in names}


def _option(group: str, name: str, where: str | None = None) -> dict[str, Any]:
    from omegaconf import OmegaConf

    path = options(group).get(name)
    if path is None:
        raise ConfigError(unknown(where or group, name, list(options(group)), what="unknown option"))
    return plain(OmegaConf.load(path))


def _base(name: str) -> type:
    module, _, cls = BASES[name].partition(":")
    return getattr(importlib.import_module(module), cls)
