"""How a sweep goes: a live view on a terminal, else a line in the log for each job that has ended."""

import logging
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any, Self

from recexp import console, terminal
from recexp.errors import error_message
from recexp.sweeps.jobs import DONE, FAILED, INCOMPATIBLE, SKIPPED, JobResult, SweepJob

log = logging.getLogger(__package__)


class ProgressView:
    """Counts the jobs of a sweep, given by their commands; `headline` is the metric shown, and which way is better."""

    def __init__(self, commands: Sequence[str], headline: tuple[str, bool | None] | None) -> None:
        self.short = {command: short or command for command, short in zip(commands, console.distinct_words(commands))}
        self.total = len(commands)
        self.states: Counter[str] = Counter()
        self.running: dict[int, str] = {}
        self.best: tuple[float, str] | None = None
        self.deaths = 0
        self._metric, higher_is_better = headline or ("", None)
        self._sign = -1 if higher_is_better is False else 1
        self._live: Any = None

    def show(self) -> None:
        """Begin to show it; on a terminal only."""
        if sys.stderr.isatty() and self._live is None:
            from rich.live import Live

            self._live = Live(console=terminal.console(stderr=True), get_renderable=self.render, transient=True)
            self._live.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.stop()

    def began(self, job: SweepJob) -> None:
        """A job is being worked at."""
        self.running[job.number] = self.short[job.command]

    def lost(self, job: SweepJob, why: str) -> None:
        """A job's process has died, and another will take it."""
        self.running.pop(job.number, None)
        self.deaths += 1
        self._say(logging.WARNING, f"{self.short[job.command]}: {why}; the job is restarted")

    def ended(self, job: SweepJob, result: JobResult) -> None:
        """A job has ended."""
        self.running.pop(job.number, None)
        self.states[result.state] += 1
        label, outcome = self.short[job.command], ""
        value = self._value(result)
        if value is not None:
            outcome = f": {self._metric} {value:.4f}"
            if self.best is None or self._sign * value > self._sign * self.best[0]:
                self.best = (value, label)
        elif result.error is not None:
            outcome = f": {error_message(result.error)}"
        level = logging.ERROR if result.state == FAILED else logging.INFO
        self._say(level, f"{self.states.total()} of {self.total}: {result.state} {label}{outcome}")

    def render(self) -> str:
        """Return what the terminal shows now."""
        counts = ", ".join(f"{self.states[s]} {s}" for s in (DONE, SKIPPED, INCOMPATIBLE, FAILED) if self.states[s])
        lines = [f"{self.states.total()} of {self.total} jobs{f' ({counts})' if counts else ''}"]
        if self.best is not None:
            lines.append(f"best so far: {self._metric} {self.best[0]:.4f}, {self.best[1]}")
        lines += [f"running: {label}" for label in self.running.values()]
        return "\n".join(lines).replace("[", "\\[")

    def _value(self, result: JobResult) -> float | None:
        """Return the headline metric, of the final part where the job has it: that comes first."""
        return next((v for name, v in result.metrics.items() if name.rpartition("/")[2] == self._metric), None)

    def _say(self, level: int, text: str) -> None:
        if self._live is not None:
            self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            log.log(level, "%s", text)
