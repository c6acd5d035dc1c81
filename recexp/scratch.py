"""Temporary folders. Those of a process that was killed are removed by a later process."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX = "recexp-scratch-"
OLD_SECONDS = 86_400
"""A folder that nobody holds is left in peace for so long: its process may be about to hold it."""
_LOCK = "held"
_held: dict[Path, FileLock] = {}


def make() -> Path:
    """Return a new temporary folder, which exists until `remove`."""
    _remove_old()
    outer = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = FileLock(outer / _LOCK, thread_local=False)
    lock.acquire()
    inner = outer / "files"
    inner.mkdir()
    _held[inner] = lock
    return inner


def remove(folder: Path) -> None:
    """Remove a folder that `make` made, and all that is in it; what cannot be removed is left."""
    if (lock := _held.pop(folder, None)) is not None:
        lock.release()
    shutil.rmtree(folder.parent, ignore_errors=True)


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a temporary folder, which is removed after the block."""
    path = make()
    try:
        yield path
    finally:
        remove(path)


@cache
def _remove_old() -> None:
    """Remove what dead processes left, once in the life of this one."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError, Timeout):
            if path.is_dir() and not path.is_symlink() and time.time() - path.stat().st_mtime > OLD_SECONDS:
                with FileLock(path / _LOCK, timeout=0):
                    shutil.rmtree(path, ignore_errors=True)
