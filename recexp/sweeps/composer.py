"""The configs of a sweep's jobs, composed when they are wanted: what the same options give only once."""

import copy
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra.core.override_parser.overrides_parser import OverridesParser

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override
    from hydra.types import HydraContext
    from omegaconf import DictConfig

CHECK_SECONDS = 3.0
"""How long the words of a sweep are looked through before its first job; what is wrong beyond fails its own job."""


class Composer:
    """Composes jobs by their words. Hydra takes a tenth of a second for each, most of it to read the same files."""

    def __init__(self, context: "HydraContext", master: "DictConfig") -> None:
        self._loader, self._master = context.config_loader, master
        self._whole: Callable[..., DictConfig] = self._loader.load_sweep_config
        self._parser = OverridesParser.create(config_loader=self._loader)
        self._bases: dict[tuple[str, ...], DictConfig] = {}
        # Hydra's sweeper composes each job to check it, and throws it away: `check` is for that
        self._loader.load_sweep_config = lambda **words: None  # type: ignore[assignment, method-assign]

    def check(self, jobs: Sequence[Sequence[str]]) -> None:
        """Compose the first job of each choice of options, as many as there is time for; raises what Hydra raises."""
        until, seen = time.monotonic() + CHECK_SECONDS, set()
        for words in jobs:
            options = self._options(self._parsed(words))
            if options not in seen:
                seen.add(options)
                self.compose(words, 0)
            if time.monotonic() > until:
                return

    def compose(self, words: Sequence[str], number: int) -> "DictConfig":
        """Return the config of a job; raises what Hydra raises."""
        from omegaconf import open_dict

        cfg = None
        with suppress(Exception):  # of which Hydra tells in its own way
            cfg = self._quickly(words)
        cfg = cfg or self._whole(self._master, [*words])
        with open_dict(cfg):
            cfg.hydra.job.num, cfg.hydra.job.id = number, str(number)
        return cfg

    def _quickly(self, words: Sequence[str]) -> "DictConfig | None":
        """Return the config of the options among the words, in a copy of which the values are set; None: not so."""
        parsed = self._parsed(words)
        if any(one.is_hydra_override() or one.is_delete() for one in parsed):
            return None  # what such words lead to is checked as a whole
        options = self._options(parsed)
        if options not in self._bases:
            self._bases[options] = self._whole(self._master, [*options])
        cfg = copy.deepcopy(self._bases[options])
        ConfigLoaderImpl._apply_overrides_to_config([one for one in parsed if not self._chooses(one)], cfg)
        cfg.hydra.overrides.task = [one.input_line for one in parsed]
        names = cfg.hydra.job.config.override_dirname
        cfg.hydra.job.override_dirname = get_overrides_dirname(
            overrides=parsed, kv_sep=names.kv_sep, item_sep=names.item_sep, exclude_keys=names.exclude_keys
        )
        return cfg

    def _parsed(self, words: Sequence[str]) -> "list[Override]":
        return self._parser.parse_overrides([*words])

    def _options(self, parsed: "Sequence[Override]") -> tuple[str, ...]:
        return tuple(str(one.input_line) for one in parsed if self._chooses(one))

    def _chooses(self, override: "Override") -> bool:
        """Whether a word chooses an option of a group, as Hydra sees it."""
        return not isinstance(override.value(), dict) and self._loader.repository.group_exists(override.key_or_group)  # type: ignore[attr-defined]
