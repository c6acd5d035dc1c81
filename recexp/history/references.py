"""Finds the run or model that a name means: a folder, an id or its beginning, runs:/ID, models:/NAME@ALIAS."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from recexp.errors import StoreError, one_line
from recexp.history.archive import Archive, StoredRun
from recexp.tracking.mlflow_model import SAVED

FORMS = "a run's id or its beginning, runs:/ID, models:/NAME@ALIAS or models:/NAME/VERSION"
_REGISTERED = re.compile(r"models:/+(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>[0-9]+))/?")
_LOGGED = re.compile(r"models:/+(?P<id>m-[0-9a-f]+)/?")


def find_run(archive: Archive, name: str) -> StoredRun:
    """Return the run that `name` means, which is one of FORMS; of a model it is the run that made it.

    Raises StoreError when there is none.
    """
    if name.startswith("models:"):
        return archive.run(_maker(archive, name))
    return archive.run(re.sub(r"^runs:/+([^/]+).*", r"\1", name))


def folder_of_model(archive: Archive, run: StoredRun) -> Path:
    """Return the saved model's folder of a run, fetched if it lies elsewhere. Raises StoreError when it has none."""
    logged = archive.model(run)
    if logged is None:
        raise StoreError(
            f"run {run.id} ({run.name}) stored no model: it did not finish, or ran with tracking.log_model=false, or "
            "its runner has none"
        )
    return logged / SAVED


@contextmanager
def open_model(name: str, uri: str | None) -> Iterator[Path]:
    """Yield the saved model's folder that `name` means: a folder, also one that MLflow has downloaded, or a run.

    Raises StoreError when there is neither.
    """
    here = Path(name)
    with ExitStack() as stack:
        if here.is_dir():
            found = here / SAVED if (here / "MLmodel").is_file() else here
        else:
            try:
                archive = stack.enter_context(Archive(uri))
                found = folder_of_model(archive, find_run(archive, name))
            except StoreError as error:
                if ":/" in name:
                    raise
                raise StoreError(f"{name} is not a saved model: there is no such folder, and {error}") from error
        yield found


def _maker(archive: Archive, name: str) -> str:
    """Return the id of the run that made a registered or logged model."""
    from mlflow.exceptions import MlflowException

    client = archive.client
    registered, logged = _REGISTERED.fullmatch(name), _LOGGED.fullmatch(name)
    try:
        if registered and registered["alias"]:
            run_id = client.get_model_version_by_alias(registered["name"], registered["alias"]).run_id
        elif registered:
            run_id = client.get_model_version(registered["name"], registered["version"]).run_id
        elif logged:
            run_id = client.get_logged_model(logged["id"]).source_run_id
        else:
            raise StoreError(f"{name}: a registered model is written models:/NAME@ALIAS or models:/NAME/VERSION")
    except MlflowException as error:
        raise StoreError(f"there is no {name} in {archive.uri}: {one_line(error)}") from error
    if not run_id:
        raise StoreError(f"{name} does not say which run made it")
    return str(run_id)
