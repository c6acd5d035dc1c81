"""Storage of studies: an SQLite file next to the tracking store, or, for a server, in recexp's cache folder."""

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from recexp import system
from recexp.errors import StoreError, one_line
from recexp.folders import cache_dir
from recexp.identity import digest
from recexp.secrets import mask
from recexp.tracking import store_uri

if TYPE_CHECKING:
    from optuna import Study

LOCK_SECONDS = 60


def studies_of(uri: str | None) -> Path:
    """Return the studies file for a tracking URI: `mlflow-tuning.db` next to `mlflow.db`.

    For a server, the file is in recexp's cache folder, named by a digest of the server's address.
    """
    resolved = store_uri.resolve(uri)
    server = cache_dir("tuning") / f"mlflow-{digest(mask(resolved))[:10]}.db"
    store = store_uri.sqlite_file(resolved) or server
    return store.with_name(f"{store.stem}-tuning.db")


def open_study(file: Path, name: str, *, higher_is_better: bool, prune_after: int | None) -> "Study":
    """Return the study of that name, creating it if needed; raises StoreError.

    Trials are pruned by the median rule once there are `prune_after` trials; None: never.
    """
    import optuna
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    pruners = optuna.pruners
    pruner = pruners.NopPruner() if prune_after is None else pruners.MedianPruner(n_startup_trials=prune_after)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(store_uri.lock_file(file), timeout=LOCK_SECONDS):  # concurrent creation would crash
            file.touch()  # SQLite would make it writable by its owner only, whatever the umask
            storage = RDBStorage(store_uri.sqlite_uri(file), engine_kwargs={"connect_args": {"timeout": LOCK_SECONDS}})
            return optuna.create_study(
                storage=storage,
                study_name=name,
                load_if_exists=True,
                direction="maximize" if higher_is_better else "minimize",
                pruner=pruner,
            )
    except (SQLAlchemyError, RuntimeError, OSError, Timeout) as error:
        reason = one_line(error)[:200]
        raise StoreError(f"tuning: {file}, where studies are kept, cannot be used: {reason}") from error


def this_process() -> str:
    """Return an identifier of this process: machine, process id and start time, because ids are reused."""
    return f"{socket.gethostname()}:{os.getpid()}:{system.began(os.getpid())}"


def gone(process: str) -> bool:
    """Return whether a process of this machine has ended; False for other machines, where it cannot be known."""
    if not local(process):
        return False
    number, _, began = process.partition(":")[2].partition(":")
    return not number.isdigit() or not system.is_alive(int(number)) or system.began(int(number)) != began


def local(process: str) -> bool:
    """Return whether a process runs, or ran, on this machine."""
    return process.partition(":")[0] == socket.gethostname()
