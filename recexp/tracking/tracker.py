"""What the tracking process does with MLflow: it opens a store, writes runs to it and finds runs in it."""

import json
import math
import platform
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from recexp.errors import StoreError
from recexp.tracking import chart_view, client, evaluation_count, git, mlflow_model, run_locks, source
from recexp.tracking.discarding import discard
from recexp.tracking.inputs import as_plain, entity, log_inputs
from recexp.tracking.names import clean
from recexp.tracking.patience import PatientClient
from recexp.tracking.tags import (
    COMPLETE,
    CONFIG,
    EVALUATIONS,
    HOST,
    JOB,
    JOB_RUNS,
    REPEATS,
    REPRODUCES,
    STUDY,
    TUNING,
)
from recexp.tracking.view import VIEW_TAG

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment


class Tracker:
    """What the parent may ask for, each a method with plain arguments. The store is the one opened last.

    `tell` hears each few seconds that it waits for a store which another program holds.
    """

    def __init__(self, tell: Callable[[], None] = lambda: None) -> None:
        self.uri = ""
        self._tell = tell
        self._experiment: Experiment | None = None
        self._complete: set[str] = set()
        self._open_locks: run_locks.RunLocks | None = None
        self._running = self._earlier = self._repeated = ""
        self._points: list[tuple[str, float, int, int]] = []

    @property
    def _locks(self) -> run_locks.RunLocks:
        """The locks of the store; raises StoreError when opening it failed."""
        if self._open_locks is None:
            raise StoreError("the store is not open")
        return self._open_locks

    @property
    def experiment(self) -> "Experiment":
        """The experiment that runs go to; raises StoreError when opening it failed."""
        if self._experiment is None:
            raise StoreError("the store is not open")
        return self._experiment

    def open(self, uri: str, artifacts: str | None, experiment: str, folder: str) -> str:
        """Open the store, which is made if there is none; return the id of the experiment."""
        if self._open_locks is not None:
            self._open_locks.release()
        self.uri, self._experiment = uri, None
        self.folder = Path(folder)
        self.source_tags, self.diff = git.state(self.folder)
        with client.opened(uri) as opened:
            self.client = cast("MlflowClient", PatientClient(opened, self._tell))
            found = self.client.get_experiment_by_name(experiment)
            if found is None:
                created = self.client.create_experiment(experiment, artifact_location=artifacts)
                found = self.client.get_experiment(created)
        if found.lifecycle_stage == "deleted":
            raise StoreError(f"tracking.experiment: {experiment} was deleted; restore it in MLflow or use another name")
        self._experiment, self._open_locks = found, run_locks.RunLocks(uri)
        return found.experiment_id

    def find_complete(self, tags: dict[str, str]) -> tuple[str, dict[str, float]] | None:
        """Return the id and metrics of a complete run that carries all of `tags`."""
        runs = run_locks.search(self.client, self.experiment.experiment_id, {**tags, COMPLETE: "true"}, limit=1)
        return (runs[0].info.run_id, runs[0].data.metrics) if runs else None

    def reserve(self, identity: str, reuse_tags: dict[str, str] | None, wait: bool) -> dict[str, Any]:
        """Hold an identity until the run that comes next has ended.

        With `reuse_tags`, the tags of the runs of which one complete is enough, it is held against everybody, dead runs
        of it are marked, and {"done": id and metrics} tells of one that is complete. {"busy": true}: another holds it.
        """
        if not self._locks.hold(identity, alone=reuse_tags is not None, wait=wait):
            return {"busy": True}
        found = None
        if reuse_tags is not None:
            run_locks.mark_killed(self.client, self.experiment.experiment_id, identity)
            found = self.find_complete({CONFIG: identity, **reuse_tags})
        if found is not None:
            self._locks.release()
        else:
            self._earlier = run_locks.first_complete(self.client, self.experiment.experiment_id, identity)
        return {"done": found}

    def repeated(self) -> str:
        """Return the id of the complete run that the run created last is equal to, "" where there is none."""
        return self._repeated

    def find_complete_jobs(self, jobs: list[str]) -> dict[str, list[Any]]:
        """Return the sweep and the runs of those of `jobs` that are done."""
        return run_locks.find_complete_jobs(self.client, self.experiment.experiment_id, jobs)

    def mark_job_complete(self, job: str, runs: list[str]) -> None:
        """Mark a job as done by its runs, all of them complete."""
        from mlflow.entities import RunTag

        self.client.log_batch(runs[-1], tags=[RunTag(JOB, job), RunTag(JOB_RUNS, " ".join(runs))])

    def count_evaluations(self, test: str) -> int:
        """Return how many runs have evaluated a test set (a digest)."""
        return evaluation_count.count_evaluations(self.client, self.uri, test)

    def count_evaluation(self, run_id: str, test: str) -> int:
        """Mark a run as one that evaluates a test set; return how many have by now, this one included."""
        with self._locks.turn():
            number = evaluation_count.count_evaluations(self.client, self.uri, test) + 1
            self.client.set_tag(run_id, EVALUATIONS, str(number))
        return number

    def attach(self, run_id: str, tags: dict[str, str], note: str, folder: str, into: str) -> None:
        """Add tags, a paragraph and the files of a folder to a run that is there.

        Where another study has tagged it, its tags and files stay, and those of this one go into a folder of its own.
        """
        had = self.client.get_run(run_id).data.tags
        if any(had.get(key, tags[key]) != tags[key] for key in (TUNING, STUDY)):
            into, tags = f"{into}/{tags[STUDY][:10]}", {}
        self.client.log_artifacts(run_id, folder, into)
        head, _, rest = had.get("mlflow.note.content", "").partition("\n\n")
        if note not in rest:
            tags = {**tags, "mlflow.note.content": f"{head}\n\n{note}\n\n{rest}"}
        for key, value in tags.items():
            self.client.set_tag(run_id, key, value)

    def create(self, name: str, tags: dict[str, str], began: int) -> str:
        """Return the id of a new run; `began` is in milliseconds."""
        self._running, self._points = "", []
        self._repeated, self._earlier = "" if REPRODUCES in tags else self._earlier, ""
        repeats = {REPEATS: self._repeated} if self._repeated else {}
        run = self.client.create_run(
            self.experiment.experiment_id,
            start_time=began,
            run_name=name,
            tags={**tags, **repeats, **self.source_tags, HOST: platform.node()},
        )
        self._running = run.info.run_id
        return self._running

    def log_points(self, points: list[tuple[str, float, int, int]]) -> None:
        """Write points of learning curves to the run created last; what fails is written with those that come next."""
        from mlflow.entities import Metric

        self._points += [point for point in points if math.isfinite(point[1])]
        metrics = [Metric(clean(name), value, at, step) for name, value, at, step in self._points]
        self.client.log_batch(self._running, metrics=metrics)
        self._points = []

    def prepare(self) -> None:
        """Do ahead of time what finishing needs."""
        mlflow_model.load()
        source.requirements(deep=True)

    def finish(
        self,
        run_id: str,
        folder: str,
        params: dict[str, str],
        view: str | None,
        values: list[tuple[str, float, int, int]],
        points: list[tuple[str, float, int, int]],
        description: str,
        inputs: list[dict[str, str]],
        saved: str | None,
        own_files: list[str] | None,
    ) -> None:
        """Write everything and mark the run as complete; `own_files` None: without a diff of the code."""
        from mlflow.entities import Metric, Param, RunTag

        mlflow, directory = self.client, Path(folder)
        source_tags, diff = git.whole(self.folder, self.diff, own_files)
        source.write(directory, diff, git.copies(self.folder, own_files or ()))
        model_id = None
        if saved is not None:
            place = self.experiment.experiment_id, run_id, Path(saved), directory.parent / "model"
            model_id = mlflow_model.log(mlflow, *place, params=params)
        mlflow.log_artifacts(run_id, folder)
        log_inputs(mlflow, run_id, [entity(as_plain(item)) for item in inputs])
        self.log_points(points)
        mlflow.log_batch(
            run_id,
            metrics=[
                Metric(clean(name), value, at, step, model_id=model_id)
                for name, value, at, step in values
                if math.isfinite(value)
            ],
            params=[Param(name, value) for name, value in params.items()],
            tags=[RunTag("mlflow.note.content", description), *(RunTag(*tag) for tag in source_tags.items())],
        )
        if view is not None:
            self._keep_view(view)
        mlflow.set_terminated(run_id, "FINISHED")
        mlflow.set_tag(run_id, COMPLETE, "true")
        self._complete.add(run_id)
        self._locks.release()

    def _keep_view(self, view: str) -> None:
        """Give the experiment its view where it has none, and show what a view that it has does not show yet."""
        number = self.experiment.experiment_id
        with self._locks.turn():  # of two processes that set it at once, one would fail
            had = self.client.get_experiment(number).tags.get(VIEW_TAG)
            if had is None:
                self.client.set_experiment_tag(number, VIEW_TAG, view)
            elif (more := chart_view.merged(json.loads(had), json.loads(view))) is not None:
                self.client.set_experiment_tag(number, VIEW_TAG, json.dumps(more))

    def fail(
        self, run_id: str, points: list[tuple[str, float, int, int]], reason: str, status: str, log_file: str
    ) -> None:
        """Mark a run as failed or killed, unless it was complete before the parent could hear of it."""
        if run_id not in self._complete:
            self.client.set_tag(run_id, "recexp.error", reason)
            self.client.set_terminated(run_id, status)
            self.log_points(points)
            self.client.log_artifact(run_id, log_file)
        self._locks.release()

    def discard(self, run_id: str) -> None:
        """Remove what was written of a run."""
        discard(self.client, run_id)
        self._locks.release()
