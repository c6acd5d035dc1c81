"""What errors of MLflow, the database and the disk mean to a person."""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from recexp.errors import DiskFullError, StoreError, one_line
from recexp.secrets import mask
from recexp.system import DISK_FULL

_FULL_TEXT = re.compile(
    "|".join([r"database or disk is full|disk I/O error|\d+ requested and \d+ written", *map(os.strerror, DISK_FULL)])
)


@contextmanager
def translate_errors(uri: str) -> Iterator[None]:
    """Turn errors of the disk into StoreError."""
    try:
        yield
    except OSError as error:
        raise explain(error, uri) from error


def explain(error: Exception, uri: str) -> StoreError:
    """Return what an error of MLflow, the database or the disk means to a person."""
    if isinstance(error, StoreError):
        return error
    uri, text = mask(uri), mask(one_line(error))
    if is_full(error):
        return DiskFullError(f"the disk is full: nothing of this run was stored in {uri} ({_short(text)})")
    if isinstance(error, ImportError):
        return StoreError(
            f"tracking.uri: {uri} needs the Python module {error.name}, which is not installed; install the driver's "
            "package, or use another driver in the address, such as postgresql+psycopg2://"
        )
    if "out-of-date database schema" in text:
        return StoreError(
            f"tracking.uri: {uri} was created by another version of MLflow; use that version, or another store "
            f"({_short(text)})"
        )
    if is_locked(error):
        return StoreError(f"tracking.uri: {uri} is locked by another program")
    return StoreError(f"tracking.uri: {uri} cannot be used: {_short(text) or type(error).__name__}")


def is_full(error: BaseException) -> bool:
    """Return whether an error says that the disk, a quota or a file size limit is used up."""
    outer = type(error).__module__.startswith(("sqlalchemy", "mlflow"))
    return (outer or isinstance(error, OSError | sqlite3.Error)) and (
        getattr(error, "errno", None) in DISK_FULL or bool(_FULL_TEXT.search(str(error)))
    )


def is_locked(error: BaseException) -> bool:
    """Return whether an error says that another program holds the store."""
    return "database is locked" in str(error)


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]} ..."
