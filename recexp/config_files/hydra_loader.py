"""How Hydra loads our configs: within limits, checked, and what the same options give composed only once."""

import copy
import os
import re
from collections.abc import Hashable
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

from hydra._internal import hydra
from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.core.utils import JobRuntime
from hydra.plugins.config_source import ConfigResult
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from recexp import yaml_files
from recexp.config_files.hydra_guard import check, check_search_path
from recexp.errors import ConfigError, one_line
from recexp.folders import conf_dir

KEPT = 100
"""How many configs are kept: a sweep over more choices of options composes some of them again."""
_composed: dict[Hashable, DictConfig] = {}
LATE_PACKAGE = re.compile(r"^#\s*@package\b[^\n]*\S", re.MULTILINE)  # to Hydra a comment, once another line came first


class CheckedLoader(ConfigLoaderImpl):
    """Checks each config before Hydra builds anything of it.

    Hydra takes a tenth of a second for a config, most of it to read and merge the same files again: what the same
    options of the same files give is kept, and the values of further ones are set in a copy.
    """

    def load_configuration(
        self, config_name: str | None, overrides: list[str], run_mode: RunMode, *more: Any, **named: Any
    ) -> DictConfig:
        cfg = None
        if run_mode == RunMode.RUN:
            with suppress(Exception):  # of which Hydra tells in its own way
                cfg = self._in_a_copy(config_name, overrides)
        if run_mode == RunMode.MULTIRUN and (later := self._for_jobs(config_name, overrides)):
            shared = [word for word in overrides if word not in later]
            cfg = super().load_configuration(config_name, shared, run_mode, *more, **named)
            cfg.hydra.overrides.task = [
                str(one.input_line) for one in _parsed(overrides) if not one.is_hydra_override()
            ]
        return check(cfg or super().load_configuration(config_name, overrides, run_mode, *more, **named))

    def _for_jobs(self, config_name: str | None, words: list[str]) -> list[str]:
        """Return the keys of swept groups that all swept options have: the default option may lack them."""
        parsed = _parsed(words)
        swept = {one.get_key_element(): one for one in parsed if one.is_sweep_override() and self._is_option(one)}
        fixed = [one for one in parsed if not one.is_sweep_override()]
        later = []
        for group, options in swept.items():
            inner = [str(one.input_line) for one in fixed if one.get_key_element().startswith(f"{group}.")]
            with suppress(Exception):  # of which Hydra tells in its own way
                for option in options.sweep_string_iterator() if inner else ():
                    super().load_configuration(config_name, [f"{group}={option}", *inner], RunMode.RUN)
                later += inner
        return later

    def options(self, words: list[str]) -> tuple[str, ...]:
        """Return those of the words that choose an option of a group, and those about Hydra itself."""
        return tuple(str(one.input_line) for one in _parsed(words) if self._is_option(one))

    def _is_option(self, override: Override) -> bool:
        """Whether a word decides which files are read, as Hydra sees it, or is about Hydra itself."""
        chooses = not isinstance(override.value(), dict) and self.repository.group_exists(override.key_or_group)
        return chooses or override.is_hydra_override()

    def _in_a_copy(self, config_name: str | None, words: list[str]) -> DictConfig | None:
        """Return the config of the options among the words, in a copy of which the values are set; None: not so."""
        parsed = _parsed(words)
        if any(one.is_delete() or one.is_sweep_override() for one in parsed):
            return None
        options = [str(one.input_line) for one in parsed if self._is_option(one)]
        key = (config_name, JobRuntime.instance().get("name"), *options, *self._files())
        if key not in _composed:
            if len(_composed) >= KEPT:
                del _composed[next(iter(_composed))]
            _composed[key] = super().load_configuration(config_name, options, RunMode.RUN)
        if _composed[key].hydra.searchpath:
            return None  # further folders, which are not looked at here
        cfg = copy.deepcopy(_composed[key])
        self._apply_overrides_to_config([one for one in parsed if not self._is_option(one)], cfg)
        own = [one for one in parsed if not one.is_hydra_override()]
        cfg.hydra.overrides.task = [one.input_line for one in own]
        names = cfg.hydra.job.config.override_dirname
        cfg.hydra.job.override_dirname = get_overrides_dirname(own, names.exclude_keys, names.item_sep, names.kv_sep)
        cfg.hydra.runtime.cwd = os.getcwd()
        return cfg

    def _files(self) -> list[Hashable]:
        """Return what the person's own yaml files are as they are now; ours stay as they are."""
        folders = [Path(source.path) for source in self.get_sources() if source.scheme() == "file"]
        paths = [path for folder in folders if folder != conf_dir() for path in yaml_files.below(folder)]
        return [(path, found.st_mtime_ns, found.st_size) for path in paths for found in [path.stat()]]

    def _process_config_searchpath(self, config_name: str | None, overrides: Any, repo: Any) -> None:
        if config_name is not None:
            check_search_path(repo.load_config(config_path=config_name).config)
        super()._process_config_searchpath(config_name, overrides, repo)


class CheckedSource(FileConfigSource):
    """Reads yaml files that keep to the limits; names the file that is no yaml of a config."""

    def load_config(self, config_path: str) -> ConfigResult:
        path = Path(self.path) / self._normalize_file_name(config_path)
        if not path.is_file():
            return super().load_config(config_path)  # which says so
        text = yaml_files.read_text(path)
        header = self._get_header_dict(text[:512])
        if not header.get("package") and (late := LATE_PACKAGE.search(text)):
            line = text.count("\n", 0, late.start()) + 1
            raise ConfigError(f'{path}: "{late[0]}" is on line {line}; it only has an effect on the first line')
        return ConfigResult(self.provider, f"file://{self.path}", node_of(text, path), header)


def install() -> None:
    """Let Hydra load configs in this way."""
    Plugins.instance()  # it registers what is replaced here
    SourcesRegistry.instance().types["file"] = CheckedSource
    hydra.ConfigLoaderImpl = CheckedLoader  # type: ignore[misc]  # where Hydra takes it from


def node_of(text: str, path: Path) -> Any:
    """Return what the text of a yaml file holds, each `${...}` as it stands; raises ConfigError, which names it."""
    try:
        return OmegaConf.load(StringIO(text))
    except (YAMLError, OSError, ValueError, OmegaConfBaseException) as error:
        raise ConfigError(f"{path}: is not a valid config: {one_line(error)}") from error


def _parsed(words: list[str]) -> list[Override]:
    return OverridesParser.create().parse_overrides(words)
