"""Who is at which run: so that no identity is finished twice, and runs of dead processes are told from living ones."""

import fcntl
import hashlib
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from recexp.errors import StoreError
from recexp.folders import cache_dir
from recexp.tracking import store_uri
from recexp.tracking.names import COMPLETE, CONFIG, HOST, JOB, JOB_RUNS, search_terms

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


class Claims:
    """Locks by identity, held by the tracking process, for it may outlive a killed parent and finish the run.

    One empty file is locked at a byte for each identity: beside an SQLite store, which all its users see; for other
    stores in the cache folder, so that only processes of one machine know of each other. The system frees what a
    process held as it dies.
    """

    def __init__(self, uri: str) -> None:
        file = store_uri.sqlite_file(uri)
        self._path = _elsewhere(uri) if file is None else file.with_name(f"{file.name}.claims")
        self._file: BinaryIO | None = None
        self._held: int | None = None

    def hold(self, identity: str, *, alone: bool, wait: bool) -> bool:
        """Lock an identity (hexadecimal), against everybody or only those who want it `alone`; False when it is held.

        What was held before is let go. With `wait` the answer comes when it is free. Raises StoreError when the file
        cannot be locked.
        """
        self.release()
        at = int(identity[:15], 16)
        how = (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | (0 if wait else fcntl.LOCK_NB)
        if not self._lock(how, at):
            return False
        self._held = at
        return True

    @contextmanager
    def turn(self, digest: str) -> Iterator[None]:
        """Do what is in the block while no other process does it for the same digest (hexadecimal)."""
        at = int(digest[:15], 16)
        self._lock(fcntl.LOCK_EX, at)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, at)

    def release(self) -> None:
        """Let go what is held."""
        if self._held is not None:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, self._held)
            self._held = None

    def close(self) -> None:
        """Let go and end."""
        if self._file is not None:
            self._file.close()

    def _lock(self, how: int, at: int) -> bool:
        """Lock one byte of the file; False when others hold it and `how` does not wait."""
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = open(self._path, "a+b")  # noqa: SIM115  locks last until it is closed
            try:
                fcntl.lockf(self._file, how, 1, at)
            except (BlockingIOError, PermissionError):
                return False
        except OSError as error:
            raise StoreError(f"{self._path} cannot be locked: {error.strerror}; runs are claimed by it") from error
        return True


def search(client: "MlflowClient", experiment: str, tags: dict[str, str], limit: int = 1000) -> "list[Run]":
    """Return the runs of an experiment (an id) that carry all of `tags`, the newest first."""
    return list(client.search_runs([experiment], search_terms(tags), max_results=limit))


def bury(client: "MlflowClient", experiment: str, identity: str) -> None:
    """Mark as KILLED what dead processes of this machine left of an identity that the caller holds alone.

    A claim may be unknown on other machines: what runs there is left alone.
    """
    for run in search(client, experiment, {CONFIG: identity, HOST: platform.node()}):
        if COMPLETE not in run.data.tags and run.info.status not in ("FAILED", "KILLED"):
            client.set_tag(run.info.run_id, "recexp.error", "its process was killed")
            client.set_terminated(run.info.run_id, "KILLED")


def jobs_done(client: "MlflowClient", experiment: str, jobs: list[str]) -> dict[str, list[Any]]:
    """Return [sweep, [[run id, metrics], ...]] of each job of which all runs are complete still."""
    found = {}
    for job in jobs:
        for last in search(client, experiment, {JOB: job, COMPLETE: "true"}, limit=1):
            runs = [_run(client, run_id) for run_id in last.data.tags.get(JOB_RUNS, "").split()]
            if runs and all(map(_counts, runs)):
                listed = [[run.info.run_id, dict(run.data.metrics)] for run in runs]
                found[job] = [last.data.tags.get("sweep"), listed]
    return found


def _counts(run: "Run | None") -> bool:
    return bool(run and run.info.lifecycle_stage == "active" and run.data.tags.get(COMPLETE) == "true")


def _run(client: "MlflowClient", run_id: str) -> "Run | None":
    """Return a run; None where there is none of that id, because it was removed, or never was in this store."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_run(run_id)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _elsewhere(uri: str) -> Path:
    return cache_dir("claims") / f"{hashlib.sha256(uri.rstrip('/').encode()).hexdigest()[:16]}.claims"
