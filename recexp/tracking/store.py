"""Tracking: which store runs go to; Store: an open store, made ready in the background while data load."""

import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, NamedTuple, Self

from pydantic import Field

from recexp.errors import StoreError
from recexp.params import Location, params
from recexp.tracking import local, place, source, view
from recexp.tracking.run import COMPLETE, Run

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger(__name__)


@params
class Tracking:
    """Which MLflow store runs go to.

    Parameters
    ----------
    uri : a tracking URI or the path of a .db file; None is `mlflow.db` in the working directory.
    artifacts : folder or address of a new experiment's files; None is beside the SQLite file, or the server's choice.
    experiment : name of the MLflow experiment, made when it does not exist.
    log_model : whether the model is kept.
    """

    uri: Location | None
    artifacts: Location | None
    experiment: Annotated[str, Field(min_length=1)]
    log_model: bool

    def open(self) -> "Store":
        """Return the store, to be used in a `with` block; raises StoreError at once when it cannot be written."""
        uri = place.resolve(self.uri)
        place.check(uri, self.artifacts)
        return Store(uri, self.artifacts, self.experiment, log_model=self.log_model)


class Finished(NamedTuple):
    """A complete run: its id and metrics."""

    id: str
    metrics: dict[str, float]


@dataclass(frozen=True)
class Connection:
    """What is known once the store is open."""

    client: "MlflowClient"
    experiment_id: str
    has_view: bool
    source_tags: dict[str, str]
    diff: str


class Store:
    """An open store. MLflow is imported by a thread of its own; the first use waits for it and raises what failed."""

    def __init__(self, uri: str, artifacts: str | None, experiment: str, *, log_model: bool) -> None:
        self.uri = uri
        self.experiment = experiment
        self.log_model = log_model
        self._artifacts = artifacts
        self._closed = threading.Event()
        self._records = local.Records()
        self._began = _now()
        self.worker = ThreadPoolExecutor(1, thread_name_prefix="recexp-tracking")
        self._connecting: Future[Connection] = self.worker.submit(self._connect)
        self.worker.submit(_load_plots)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closed.set()
        self._records.close()
        self.worker.shutdown(wait=error is None, cancel_futures=True)

    @cached_property
    def connection(self) -> Connection:
        """The open connection; raises StoreError."""
        with place.explained(self.uri):
            return self._connecting.result()

    def finished(self, tags: Mapping[str, str]) -> Finished | None:
        """Return a complete run that carries all of `tags`, or None."""
        wanted = {**tags, COMPLETE: "true"}
        marks = {key: '"' if "'" in value else "'" for key, value in wanted.items()}
        terms = " and ".join(f"tags.`{key}` = {marks[key]}{value}{marks[key]}" for key, value in wanted.items())
        with place.explained(self.uri):
            runs = self.connection.client.search_runs([self.connection.experiment_id], terms, max_results=1)
        return Finished(runs[0].info.run_id, runs[0].data.metrics) if runs else None

    def run(self, *, name: str, tags: Mapping[str, str]) -> Run:
        """Return a new run, to be used in a `with` block; what was done since the last one counts as part of it."""
        began, self._began = self._began, _now()
        return Run(self, name, tags, began=began, log_so_far=self._records.records)

    def link(self, run_id: str) -> str:
        """Return the link to a run's page."""
        return view.run_link(self.uri, self.connection.experiment_id, run_id)

    @property
    def leaderboard(self) -> str:
        """The link to all runs of the experiment, the best first."""
        return view.leaderboard_link(self.uri, self.connection.experiment_id)

    def _connect(self) -> Connection:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        source_tags, diff = source.git_state(Path.cwd())
        from mlflow import MlflowClient

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what fails is raised, and told once
        if self._closed.is_set():
            raise StoreError("the store was closed before it was used")
        file = place.sqlite_file(self.uri)
        with nullcontext() if file is None else _locked(file):
            if file is not None and not file.exists():
                _create(file)
            client = MlflowClient(self.uri, self.uri)
            experiment = client.get_experiment_by_name(self.experiment)
            if experiment is None:
                created = client.create_experiment(self.experiment, artifact_location=self._artifact_location(file))
                experiment = client.get_experiment(created)
        if experiment.lifecycle_stage == "deleted":
            raise StoreError(
                f"tracking.experiment: {self.experiment} was deleted; restore it in MLflow or use another name"
            )
        return Connection(client, experiment.experiment_id, view.VIEW_TAG in experiment.tags, source_tags, diff)

    def _artifact_location(self, file: Path | None) -> str | None:
        if self._artifacts is None:
            return None if file is None else place.artifacts_of(file).as_uri()
        return self._artifacts if "://" in self._artifacts else Path(self._artifacts).absolute().as_uri()


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    try:
        with FileLock(place.lock_file(file), timeout=place.CREATE_SECONDS):
            yield
    except Timeout as error:
        raise StoreError(f"tracking.uri: {file} is being created by another process that does not end") from error


def _create(file: Path) -> None:
    """Make a new database aside and move it into place: a kill leaves none that is half made."""
    from mlflow import MlflowClient

    aside = file.with_name(f".{file.name}.new")
    aside.unlink(missing_ok=True)
    try:
        MlflowClient(f"sqlite:///{aside}", f"sqlite:///{aside}").search_experiments(max_results=1)
        os.replace(aside, file)
    finally:
        aside.unlink(missing_ok=True)


def _load_plots() -> None:
    from recexp import plots

    plots.load()


def _now() -> int:
    return int(time.time() * 1000)
