"""Tracking: which store runs go to; Store: an open store, made ready by another process while data load."""

import logging
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Annotated, NamedTuple, Self

from pydantic import Field

from recexp.errors import StoreError
from recexp.params import Location, params
from recexp.tracking import process, run_log, store_uri, view
from recexp.tracking.run import Run

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
        uri = store_uri.resolve(self.uri)
        store_uri.check(uri, self.artifacts)
        return Store(uri, self.artifacts, self.experiment, log_model=self.log_model)


class Finished(NamedTuple):
    """A complete run: its id and metrics."""

    id: str
    metrics: dict[str, float]


class Done(NamedTuple):
    """A job that was done before: the sweep that it belonged to, if any, and its runs."""

    sweep: str | None
    runs: list[Finished]


class Store:
    """An open store. A process of its own opens it and writes to it; the first use waits and raises what failed.

    Attributes
    ----------
    uri, experiment, log_model : as opened.
    idle_since : when it was opened or its last run ended, in milliseconds; the next run counts from there.
    """

    def __init__(self, uri: str, artifacts: str | None, experiment: str, *, log_model: bool) -> None:
        self.uri = uri
        self.experiment = experiment
        self.log_model = log_model
        self._records = run_log.Records()
        self.idle_since = _now()
        self.worker = process.take()
        self.opening = self.worker.send(
            "open", uri=uri, artifacts=_artifact_location(uri, artifacts), experiment=experiment, folder=os.getcwd()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._records.close()
        if isinstance(error, StoreError):
            self.worker.close()
        else:
            self.worker.keep()

    @property
    def experiment_id(self) -> str:
        """The id of the experiment that runs go to; raises StoreError when the store could not be opened."""
        return self.worker.result(self.opening)

    def ready(self) -> None:
        """Wait until the store is open; raises StoreError when it cannot be used."""
        self.worker.result(self.opening)

    def finished(self, tags: Mapping[str, str]) -> Finished | None:
        """Return a complete run that carries all of `tags`, or None."""
        self.ready()
        found = self.worker.ask("finished", tags=dict(tags))
        return None if found is None else Finished(*found)

    def claim(self, identity: str, once: Mapping[str, str] | None) -> Finished | None:
        """Say that the next run is of this identity, before it begins; with `once`, return a complete one if there is.

        `once` are the tags of the runs among which one is enough ({}: all of the experiment). Then processes that want
        the same wait for each other, and runs of this identity that dead processes left behind are marked as KILLED.
        """
        if once is None:  # nothing depends on the answer, and the tracking process may not be ready yet
            self.worker.send("claim", identity=identity, once=None, wait=True)
            return None
        self.ready()
        request = {"identity": identity, "once": dict(once)}
        found = self.worker.ask("claim", **request, wait=False)
        if "busy" in found:
            log.info("another process is at this very run; waiting for it")
            found = self.worker.ask("claim", **request, wait=True)
        return Finished(*found["done"]) if found.get("done") else None

    def jobs_done(self, jobs: Sequence[str]) -> dict[str, Done]:
        """Return those of `jobs` (keys) that are done, all of their runs being complete."""
        self.ready()
        found = self.worker.ask("jobs_done", jobs=list(jobs))
        return {job: Done(sweep, [Finished(*run) for run in runs]) for job, (sweep, runs) in found.items()}

    def job_done(self, job: str, runs: Sequence[str]) -> None:
        """Mark a job as done by its runs (ids)."""
        self.worker.ask("job_done", job=job, runs=list(runs))

    def run(self, *, name: str, tags: Mapping[str, str]) -> Run:
        """Return a new run, to be used in a `with` block; it counts from the end of the last one."""
        return Run(self, name, tags, began=self.idle_since, log_so_far=self._records.records)

    def looks(self, test: str) -> int:
        """Return how often a test part (a digest) has been looked at, in all experiments."""
        self.ready()
        return self.worker.ask("looks", test=test)

    def attach(self, run_id: str, *, tags: Mapping[str, str], note: str, folder: Path, into: str) -> None:
        """Add to a finished run: tags, a paragraph of its description, and the files of `folder`.

        They go `into` a folder among the run's files. What another study has left stays: a run may be the best of
        several, and its tags are of the first.
        """
        self.ready()
        self.worker.ask("attach", run_id=run_id, tags=dict(tags), note=note, folder=str(folder), into=into)

    def link(self, run_id: str) -> str:
        """Return the link to a run's page."""
        return view.run_link(self.uri, self.experiment_id, run_id)

    @property
    def leaderboard(self) -> str:
        """The link to all runs of the experiment, the best first."""
        return view.leaderboard_link(self.uri, self.experiment_id)


def _artifact_location(uri: str, artifacts: str | None) -> str | None:
    if artifacts is None:
        file = store_uri.sqlite_file(uri)
        return None if file is None else store_uri.artifacts_of(file).as_uri()
    return artifacts if "://" in artifacts else Path(artifacts).absolute().as_uri()


def _now() -> int:
    return int(time.time() * 1000)
