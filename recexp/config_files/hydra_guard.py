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
BUILT = ("hydra.callbacks", "hydra.launcher", "hydra.sweeper")
"""What Hydra builds classes of."""
SHARED = ("seed", "resume", "debug", "logging", "runner", "tracking")
"""What every config has at its top, whatever its runner."""
LOGGING = ("formatters", "filters", "handlers", "loggers")


def check(cfg: "DictConfig") -> "DictConfig":
    """Return a config that is whole, and whose Hydra part runs nothing; raises ConfigError, which names the key."""
    from omegaconf import OmegaConf

    for name in (name for name in SHARED if name not in cfg):
        raise ConfigError(f"{name}: is required in every config; remove ~{name}")
    for key, value in _leaves(cfg.hydra, OmegaConf.to_container(cfg.hydra, resolve=False), "hydra"):
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


def _leaves(node: Any, plain: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Yield what is in a node, by its whole key, as it stands in `plain`."""
    for key, value in plain.items() if isinstance(plain, dict) else enumerate(plain):
        below = f"{where}.{key}"
        if isinstance(value, dict | list):
            yield from _leaves(node[key], value, below)
        else:
            if isinstance(value, str) and "${" in value:
                _refuse_more_than_text(node, key, value, below)
            yield below, value


def _refuse_more_than_text(node: Any, key: Any, value: str, where: str) -> None:
    """Raise ConfigError for `${...}` that brings keys or a list, or what that is shows only when Hydra builds it."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        text = not OmegaConf.is_config(node[key]) and not ("hydra:" in value and where.startswith(BUILT))
    except OmegaConfBaseException:
        text = not where.startswith(BUILT)
    if not text:
        raise ConfigError(f"{where}: Hydra builds what it names, so that it must be written out, not as ${{...}}")
