"""Progress of long steps, never needed for the result: a bar on a terminal or in a notebook, elsewhere lines of log."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from recexp import terminal

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 2.0
"""A step that takes no longer shows no bar."""
LINE_SECONDS = 0.5
"""How often a notebook's line is replaced."""
LOG_SECONDS = 30.0
"""How often the log gets a line where there is no bar."""


@contextmanager
def bar(total: int, description: str) -> Iterator[Callable[[int], None]]:
    """Yield `advance(n)`, to be called as `n` more of `total` units are done."""
    if terminal.in_notebook():
        yield _Line(total, description).advance
        return
    if not sys.stderr.isatty():
        yield _Log(total, description).advance
        return
    shown = _Bar(total, description)
    try:
        yield shown.advance
    finally:
        shown.close()


def steps(total: int, description: str) -> Iterator[int]:
    """Yield 0 to total - 1, under a bar."""
    with bar(total, description) as advance:
        for step in range(total):
            yield step
            advance(1)


class _Bar:
    """A bar that is drawn once the step takes longer than PATIENCE_SECONDS."""

    def __init__(self, total: int, description: str) -> None:
        self._total, self._description = total, description
        self._begin, self._done = time.monotonic(), 0
        self._progress: Any = None

    def advance(self, n: int) -> None:
        self._done += n
        if self._progress is None and time.monotonic() - self._begin >= PATIENCE_SECONDS:
            self._draw()
        if self._progress is not None:
            self._progress.update(0, completed=self._done)

    def close(self) -> None:
        if self._progress is not None:
            self._progress.stop()

    def _draw(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.progress import TimeRemainingColumn as Remaining

        words = [TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
        left = [TextColumn("left"), Remaining()]
        self._progress = Progress(*words, *left, console=terminal.console(stderr=True), transient=True)
        self._progress.add_task(self._description, total=self._total)
        self._progress.start()


class _Log:
    """Lines of the log, about every LOG_SECONDS, where stderr is no terminal."""

    def __init__(self, total: int, description: str) -> None:
        self._total, self._description, self._done = total, description, 0
        self._logged_at = time.monotonic()

    def advance(self, n: int) -> None:
        self._done += n
        if time.monotonic() - self._logged_at >= LOG_SECONDS:
            self._logged_at = time.monotonic()
            log.info(
                "%s: %d of %d (%.0f %%)", self._description, self._done, self._total, 100 * self._done / self._total
            )


class _Line:
    """A line below a notebook's cell, which is replaced as work goes on; it is shown once that takes long."""

    def __init__(self, total: int, description: str) -> None:
        self._total, self._description, self._done = total, description, 0
        self._logged_at = time.monotonic() + PATIENCE_SECONDS - LINE_SECONDS
        self._handle: Any = None

    def advance(self, n: int) -> None:
        from IPython.display import display

        self._done += n
        shown = self._handle is not None
        if time.monotonic() - self._logged_at < LINE_SECONDS and not (shown and self._done >= self._total):
            return
        self._logged_at = time.monotonic()
        line = {"text/plain": f"{self._description}: {self._done / max(1, self._total):.0%}"}
        if shown:
            self._handle.update(line, raw=True)
        else:
            self._handle = display(line, raw=True, display_id=True)  # type: ignore[no-untyped-call]
