"""Where a store is, and whether it can be used: found out in milliseconds, without MLflow."""

import os
import re
import socket
import sqlite3
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from filelock import FileLock, Timeout

from recexp.errors import DiskFullError, StoreError
from recexp.secrets import mask
from recexp.tracking.store_errors import explain, is_full, is_locked

LOCK_SECONDS = 5.0
"""How long to wait for another program's write lock before giving up."""
VARIABLE = "MLFLOW_TRACKING_URI"
"""The variable of the environment that names the store where the config does not."""
CREATE_SECONDS = 120.0
"""How long to wait for another process that is creating the store."""


def resolve(uri: str | None) -> str:
    """Return the absolute tracking URI; None is that of MLFLOW_TRACKING_URI, else `mlflow.db` in the working directory.

    In a URI, as everywhere, %3F is the sign ? of a path and %25 the sign %; a path is taken as it is.
    """
    named = None if uri else os.environ.get(VARIABLE)
    uri = uri or named or "mlflow.db"
    if "://" not in uri and uri.endswith((".db", ".sqlite")):
        return sqlite_uri(Path(uri))
    if uri.startswith("sqlite:///"):
        if "?" in uri:
            raise StoreError(f"tracking.uri: {uri}: an SQLite address takes no options; write a ? in the path as %3F")
        return sqlite_uri(Path(unquote(uri.removeprefix("sqlite:///"))))
    if re.match(r"(https?|(postgresql|mysql|mssql)(\+\w+)?)://|databricks\b", uri):
        return uri
    raise StoreError(
        f"{VARIABLE if named else 'tracking.uri'}: {mask(uri)} is not a store that can be used; give the path of a .db "
        "file, sqlite:///FILE, http://HOST:PORT or a database URI (MLflow no longer keeps runs in plain folders)"
    )


def sqlite_uri(file: Path) -> str:
    """Return the URI of a database file; the signs of its path that mean something in a URI are quoted."""
    path = str(file.expanduser().absolute()).replace("%", "%25").replace("?", "%3F")
    return f"sqlite:///{path}"


def sqlite_file(uri: str) -> Path | None:
    """Return the database file of an SQLite URI, None for other stores."""
    return Path(unquote(uri.removeprefix("sqlite:///"))) if uri.startswith("sqlite:///") else None


def for_mlflow(uri: str) -> str:
    """Return a URI as MLflow is told it: a quoted path with its driver, or it makes a folder of the quoted name."""
    return uri.replace("sqlite:", "sqlite+pysqlite:", 1) if uri.startswith("sqlite:///") and "%" in uri else uri


def lock_file(file: Path) -> Path:
    """Return the file whose lock is held while the store is created."""
    return file.with_name(file.name + ".lock")


def check(uri: str, artifacts: str | None) -> None:
    """Raise StoreError when the store at `uri` cannot be written now."""
    file = sqlite_file(uri)
    if file is not None:
        _check_file(file)
        _check_artifacts(Path(artifacts) if artifacts and "://" not in artifacts else artifacts_of(file))
    elif uri.startswith("http"):
        _check_server(uri)
    elif not uri.startswith("databricks"):
        _check_database(uri)


def artifacts_of(file: Path) -> Path:
    """Return the folder beside a database file where its runs' files go."""
    return file.with_name(f"{file.stem}-artifacts")


def _check_file(file: Path) -> None:
    if not file.parent.is_dir():
        raise StoreError(f"tracking.uri: {file.parent} is not a folder; the store {file.name} cannot be created there")
    if file.exists() and not file.is_file():
        raise StoreError(f"tracking.uri: {file} is not a file")
    _check_writable_folder(file.parent)
    if not file.exists():
        return
    try:
        try:
            _begin(file, 1.0)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            with FileLock(lock_file(file), timeout=CREATE_SECONDS):  # another process may be creating the store
                _begin(file, LOCK_SECONDS)
    except (sqlite3.Error, Timeout) as error:
        if isinstance(error, Timeout) or "locked" in str(error):
            raise StoreError(f"tracking.uri: {file} is locked by another program") from error
        if is_full(error):
            raise DiskFullError(f"tracking.uri: {file} cannot be written: the disk is full") from error
        raise StoreError(f"tracking.uri: {file} cannot be used as an SQLite store: {error}") from error


def held(uri: str) -> bool:
    """Return whether a program writes to the file of an SQLite store now."""
    file = sqlite_file(uri)
    try:
        if file is not None:
            _begin(file, 0.0)
    except sqlite3.Error as error:
        return is_locked(error)
    return False


def _begin(file: Path, seconds: float) -> None:
    connection = sqlite3.connect(file, timeout=seconds, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    finally:
        connection.close()


def _check_artifacts(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"tracking.artifacts: {folder} is not a folder")
    while not folder.exists():
        folder = folder.parent
    _check_writable_folder(folder)


def _check_writable_folder(folder: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if is_full(error):
            raise DiskFullError(f"tracking: {folder} cannot be written: the disk is full") from error
        raise StoreError(f"tracking: {folder} cannot be written: {error.strerror}") from error


def _check_database(uri: str) -> None:
    """Connect once: without driver or server MLflow ends in a traceback, the latter after a minute."""
    from sqlalchemy import create_engine

    try:
        create_engine(uri).connect().close()
    except Exception as error:  # whatever a driver raises
        raise explain(error, uri) from error


def _check_server(uri: str) -> None:
    try:
        parts = urlsplit(uri)
        address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    except ValueError:  # its text may hold the password
        raise StoreError(
            f"tracking.uri: {mask(uri)} is not a valid address; use http://HOST:PORT (port up to 65535; "
            "/ in a password is %2F)"
        ) from None
    try:
        socket.create_connection(address, timeout=5).close()
    except (OSError, UnicodeError) as error:
        where = f"{parts.scheme}://{address[0]}:{address[1]}"
        raise StoreError(f"tracking.uri: no server answers at {where}: {error}") from error
