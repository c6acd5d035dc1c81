"""What Hydra's own part of a config may not do: Hydra builds whatever class it names, before recexp looks at it."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recexp import trust, yaml_files
from recexp.config.folders import conf_dir
from recexp.errors import ConfigError

if TYPE_CHECKING:
    from hydra.plugins.config_source import ConfigResult
    from omegaconf import DictConfig

PLUGINS = ("hydra.launcher._target_", "hydra.sweeper._target_", "hydra.sweeper.tuning._target_")
"""The classes that a config may choose: recexp's, Hydra's own, and those of packages that are trusted."""
OURS = ("hydra_plugins.recexp_", "hydra._internal.core_plugins.")
SHARED = ("seed", "resume", "debug", "logging", "runner", "tracking")
"""What every config has at its top, whatever its runner."""
LOGGING = ("formatters", "filters", "handlers", "loggers")


@cache
def install() -> None:
    """Let Hydra check each config that it composes, before it builds anything of it."""
    from hydra._internal import hydra
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra._internal.core_plugins.file_config_source import FileConfigSource
    from hydra._internal.sources_registry import SourcesRegistry
    from hydra.core.plugins import Plugins
    from omegaconf import OmegaConf
    from yaml import YAMLError

    class CheckedLoader(ConfigLoaderImpl):
        def load_configuration(self, *arguments: Any, **options: Any) -> "DictConfig":
            return check(super().load_configuration(*arguments, **options))

        def load_sweep_config(self, *arguments: Any, **options: Any) -> "DictConfig":
            return check(super().load_sweep_config(*arguments, **options))

        def _process_config_searchpath(self, config_name: str | None, overrides: Any, repo: Any) -> None:
            primary = None if config_name is None else repo.load_config(config_path=config_name)
            for path in (OmegaConf.select(primary.config, "hydra.searchpath") if primary else None) or ():
                if str(path).startswith("pkg://"):  # Hydra imports the package
                    package = str(path).removeprefix("pkg://").replace("/", ".")
                    trust.check(f"{package}.conf", "hydra.searchpath", named=False)
            super()._process_config_searchpath(config_name, overrides, repo)

    class CheckedSource(FileConfigSource):
        def load_config(self, config_path: str) -> "ConfigResult":
            path = Path(self.path) / self._normalize_file_name(config_path)
            if path.is_file() and not path.is_relative_to(conf_dir()):
                yaml_files.read_text(path)
            try:
                return super().load_config(config_path)
            except (YAMLError, OSError, ValueError) as error:
                raise ConfigError(f"{path}: is no yaml of a config: {' '.join(str(error).split())}") from error

    Plugins.instance()  # it registers what is replaced here
    SourcesRegistry.instance().types["file"] = CheckedSource
    hydra.ConfigLoaderImpl = CheckedLoader  # type: ignore[misc]  # where Hydra takes it from


def check(cfg: "DictConfig") -> "DictConfig":
    """Return a config that is whole, and whose Hydra part runs nothing; raises ConfigError, which names the key."""
    from omegaconf import OmegaConf

    for name in (name for name in SHARED if name not in cfg):
        raise ConfigError(f"{name}: every experiment has it, and the config has not; leave ~{name} out")
    for key, value in _leaves(OmegaConf.to_container(cfg.hydra, resolve=False), "hydra"):
        if not key.endswith("._target_"):
            continue
        if key not in PLUGINS:
            raise ConfigError(f"{key}: Hydra's own part may name no class (got {value}); nothing was built")
        if not str(value).startswith(OURS):
            trust.check(str(value), key, named=False)
    if cfg.hydra.job.env_set:
        raise ConfigError("hydra.job.env_set: set environment variables before the command, not in a config")
    for part in ("job_logging", "hydra_logging"):
        if any(cfg.hydra[part].get(key) for key in LOGGING):
            raise ConfigError(
                f"hydra.{part}: may name no handlers or formatters; logging.level and logging.file say what is logged"
            )
    return cfg


def _leaves(node: Any, where: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(node, dict | list):
        yield where, node
        return
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield from _leaves(value, f"{where}.{key}")
