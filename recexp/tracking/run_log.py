"""What a run needs of its own process and disk: a log file, and folders."""

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from recexp.secrets import mask


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


class _Masked(logging.Formatter):
    """Writes no credentials of addresses."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


class LogFile(logging.FileHandler):
    """Copies what recexp logs into a file while a run lasts; a full disk does not disturb the run."""

    def __init__(self, path: Path, earlier: Iterable[logging.LogRecord]) -> None:
        super().__init__(path, delay=True, encoding="utf-8")
        self.setFormatter(_Masked("%(asctime)s %(levelname)s %(name)s: %(message)s"))
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
