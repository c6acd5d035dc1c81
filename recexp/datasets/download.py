"""Downloads that either arrive whole and verified, or leave nothing behind."""

import hashlib
import http.client
import logging
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from filelock import FileLock

from recexp import system
from recexp.errors import DataError
from recexp.progress import bar

log = logging.getLogger(__name__)

_PATIENCE = 5.0  # seconds without an answer, or within an answer without a byte
_BLOCK = 1 << 16


@contextmanager
def exclusive(target: Path) -> Iterator[None]:
    """Hold the lock on `target`, so that of several processes one downloads and the others find the file."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f".{target.name}.lock")):
            for stale in target.parent.glob(f".{target.name}.*.part"):  # of a process killed while it moved the file
                stale.unlink()
            yield
    except OSError as error:
        raise DataError(f"cannot write {target}: {error} (RECEXP_CACHE names another folder)") from error


def fetch(url: str, target: Path, *, sha256: str) -> None:
    """Download `url` to `target` within `exclusive(target)`.

    Bytes go to a file without a name until they are verified, so that not even a kill leaves one behind.
    Raises DataError when the site cannot be reached, stops early, or sends something else than `sha256` says.
    """
    with tempfile.TemporaryFile(dir=target.parent) as file:
        found = _receive(url, file)
        if found != sha256:
            raise DataError(f"{url}: the file has sha256 {found}, expected {sha256}; nothing was kept")
        file.seek(0)
        install(lambda part: shutil.copyfileobj(file, part, _BLOCK), target)


def _receive(url: str, file: IO[bytes]) -> str:
    """Write the content of `url` to `file` and return its sha256."""
    sha, received = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE) as response:
            length = int(response.headers.get("Content-Length") or 0)
            with bar(length, f"downloading {url}") as advance:
                while block := response.read(_BLOCK):
                    file.write(block)
                    sha.update(block)
                    received += len(block)
                    advance(len(block))
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise DataError(f"{url}: cannot be downloaded: {error}; for local files set dataset.root=DIR") from error
    if received < length:
        raise DataError(f"{url}: cannot be downloaded: the connection closed after {received} of {length} bytes")
    return sha.hexdigest()


def install(write: Callable[[IO[bytes]], object], target: Path) -> None:
    """Make `target` appear at once with all that `write(file)` writes."""
    handle, part = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        Path(part).chmod(0o644)  # a temporary file is for its owner only
        os.replace(part, target)
    finally:
        Path(part).unlink(missing_ok=True)


def fetch_wheel(requirement: str, folder: Path) -> Path:
    """Download the wheel of `requirement` ("recbole==1.2.1"), without its dependencies, into `folder`; return its path.

    Raises DataError when pip cannot get it.
    """
    command = [
        *system.PYTHON,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--no-input",
        "--quiet",
        "--disable-pip-version-check",
        "--dest",
        str(folder),
        requirement,
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataError(f"pip download {requirement} failed: {error}") from error
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        last = (done.stderr.strip() or "no wheel").splitlines()[-1]
        raise DataError(f"pip download {requirement} failed: {last}")
    return wheels[0]
