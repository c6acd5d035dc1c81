"""Who is at which run: so that no identity is finished twice, and runs of dead processes are told from living ones."""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from recexp.tracking import place
from recexp.tracking.names import COMPLETE, search_terms

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

CONFIG = "recexp.config"
"""The tag that holds a run's identity."""
JOB = "recexp.job"
"""The tag, set when all runs of a job are complete, by which they are found before its data are loaded."""
JOB_RUNS = "recexp.job_runs"


class Claims:
    """Locks by identity, held by the tracking process, for it may outlive a killed parent and finish the run.

    One empty file is locked at a byte for each identity: beside an SQLite store, which all its users see; for other
    stores in this user's cache, so that only processes of one machine know of each other. The system frees what a
    process held as it dies.
    """

    def __init__(self, uri: str) -> None:
        file = place.sqlite_file(uri)
        self._path = _elsewhere(uri) if file is None else file.with_name(f"{file.name}.claims")
        self._file: BinaryIO | None = None
        self._held: int | None = None

    def hold(self, identity: str, *, alone: bool, wait: bool) -> bool:
        """Lock an identity (hexadecimal), against everybody or only those who want it `alone`; False when it is held.

        What was held before is let go. With `wait` the answer comes when it is free.
        """
        self.release()
        at = int(identity[:15], 16)
        how = (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | (0 if wait else fcntl.LOCK_NB)
        try:
            fcntl.lockf(self._opened(), how, 1, at)
        except (BlockingIOError, PermissionError):
            return False
        self._held = at
        return True

    @contextmanager
    def turn(self, digest: str) -> Iterator[None]:
        """Do what is in the block while no other process does it for the same digest (hexadecimal)."""
        file, at = self._opened(), int(digest[:15], 16)
        fcntl.lockf(file, fcntl.LOCK_EX, 1, at)
        try:
            yield
        finally:
            fcntl.lockf(file, fcntl.LOCK_UN, 1, at)

    def release(self) -> None:
        """Let go what is held."""
        if self._held is not None:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, self._held)
            self._held = None

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self._file = open(self._path, "a+b")  # noqa: SIM115  locks last until it is closed
        return self._file

    def close(self) -> None:
        """Let go and end."""
        if self._file is not None:
            self._file.close()


def search(client: "MlflowClient", experiment: str, tags: dict[str, str], limit: int = 1000) -> "list[Run]":
    """Return the runs of an experiment (an id) that carry all of `tags`, the newest first."""
    return list(client.search_runs([experiment], search_terms(tags), max_results=limit))


def bury(client: "MlflowClient", experiment: str, identity: str) -> None:
    """Mark as KILLED what dead processes left of an identity that the caller holds alone."""
    for run in search(client, experiment, {CONFIG: identity}):
        if COMPLETE not in run.data.tags and run.info.status not in ("FAILED", "KILLED"):
            client.set_tag(run.info.run_id, "recexp.error", "its process was killed")
            client.set_terminated(run.info.run_id, "KILLED")


def jobs_done(client: "MlflowClient", experiment: str, jobs: list[str]) -> dict[str, list[Any]]:
    """Return [sweep, [[run id, metrics], ...]] of each job of which all runs are complete still."""
    found = {}
    for job in jobs:
        for last in search(client, experiment, {JOB: job, COMPLETE: "true"}, limit=1):
            runs = [client.get_run(run_id) for run_id in last.data.tags[JOB_RUNS].split()]
            if all(run.info.lifecycle_stage == "active" and run.data.tags.get(COMPLETE) == "true" for run in runs):
                listed = [[run.info.run_id, dict(run.data.metrics)] for run in runs]
                found[job] = [last.data.tags.get("sweep"), listed]
    return found


def _elsewhere(uri: str) -> Path:
    from platformdirs import user_cache_dir

    folder = Path(user_cache_dir("recexp"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{hashlib.sha256(uri.encode()).hexdigest()[:16]}.claims"
