"""Locks on identities: so that no run is made twice at once, and runs of dead processes are told from living ones."""

import hashlib
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from filelock import FileLock, Timeout

from recexp.errors import StoreError
from recexp.folders import cache_dir
from recexp.tracking import store_uri
from recexp.tracking.names import search_terms
from recexp.tracking.tags import COMPLETE, CONFIG, HOST, JOB, JOB_RUNS, REPEATS

if TYPE_CHECKING:
    from filelock import BaseFileLock
    from mlflow import MlflowClient
    from mlflow.entities import Run

POLL_SECONDS = 0.2
"""How often a lock that another process holds is tried again."""


class RunLocks:
    """Locks by identity, held by the tracking process, for it may outlive a killed parent and finish the run.

    Each that is held is a file in a folder beside an SQLite store, which all its users see; for other stores in the
    cache folder, so that only processes of one machine know of each other. The system unlocks what a process held as it
    dies, also on Windows; only a file system without locks leaves this to filelock, which then looks for the process.
    A file is made, tried and removed while the folder's gate is locked, so that nobody locks one that is just removed.
    """

    def __init__(self, uri: str) -> None:
        file = store_uri.sqlite_file(uri)
        self._folder = _elsewhere(uri) if file is None else file.with_name(f"{file.name}.locks")
        self._held: BaseFileLock | None = None

    def hold(self, identity: str, *, alone: bool, wait: bool) -> bool:
        """Lock an identity (hexadecimal), against everybody or only those who want it `alone`; False when it is held.

        What was held before is let go. With `wait` the answer comes when it is free. Raises StoreError when nothing
        can be locked.
        """
        self.release()
        while not self._try(identity[:32], alone=alone):
            if not wait:
                return False
            time.sleep(POLL_SECONDS)
        return True

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Do what is in the block while no other process is in such a block; it should be short."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            gate = FileLock(self._folder / "gate.lock").acquire(poll_interval=0.01)
        except OSError as error:
            raise StoreError(f"{self._folder} cannot be locked: {error.strerror}; runs need this lock") from error
        with gate:
            yield

    def release(self) -> None:
        """Let go what is held."""
        if self._held is not None:
            with self.turn():
                _remove(self._held)
            self._held = None

    def _try(self, identity: str, *, alone: bool) -> bool:
        """Lock an identity unless others hold it in a way that does not go with this one."""
        rival = "*" if alone else "alone"
        with self.turn():
            in_use = [_in_use(path) for path in self._folder.glob(f"{identity}.{rival}.*")]
            if any(in_use):
                return False
            kind = "alone" if alone else "shared"
            self._held = FileLock(self._folder / f"{identity}.{kind}.{uuid4().hex[:8]}")
            self._held.acquire()
        return True


def _in_use(path: Path) -> bool:
    """Return whether a living process holds a lock's file; one that a dead process left is removed."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    _remove(lock)
    return False


def _remove(lock: "BaseFileLock") -> None:
    lock.release()
    with suppress(OSError):
        Path(lock.lock_file).unlink()


def search(client: "MlflowClient", experiment: str, tags: dict[str, str], limit: int = 1000) -> "list[Run]":
    """Return the runs of an experiment (an id) that carry all of `tags`, the newest first."""
    return list(client.search_runs([experiment], search_terms(tags), max_results=limit))


def first_complete(client: "MlflowClient", experiment: str, identity: str) -> str:
    """Return the id of the first complete run of an identity, "" where there is none."""
    found = search(client, experiment, {CONFIG: identity, COMPLETE: "true"}, limit=1)
    return found[0].data.tags.get(REPEATS, found[0].info.run_id) if found else ""


def mark_killed(client: "MlflowClient", experiment: str, identity: str) -> None:
    """Mark as KILLED what dead processes of this machine left of an identity that the caller holds alone.

    A lock may be unknown on other machines: what runs there is left alone.
    """
    for run in search(client, experiment, {CONFIG: identity, HOST: platform.node()}):
        if COMPLETE not in run.data.tags and run.info.status not in ("FAILED", "KILLED"):
            client.set_tag(run.info.run_id, "recexp.error", "its process was killed")
            client.set_terminated(run.info.run_id, "KILLED")


def find_complete_jobs(client: "MlflowClient", experiment: str, jobs: list[str]) -> dict[str, list[Any]]:
    """Return [sweep, [[run id, metrics], ...]] of each job of which all runs are complete still."""
    found = {}
    for job in jobs:
        for last in search(client, experiment, {JOB: job, COMPLETE: "true"}, limit=1):
            ids = last.data.tags.get(JOB_RUNS, "").split()
            runs = [run for run_id in ids if (run := _complete_run(client, run_id)) is not None]
            if runs and len(runs) == len(ids):
                listed = [[run.info.run_id, dict(run.data.metrics)] for run in runs]
                found[job] = [last.data.tags.get("sweep"), listed]
    return found


def _complete_run(client: "MlflowClient", run_id: str) -> "Run | None":
    """Return a complete run; None where there is none of that id: it was removed, or never was in this store."""
    from mlflow.exceptions import MlflowException

    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None
    complete = run.info.lifecycle_stage == "active" and run.data.tags.get(COMPLETE) == "true"
    return run if complete else None


def _elsewhere(uri: str) -> Path:
    return cache_dir("locks") / hashlib.sha256(uri.rstrip("/").encode()).hexdigest()[:16]
