"""The jobs of one command: one, or many with -m or by a preset that says so."""

import logging
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from recexp import config, console
from recexp.errors import MisfitError, RecexpError

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from recexp.runners.base import Outcome

log = logging.getLogger(__name__)


class Sweep:
    """Runs jobs that Hydra hands over, and says at the end what became of each.

    Attributes
    ----------
    done : the outcomes of each finished job, by the command that runs it again.
    refused : why an algorithm and the data of a job do not go together.
    failures : what went wrong in the others.
    """

    def __init__(self) -> None:
        self.done: dict[str, list[Outcome]] = {}
        self.refused: dict[str, MisfitError] = {}
        self.failures: list[Exception] = []

    def job(self, cfg: "DictConfig") -> dict[str, float] | None:
        """Run one job and return its metrics; what fails or is refused does not stop the others of a sweep."""
        from hydra.core.hydra_config import HydraConfig
        from hydra.types import RunMode
        from omegaconf import open_dict

        hydra = HydraConfig.get()
        sweeping = hydra.mode == RunMode.MULTIRUN
        with open_dict(cfg):
            cfg.hydra = hydra
        command = shlex.join(["recexp", *hydra.overrides.task])
        try:
            console.configure_logging(config.plain(cfg)["logging"])
            tags = {"sweep": Path(hydra.sweep.dir).name} if sweeping else {}
            runner, experiment = config.experiment(cfg, tags=tags)
            if sweeping:
                log.info("job %s: %s", hydra.job.num, experiment.command)
            self.done[command] = runner.run(experiment)
            console.show(self.done[command])
            return self.done[command][0].metrics
        except Exception as error:
            if sweeping and isinstance(error, MisfitError):
                log.warning("passed over: %s", error)
                self.refused[command] = error
                return None
            self.failures.append(error)
            if sweeping:
                log.error("failed: %s", error)
            raise

    def end(self) -> None:
        """Print the jobs side by side, and raise what failed."""
        commands = [*self.done, *self.refused]
        if len(commands) + len(self.failures) > 1:
            short = dict(zip(commands, console.in_short(commands)))
            console.summarise({short[command]: outcomes for command, outcomes in self.done.items()})
            console.refused({short[command]: str(error) for command, error in self.refused.items()})
        if self.refused and not self.done and not self.failures:
            raise next(iter(self.refused.values()))
        if len(self.failures) > 1:
            raise RecexpError(f"{len(self.failures)} jobs failed; the first: {self.failures[0]}")
        if self.failures:
            raise self.failures[0]
