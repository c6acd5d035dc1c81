"""The configs of a sweep's jobs, composed when they are wanted."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from omegaconf import open_dict

if TYPE_CHECKING:
    from hydra.types import HydraContext
    from omegaconf import DictConfig

    from recexp.config_files.hydra_loader import CheckedLoader

CHECK_SECONDS = 3.0
"""How long the words of a sweep are looked through before its first job; what is wrong beyond fails its own job."""


class Composer:
    """Composes jobs by their words."""

    def __init__(self, context: "HydraContext", master: "DictConfig") -> None:
        self._loader, self._master = cast("CheckedLoader", context.config_loader), master
        self._load: Callable[..., DictConfig] = self._loader.load_sweep_config
        # Hydra's sweeper composes each job to check it, and throws it away: `check` is for that
        self._loader.load_sweep_config = lambda **words: None  # type: ignore[assignment, method-assign]

    def check(self, jobs: Sequence[Sequence[str]]) -> None:
        """Compose the first job of each choice of options, as many as there is time for; raises what Hydra raises."""
        until, seen = time.monotonic() + CHECK_SECONDS, set()
        for words in jobs:
            options = self._loader.options([*words])
            if options not in seen:
                seen.add(options)
                self.compose(words, 0)
            if time.monotonic() > until:
                return

    def compose(self, words: Sequence[str], number: int) -> "DictConfig":
        """Return the config of a job; raises what Hydra raises."""
        cfg = self._load(self._master, [*words])
        with open_dict(cfg):
            cfg.hydra.job.num, cfg.hydra.job.id = number, str(number)
        return cfg
