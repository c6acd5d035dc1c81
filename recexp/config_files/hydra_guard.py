"""What Hydra's own part of a config may not do: Hydra builds whatever class it names, before recexp looks at it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from recexp import trust
from recexp.errors import ConfigError

if TYPE_CHECKING:
    from omegaconf import DictConfig

PLUGINS = ("hydra.launcher._target_", "hydra.sweeper._target_", "hydra.sweeper.tuning._target_")
"""The classes that a config may choose: recexp's, Hydra's own, and those of packages that are trusted."""
OURS = ("hydra_plugins.recexp_", "hydra._internal.core_plugins.")
SHARED = ("seed", "resume", "debug", "logging", "runner", "tracking")
"""What every config has at its top, whatever its runner."""
LOGGING = ("formatters", "filters", "handlers", "loggers")


def check(cfg: "DictConfig") -> "DictConfig":
    """Return a config that is whole, and whose Hydra part runs nothing; raises ConfigError, which names the key."""
    from omegaconf import OmegaConf

    for name in (name for name in SHARED if name not in cfg):
        raise ConfigError(f"{name}: is required in every config; remove ~{name}")
    for key, value in _leaves(OmegaConf.to_container(cfg.hydra, resolve=False), "hydra"):
        if not key.endswith("._target_"):
            continue
        if key not in PLUGINS:
            raise ConfigError(f"{key}: Hydra's own part must not name a class (got {value}); nothing was built")
        if not str(value).startswith(OURS):
            trust.check(str(value), key, named=False)
    if cfg.hydra.job.env_set:
        raise ConfigError("hydra.job.env_set: set environment variables before the command, not in a config")
    for part in ("job_logging", "hydra_logging"):
        if any(cfg.hydra[part].get(key) for key in LOGGING):
            raise ConfigError(f"hydra.{part}: must not name handlers or formatters; use logging.level and logging.file")
    return cfg


def check_search_path(cfg: Any) -> None:
    """Raise ConfigError where a config sends Hydra for yaml to a package that is not trusted, which it would import."""
    from omegaconf import OmegaConf

    for path in OmegaConf.select(cfg, "hydra.searchpath") or ():
        if str(path).startswith("pkg://"):
            package = str(path).removeprefix("pkg://").replace("/", ".")
            trust.check(f"{package}.conf", "hydra.searchpath", named=False)


def _leaves(node: Any, where: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(node, dict | list):
        yield where, node
        return
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield from _leaves(value, f"{where}.{key}")
