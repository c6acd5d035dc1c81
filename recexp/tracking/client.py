"""MLflow, imported without its telemetry and its chatter; its stores, made when they are not there."""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from recexp.errors import StoreError
from recexp.tracking import empty_store, store_uri
from recexp.tracking.names import search_terms

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

PAGE = 1000
"""Runs asked for at a time."""


def load() -> None:
    """Import MLflow, which takes two seconds, ahead of its first use."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # one a file, where most take no time
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # "View run ..." for each that is ended
    from mlflow import MlflowClient  # noqa: F401

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what fails is raised, and told once


def connect(uri: str) -> "MlflowClient":
    """Return a client of the store at `uri`."""
    load()
    from mlflow import MlflowClient

    address = store_uri.for_mlflow(uri)
    return MlflowClient(address, address)


def search_runs(
    client: "MlflowClient", experiments: Sequence[str], tags: Mapping[str, str], *, deleted: bool = False
) -> "Iterator[Run]":
    """Yield the runs of experiments (ids) that carry all of `tags`, the oldest first, `deleted` ones too if wanted."""
    from mlflow.entities import ViewType

    view, token = ViewType.ALL if deleted else ViewType.ACTIVE_ONLY, None
    while True:
        page = client.search_runs(
            [*experiments],
            search_terms(tags),
            view,
            max_results=PAGE,
            order_by=["attributes.start_time ASC"],
            page_token=token,
        )
        yield from page
        if not (token := page.token):
            return


@contextmanager
def opened(uri: str) -> Iterator["MlflowClient"]:
    """Give a client of the store at `uri`, which is made if there is none.

    Within the block no other process makes it, or anything that the block makes in it.
    """
    file = store_uri.sqlite_file(uri)
    with nullcontext() if file is None else _locked(file):
        if file is not None and not file.exists():
            _create(file)
        yield connect(uri)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    try:
        with FileLock(store_uri.lock_file(file), timeout=store_uri.CREATE_SECONDS):
            yield
    except Timeout as error:
        raise StoreError(f"tracking.uri: {file} is being created by another process, which does not finish") from error


def _create(file: Path) -> None:
    """Make a new database aside and move it into place: a kill leaves none that is half made."""
    aside = file.with_name(f".{file.name}.new")
    aside.unlink(missing_ok=True)
    aside.touch()  # SQLite itself would let nobody else write to it, whatever the umask
    try:
        empty_store.write(aside, lambda new: connect(store_uri.sqlite_uri(new)).search_experiments(max_results=1))
        os.replace(aside, file)
    finally:
        aside.unlink(missing_ok=True)
