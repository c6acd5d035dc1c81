"""What a run needs of its own process and disk: a log file, a say when it is terminated, a clean end."""

import logging
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname


class LogBuffer(logging.Handler):
    """Remembers what recexp logs from when a store is opened, for the runs that begin later."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        logging.getLogger("recexp").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def close(self) -> None:
        logging.getLogger("recexp").removeHandler(self)
        super().close()


class LogFile(logging.FileHandler):
    """Copies what recexp logs into a file while a run lasts; a full disk does not disturb the run."""

    def __init__(self, path: Path, earlier: Iterable[logging.LogRecord]) -> None:
        super().__init__(path, delay=True, encoding="utf-8")
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        for record in earlier:
            self.handle(record)
        logging.getLogger("recexp").addHandler(self)

    def write_traceback(self, error: BaseException | None) -> None:
        """Write what went wrong, for the file only, and end."""
        if error is not None:
            trace = (type(error), error, error.__traceback__)
            self.handle(logging.LogRecord("recexp", logging.ERROR, __file__, 0, "the run failed", (), trace))
        self.close()

    def close(self) -> None:
        logging.getLogger("recexp").removeHandler(self)
        super().close()

    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing: a disk that is full comes to light where it matters."""


def exit_on_sigterm() -> Callable[[], None]:
    """Make SIGTERM end the block in order, with exit code 143; return what undoes this. Only the main thread can."""
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return lambda: None

    def leave(number: int, frame: FrameType | None) -> Any:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    return lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL)


def folder(location: str) -> Path | None:
    """Return the folder of a path or file URI; None for addresses elsewhere."""
    parts = urlsplit(location)
    if parts.scheme not in ("", "file"):
        return None
    return Path(url2pathname(parts.path) if parts.scheme else location)


def remove(location: str) -> None:
    """Remove a folder given by path or file URI; addresses elsewhere are left alone."""
    if (found := folder(location)) is not None:
        shutil.rmtree(found, ignore_errors=True)
