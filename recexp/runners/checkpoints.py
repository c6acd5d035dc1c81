"""Checkpoint folders: one per run identity, kept until the run is complete, from which a long training resumes."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from recexp.folders import cache_dir


@contextmanager
def checkpoint_folder(identity: str) -> Iterator[Path | None]:
    """Yield the folder (not yet created) of a run with this digest; None while another process trains the same run.

    It is removed if the block succeeds; after an exception or a kill it is kept for the next run of the same identity.
    """
    folder = cache_dir("checkpoints") / identity
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield None
        return
    try:
        yield folder
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        lock.release()
