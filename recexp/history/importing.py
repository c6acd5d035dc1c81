"""Locks for imports: one import of a run at a time; leftovers of failed and killed imports are removed."""

import hashlib
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from recexp.history.archive import Archive
from recexp.tracking.discarding import discard
from recexp.tracking.names import search_terms
from recexp.tracking.run_locks import RunLocks
from recexp.tracking.tags import COMPLETE, IMPORTED, IMPORTING

if TYPE_CHECKING:
    from mlflow.entities import Run


@contextmanager
def claimed(archive: Archive, origin: str) -> Iterator[dict[str, str]]:
    """Lock a run, given its original id, against other imports of it; yield the tags of a run that is being imported.

    Leftovers of dead imports on this machine are removed first.
    """
    locks = RunLocks(archive.uri)
    locks.hold(_identity(origin), alone=True, wait=True)
    try:
        with archive.translate_errors():
            for run in _unfinished(archive):
                _bury(archive, run, origin)
        yield {IMPORTED: origin, IMPORTING: platform.node()}
    finally:
        locks.release()


def _unfinished(archive: Archive) -> "list[Run]":
    found = archive.client.search_runs([*archive.experiments()], search_terms({IMPORTING: platform.node()}))
    return [run for run in found if COMPLETE not in run.data.tags]


def _bury(archive: Archive, run: "Run", held: str) -> None:
    """Remove a run whose import nobody is at; the caller holds that of the run `held`."""
    origin = run.data.tags[IMPORTED]
    locks = RunLocks(archive.uri)
    if origin == held or locks.hold(_identity(origin), alone=True, wait=False):
        discard(archive.client, run.info.run_id)
        locks.release()


def _identity(origin: str) -> str:
    return hashlib.sha256(f"import {origin}".encode()).hexdigest()
