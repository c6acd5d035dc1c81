"""Where a long training leaves what it needs to go on: a folder by the run's identity, until the run is complete."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from recexp.folders import cache_dir


@contextmanager
def checkpoint_folder(identity: str) -> Iterator[Path | None]:
    """Yield the folder (not made yet) of a run with this digest; None while another process trains the same.

    It is removed when the block ends well; an exception or a kill keeps it for the next run of the same identity.
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
