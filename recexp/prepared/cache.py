"""A folder of prepared things by key: written whole, checked when read, bounded in size."""

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from pathlib import Path
from threading import Thread
from typing import Any, Literal
from uuid import uuid4

import numpy as np
from filelock import FileLock, Timeout

from recexp import checksums
from recexp.folders import cache_dir
from recexp.prepared.cached_log import Line, logged_before, recording, replay
from recexp.prepared.packing import pack, unpack

log = logging.getLogger(__name__)

LIMIT = 10 * 2**30
"""Bytes that all entries may take; those used least recently go first."""
_SMALL = 1 << 16  # bytes below which a file is read rather than mapped
_CONTENT = "content.json"


def folder() -> Path:
    """Return where entries lie: beside the downloaded data."""
    return cache_dir("prepared")


class Cache:
    """Entries are folders named by key: `content.json` and an .npy file an array, mapped when read, copied on write.

    Of several processes that want the same entry, one makes it and the others wait. Whatever is wrong with the cache
    costs time, never the run.
    """

    def __init__(self) -> None:
        self._folder = folder()
        self._writers: list[Thread] = []

    def obtain(
        self, key: str | None, make: Callable[[], Any], *, valid: Callable[[], bool], shared: Sequence[Any] = ()
    ) -> Any:
        """Return what lies under `key`, or make it and store it meanwhile if it is `valid()`; None: just make it.

        `shared` are values that the entry need not hold, equal ones in the same order whenever it is read.
        """
        if key is None or (lock := self._lock(key)) is None:
            return make()
        try:
            found = self._read(self._folder / key, shared)
            if found is not None:
                lock.release()
                return found[0]
            with recording() as lines:
                value = make()
        except BaseException:
            lock.release()
            raise
        writer = Thread(target=self._write, args=(key, value, valid, shared, lines, lock), name="prepared")
        writer.start()
        self._writers.append(writer)
        return value

    def close(self) -> None:
        """Wait for what is being stored."""
        for writer in self._writers:
            writer.join()

    def _lock(self, key: str) -> FileLock | None:
        lock = FileLock(self._lock_of(key), thread_local=False)  # the writer releases it
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                log.info("another process is preparing the same data; waiting")
                lock.acquire()
        except OSError as error:
            log.warning("prepared data could not be cached: %s (RECEXP_CACHE names another folder)", error)
            return None
        return lock

    def _read(self, entry: Path, shared: Sequence[Any]) -> tuple[Any] | None:
        """Return the entry's value in a tuple, or None where there is none or it is damaged."""
        if not entry.is_dir():
            return None
        try:
            outer = json.loads((entry / _CONTENT).read_bytes())
            if _sha256(outer["content"].encode()) != outer["sha256"]:
                raise ValueError(f"{_CONTENT} has changed since it was written")
            content = json.loads(outer["content"])
            names, files = content["files"].keys(), content["files"].values()
            with ThreadPoolExecutor(2) as pool:
                arrays = dict(zip(names, pool.map(lambda file: _array(entry / file[0], file[1]), files)))
            value = unpack(content["value"], arrays.__getitem__, shared)
            lines = [(str(name), int(level), str(message)) for name, level, message in content["log"]]
        except Exception as error:  # whatever it is that a damaged entry leads to
            log.warning("cached data are damaged and are prepared again: %s", error)
            shutil.rmtree(entry, ignore_errors=True)
            return None
        if lines:
            known, what = logged_before(lines), entry.with_name(f"{entry.name[:12]}...")
            log.info("using cached data (%s); %s", what, "its log is above" if known else "log from its preparation:")
            if not known:
                replay(lines)
                log.info("(end of the log from its preparation)")
        with suppress(OSError):
            os.utime(entry)  # used just now
        return (value,)

    def _write(
        self,
        key: str,
        value: Any,
        valid: Callable[[], bool],
        shared: Sequence[Any],
        lines: list[Line],
        lock: FileLock,
    ) -> None:
        staging = None
        try:
            staging = self._folder / f".new-{uuid4().hex}"
            staging.mkdir()  # for all whom the umask and the folder let in
            node, arrays = pack(value, shared)
            named = {name: f"{number}.npy" for number, name in enumerate(arrays)}
            files = {name: [file, _save(staging / file, arrays[name])] for name, file in named.items()}
            content = json.dumps({"value": node, "files": files, "log": lines})
            text = json.dumps({"sha256": _sha256(content.encode()), "content": content})
            (staging / _CONTENT).write_text(text)
            if valid():
                staging.rename(self._folder / key)
                self._trim(key)
        except (OSError, ValueError) as error:
            log.warning("prepared data could not be cached: %s", error)
        finally:
            if staging is not None:
                shutil.rmtree(staging, ignore_errors=True)
            lock.release()

    def _trim(self, key: str) -> None:
        """Remove the entries used least recently until the rest is within the limit, and what killed writers left.

        Other processes may do the same, or be at an entry: such a one is left to them. The caller is at `key`.
        """
        entries = []
        for entry in self._folder.iterdir():
            with suppress(OSError):
                age = time.time() - entry.stat().st_mtime
                if entry.name.startswith(".new-") and age > 86_400:
                    shutil.rmtree(entry, ignore_errors=True)
                elif not entry.name.startswith("."):
                    entries.append((age, sum(file.stat().st_size for file in entry.iterdir()), entry))
        total = 0
        for _, size, entry in sorted(entries):
            total += size
            if total > LIMIT:
                self._remove(entry, locked=entry.name == key)

    def _remove(self, entry: Path, *, locked: bool) -> None:
        with suppress(OSError, Timeout), nullcontext() if locked else FileLock(self._lock_of(entry.name), timeout=0):
            shutil.rmtree(entry, ignore_errors=True)

    def _lock_of(self, key: str) -> Path:
        return self._folder / f".{key}.lock"


def _save(path: Path, array: np.ndarray) -> str:
    np.save(path, array, allow_pickle=False)
    return checksums.sha256(path)


def _array(path: Path, sha256: str) -> np.ndarray:
    """Return an array that is as it was written; raises ValueError or OSError where it is not."""
    if checksums.sha256(path) != sha256:
        raise ValueError(f"{path.name} has changed since it was written")
    mode: Literal["c"] | None = "c" if path.stat().st_size > _SMALL else None
    return np.load(path, mmap_mode=mode, allow_pickle=False).view(np.ndarray)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
