"""A new store: a copy of an empty one that this version of MLflow made before, for to make one takes seconds."""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

from recexp.folders import cache_dir

_DIGITS = 16


def write(file: Path, make: Callable[[Path], object]) -> None:
    """Write an empty store to `file`, which is there and empty: the one that is kept, or what `make` writes into it.

    Whatever is wrong with the one that is kept costs time, never a store.
    """
    with suppress(OSError):
        for kept in _folder().glob(f"{_name()}-*.db"):
            if kept.stem.endswith(_digest(kept)):
                shutil.copyfile(kept, file)
                return
            kept.unlink()
    file.write_bytes(b"")  # of a copy that was cut off
    make(file)
    with suppress(OSError, sqlite3.Error):
        _keep(file)


def _keep(file: Path) -> None:
    """Keep a copy without the experiment that MLflow makes in each store, for it names a folder beside this one."""
    _folder().mkdir(parents=True, exist_ok=True)
    part = _folder() / f".{uuid4().hex}.part"
    try:
        shutil.copyfile(file, part)
        with closing(sqlite3.connect(part)) as connection:
            connection.execute("delete from experiments")
            connection.commit()
        os.replace(part, _folder() / f"{_name()}-{_digest(part)}.db")
    finally:
        part.unlink(missing_ok=True)


def _folder() -> Path:
    return cache_dir("stores")


def _name() -> str:
    return f"mlflow-{version('mlflow')}"


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:_DIGITS]
