"""Tracking: which store runs go to; Store: an open store, made ready by another process while data load."""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Annotated, NamedTuple, Self

from pydantic import Field

from recexp.errors import StoreError
from recexp.params import Location, params
from recexp.tracking import process, run_log, store_uri, view
from recexp.tracking.run import Run, Target, now

log = logging.getLogger(__name__)


@params
class Tracking:
    """Which MLflow store runs go to.

    Parameters
    ----------
    uri : a tracking URI or the path of a .db file; None is what MLFLOW_TRACKING_URI says, else `mlflow.db` in the
        working directory.
    artifacts : folder or address of a new experiment's files; None is beside the SQLite file, or the server's choice.
    experiment : name of the MLflow experiment, made when it does not exist.
    log_model : whether the model is kept.
    git_diff : whether code and yaml that are not committed are kept, in git.diff.
    """

    uri: Location | None
    artifacts: Location | None
    experiment: Annotated[str, Field(min_length=1)]
    log_model: bool
    git_diff: bool

    def open(self) -> "Store":
        """Return the store, to be used in a `with` block; raises StoreError at once when it cannot be written."""
        uri = store_uri.resolve(self.uri)
        store_uri.check(uri, self.artifacts)
        return Store(uri, self)


class CompleteRun(NamedTuple):
    """A complete run: its id and metrics."""

    id: str
    metrics: dict[str, float]


class CompleteJob(NamedTuple):
    """A job of which all runs are complete: the sweep that it belonged to, if any, and its runs."""

    sweep: str | None
    runs: list[CompleteRun]


class Store:
    """An open store. A process of its own opens it and writes to it; the first use waits and raises what failed.

    Attributes
    ----------
    uri : as opened.
    process : the one that writes to it.
    opening : its answer that the store is open.
    """

    def __init__(self, uri: str, tracking: Tracking) -> None:
        self.uri, self._tracking = uri, tracking
        self._log_so_far = run_log.LogBuffer()
        self._opened = now()
        self._last: Run | None = None
        self.process = process.take()
        location = _artifact_location(uri, tracking.artifacts)
        self.opening = self.process.send(
            "open", uri=uri, artifacts=location, experiment=tracking.experiment, folder=os.getcwd()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._log_so_far.close()
        if isinstance(error, StoreError):
            self.process.close()
        else:
            self.process.release()

    @property
    def experiment_id(self) -> str:
        """The id of the experiment that runs go to; raises StoreError when the store could not be opened."""
        experiment_id: str = self.process.result(self.opening)
        return experiment_id

    def ready(self) -> None:
        """Wait until the store is open; raises StoreError when it cannot be used."""
        self.process.result(self.opening)

    def find_complete(self, tags: Mapping[str, str]) -> CompleteRun | None:
        """Return a complete run that carries all of `tags`, or None."""
        self.ready()
        found = self.process.ask("find_complete", tags=dict(tags))
        return None if found is None else CompleteRun(*found)

    def reserve(self, identity: str, reuse_tags: Mapping[str, str] | None) -> CompleteRun | None:
        """Reserve an identity for the next run; with `reuse_tags`, return a complete run instead where there is one.

        `reuse_tags` are the tags of the runs among which one is enough ({}: all of the experiment). Then processes that
        want the same wait for each other, and runs of this identity that dead processes left behind are marked as
        KILLED.
        """
        if reuse_tags is None:  # nothing depends on the answer, and the tracking process may not be ready yet
            self.process.send("reserve", identity=identity, reuse_tags=None, wait=True)
            return None
        self.ready()
        request = {"identity": identity, "reuse_tags": dict(reuse_tags)}
        found = self.process.ask("reserve", **request, wait=False)
        if "busy" in found:
            log.info("another process is running the same configuration; waiting")
            found = self.process.ask("reserve", **request, wait=True)
        return CompleteRun(*found["done"]) if found.get("done") else None

    def find_complete_jobs(self, jobs: Sequence[str]) -> dict[str, CompleteJob]:
        """Return those of `jobs` (keys) that are done, all of their runs being complete."""
        self.ready()
        found = self.process.ask("find_complete_jobs", jobs=list(jobs))
        return {job: CompleteJob(sweep, [CompleteRun(*run) for run in runs]) for job, (sweep, runs) in found.items()}

    def mark_job_complete(self, job: str, runs: Sequence[str]) -> None:
        """Mark a job as done by its runs (ids)."""
        self.process.ask("mark_job_complete", job=job, runs=list(runs))

    def run(self, *, name: str, tags: Mapping[str, str]) -> Run:
        """Return a new run, to be used in a `with` block; its time counts from the end of the last one."""
        began = self._opened if self._last is None else self._last.ended
        wanted = self._tracking
        target = Target(self.process, self.opening, self.uri, wanted.log_model, wanted.experiment, wanted.git_diff)
        self._last = Run(target, name, tags, began=began or now(), log_so_far=self._log_so_far.records)
        return self._last

    def count_evaluations(self, test: str) -> int:
        """Return how many runs have evaluated a test set (a digest), in all experiments."""
        self.ready()
        return int(self.process.ask("count_evaluations", test=test))

    def attach(self, run_id: str, *, tags: Mapping[str, str], note: str, folder: Path, into: str) -> None:
        """Add to a finished run: tags, a paragraph of its description, and the files of `folder`.

        They go `into` a folder among the run's files. What another study has left stays: a run may be the best of
        several, and its tags are of the first.
        """
        self.ready()
        self.process.ask("attach", run_id=run_id, tags=dict(tags), note=note, folder=str(folder), into=into)

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
