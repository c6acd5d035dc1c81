"""The jobs of one command: one, or many with -m or by a preset that says so."""

import logging
import shutil
import time
from collections import Counter
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, open_dict

from recexp import config, console, system
from recexp.errors import ConfigError, RecexpError, error_message
from recexp.sweeps import jobs
from recexp.sweeps.jobs import DONE, FAILED, INCOMPATIBLE, SKIPPED, JobResult

log = logging.getLogger(__package__)


class Sweep:
    """Runs jobs that Hydra hands over, or hears of them from a launcher, and says at the end what became of each.

    Attributes
    ----------
    commands : what runs each job again, as far as known before, in their order.
    results : what became of each job, by its command.
    name : what the runs of a sweep have in their tag `sweep`; None: as Hydra's folder is called.
    folder : where Hydra and the workers leave what they have to say of a sweep; None: nowhere.
    deaths : how many processes died at a job that another then took.

    Parameters
    ----------
    silent : nothing is printed; who called has the results.
    """

    def __init__(self, *, silent: bool = False) -> None:
        self._silent = silent
        self.commands: list[str] = []
        self.results: dict[str, JobResult] = {}
        self.name: str | None = None
        self.folder: Path | None = None
        self.deaths = 0
        self._began = time.monotonic()
        self._shown: set[str] = set()

    def single(self, words: list[str]) -> DictConfig | None:
        """Return the config of a command that is one job and asks no more of Hydra, which would compose it twice."""
        try:
            cfg = config.compose(words)
        except ConfigError:
            return None  # Hydra says what is wrong, or knows the words of a sweep
        hydra = cfg.hydra
        elsewhere = hydra.run.dir != "." or hydra.output_subdir or hydra.job.chdir
        if hydra.mode == RunMode.MULTIRUN or elsewhere or hydra.callbacks:
            return None
        HydraConfig.instance().set_config(cfg)
        return cfg

    def job(self, cfg: DictConfig) -> dict[str, float] | None:
        """Run one job here and return its metrics; what fails or is refused does not stop the others of a sweep."""
        hydra = HydraConfig.get()
        sweeping = hydra.mode == RunMode.MULTIRUN
        with open_dict(cfg):
            cfg.hydra = hydra
        tags = {"sweep": self.name or Path(hydra.sweep.dir).name} if sweeping else {}
        command = jobs.command_of(config.words_of(hydra))
        if command not in self.commands:
            self.commands.append(command)
        if sweeping:
            log.debug("job %s: %s", hydra.job.num, command)
        result = jobs.execute(cfg, tags=tags, quiet=sweeping)
        self.add(command, result)
        if not sweeping and not self._silent:  # else a line a job, and all of them side by side at the end
            self._shown.add(command)
            console.show(result.runs)
        if result.error is not None and (result.state == FAILED or not sweeping):
            raise result.error
        return result.metrics or None

    def add(self, command: str, result: JobResult) -> None:
        """Take note of a job that has ended."""
        if result.state != SKIPPED or command not in self.results:  # else the same words came twice
            self.results[command] = result

    @property
    def errors(self) -> list[Exception]:
        """What went wrong."""
        return [result.error for result in self.results.values() if result.error is not None]

    def show(self) -> None:
        """Print the jobs side by side, and why those have no result that have none."""
        if self._silent:
            return
        elsewhere = [result.runs for command, result in self.results.items() if command not in self._shown]
        for runs in elsewhere:
            if len(self.results) == 1 or any(run.shown for run in runs):
                console.show(runs)
        if len(self.results) < 2:
            return
        order = {command: number for number, command in enumerate(self.commands)}
        ordered = sorted(self.results, key=lambda command: order[command])
        rows = dict(zip(console.distinct_words(ordered), (self.results[command] for command in ordered)))
        states = {result.state for result in rows.values()}
        console.summarize(
            "job",
            {label: result.runs for label, result in rows.items()},
            {label: result.state for label, result in rows.items()} if states != {DONE} else None,
        )
        console.say(self._count())
        for state in (INCOMPATIBLE, FAILED):
            errors = {label: r.error for label, r in rows.items() if r.state == state and r.error is not None}
            console.reasons(state, {label: error_message(error) for label, error in errors.items()})
        if links := [run.leaderboard for runs in elsewhere for run in runs]:
            console.leaderboard(links[-1])

    def _count(self) -> str:
        """Return in a line how many jobs there were, and what became of them."""
        states = Counter(result.state for result in self.results.values())
        total = len({*self.commands, *self.results})
        passed = f"{states[INCOMPATIBLE]} incompatible, " if states[INCOMPATIBLE] else ""
        left = total - states.total()
        parts = [
            f"{states[DONE] + states[SKIPPED]} of {total} jobs done ({states[DONE]} ran, {states[SKIPPED]} skipped, "
            f"{passed}{states[FAILED]} failed{f', {left} not finished' if left else ''}) "
            f"in {time.monotonic() - self._began:.0f} s"
        ]
        if self.deaths:
            parts.append("1 worker died" if self.deaths == 1 else f"{self.deaths} workers died")
        return "; ".join(parts)

    def end(self) -> None:
        """Show the jobs, and raise what failed: the very error where no job succeeded, else how many failed."""
        self.show()
        results = self.results.values()
        failed = [result.error for result in results if result.state == FAILED and result.error is not None]
        if self.folder is not None and not failed and self.folder.parent == system.temporary_folder():
            shutil.rmtree(self.folder, ignore_errors=True)  # a folder that was asked for stays
        if failed and len(results) > 1 and any(result.state in (DONE, SKIPPED) for result in results):
            count = f"{len(failed)} of {len(results)} jobs failed"
            raise RecexpError(
                f"{count}; resume=true runs them again. The first: {error_message(failed[0])}"
            ) from failed[0]
        for error in failed or (self.errors if not any(r.runs for r in results) else []):
            raise error


def resume_command(arguments: list[str]) -> str:
    """Return the command that goes on where one with these arguments was cut off."""
    rest = [argument for argument in arguments if not argument.startswith("resume=")]
    return jobs.command_of([*rest, "resume=true"])
