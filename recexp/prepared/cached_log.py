"""Log lines of a preparation, repeated when its result is read from the cache."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

Line = tuple[str, int, str]
"""Name of the logger, level, message."""
_logged: set[str] = set()
"""Messages of what this process has made or taken from the cache."""


class _Recorder(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.name, record.levelno, record.getMessage()))


@contextmanager
def recording() -> Iterator[list[Line]]:
    """Collect what recexp logs in the block."""
    recorder, root = _Recorder(), logging.getLogger("recexp")
    root.addHandler(recorder)
    try:
        yield recorder.lines
    finally:
        root.removeHandler(recorder)
        _logged.update(message for _, _, message in recorder.lines)


def logged_before(lines: list[Line]) -> bool:
    """Return whether this process has logged all of `lines` before."""
    return _logged.issuperset(message for _, _, message in lines)


def replay(lines: list[Line]) -> None:
    """Log `lines` again."""
    _logged.update(message for _, _, message in lines)
    for name, level, message in lines:
        logging.getLogger(name).log(level, "%s", message)
