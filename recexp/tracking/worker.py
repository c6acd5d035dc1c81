"""The process that writes to MLflow and draws, so that importing and using them takes no time from the experiment.

It reads one request a line from its input, such as {"do": "create", "name": ...}, and answers each in order with a
line on its output: {"ok": value} or {"error": {"kind", "message", "trace"}}. It leaves when its input ends.
"""

import gc
import json
import math
import os
import queue
import re
import signal
import sqlite3
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from recexp.errors import StoreError
from recexp.tracking import claims, client, local, looks, model, place, source, view
from recexp.tracking.names import COMPLETE, clean

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Experiment, LoggedModel


COLLISIONS = 5
"""How often in a row two processes may collide over a data set: once a data set, if that."""


def main() -> None:
    """Answer requests until the input ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the parent decides
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)  # whatever a library prints must not look like an answer
    ready = threading.Event()
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, lines, ready), daemon=True).start()
    gc.disable()  # objects of an import live on: to look through them again and again takes a tenth of its time
    client.load()
    gc.freeze()
    gc.enable()
    ready.set()
    tracker = Tracker()
    while line := lines.get():
        said = json.dumps(_answer(tracker, json.loads(line)))
        try:
            answers.write(said.encode() + b"\n")
            answers.flush()
        except BrokenPipeError:
            break
    os._exit(0)


def _listen(requests: BinaryIO, lines: "queue.SimpleQueue[bytes]", ready: threading.Event) -> None:
    for line in requests:
        if line.endswith(b"\n"):  # else the parent was interrupted
            lines.put(line)
    if not ready.is_set():
        os._exit(0)  # the parent has gone before anything was begun
    lines.put(b"")


def _answer(tracker: "Tracker", request: dict[str, Any]) -> dict[str, Any]:
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    do = request.pop("do")
    methods: dict[str, Callable[..., Any]] = {
        "open": tracker.open, "finished": tracker.finished, "create": tracker.create, "prepare": tracker.prepare,
        "draw": tracker.draw, "finish": tracker.finish, "fail": tracker.fail, "discard": tracker.discard,
        "claim": tracker.claim, "jobs_done": tracker.jobs_done, "job_done": tracker.job_done,
        "looks": tracker.looks, "attach": tracker.attach,
    }  # fmt: skip
    try:
        return {"ok": methods[do](**request)}
    except (StoreError, OSError, sqlite3.Error, MlflowException, SQLAlchemyError) as error:
        problem = place.explain(error, tracker.uri)
        return {"error": {"kind": type(problem).__name__, "message": str(problem), "trace": ""}}
    except Exception as error:  # the end of this process's world: the parent raises it in its own
        message = f"tracking, {do}: {type(error).__name__}: {error}"
        return {"error": {"kind": "", "message": message, "trace": traceback.format_exc()}}


class Tracker:
    """What the parent may ask for, each a method with plain arguments. The store is the one opened last."""

    def __init__(self) -> None:
        self.uri = ""
        self._experiment: Experiment | None = None
        self._models: dict[str, LoggedModel] = {}
        self._complete: set[str] = set()
        self._claims: claims.Claims | None = None

    @property
    def experiment(self) -> "Experiment":
        """The experiment that runs go to; raises StoreError when opening it failed."""
        if self._experiment is None:
            raise StoreError("the store is not open")
        return self._experiment

    def open(self, uri: str, artifacts: str | None, experiment: str, folder: str) -> str:
        """Open the store, which is made if there is none; return the id of the experiment."""
        if self._claims is not None:
            self._claims.close()
        self.uri, self._experiment = uri, None
        self.source_tags, self.diff = source.git_state(Path(folder))
        file = place.sqlite_file(uri)
        with nullcontext() if file is None else _locked(file):
            if file is not None and not file.exists():
                _create(file)
            self.client = client.connect(uri)
            found = self.client.get_experiment_by_name(experiment)
            if found is None:
                created = self.client.create_experiment(experiment, artifact_location=artifacts)
                found = self.client.get_experiment(created)
        if found.lifecycle_stage == "deleted":
            raise StoreError(f"tracking.experiment: {experiment} was deleted; restore it in MLflow or use another name")
        self._experiment, self._claims = found, claims.Claims(uri)
        return found.experiment_id

    def finished(self, tags: dict[str, str]) -> tuple[str, dict[str, float]] | None:
        """Return the id and metrics of a complete run that carries all of `tags`."""
        runs = claims.search(self.client, self.experiment.experiment_id, {**tags, COMPLETE: "true"}, limit=1)
        return (runs[0].info.run_id, runs[0].data.metrics) if runs else None

    def claim(self, identity: str, once: dict[str, str] | None, wait: bool) -> dict[str, Any]:
        """Hold an identity until the run that comes next has ended.

        With `once`, the tags of the runs of which one complete is enough, it is held against everybody, dead runs of it
        are marked, and {"done": id and metrics} tells of one that is complete. {"busy": true}: another holds it.
        """
        if not self._claims.hold(identity, alone=once is not None, wait=wait):
            return {"busy": True}
        if once is None:
            return {}
        claims.bury(self.client, self.experiment.experiment_id, identity)
        found = self.finished({claims.CONFIG: identity, **once})
        if found is not None:
            self._claims.release()
        return {"done": found}

    def jobs_done(self, jobs: list[str]) -> dict[str, list[Any]]:
        """Return the sweep and the runs of those of `jobs` that are done."""
        return claims.jobs_done(self.client, self.experiment.experiment_id, jobs)

    def job_done(self, job: str, runs: list[str]) -> None:
        """Mark a job as done by its runs, all of them complete."""
        from mlflow.entities import RunTag

        self.client.log_batch(runs[-1], tags=[RunTag(claims.JOB, job), RunTag(claims.JOB_RUNS, " ".join(runs))])

    def looks(self, protocol: str) -> int:
        """Return how many complete runs of a protocol have looked at the test."""
        return looks.looks(self.client, self.uri, protocol)

    def attach(
        self, run_id: str, tags: dict[str, str], note: str, folder: str, into: str, study: dict[str, Any]
    ) -> None:
        """Add tags, a paragraph, the files of a folder and the plots of a study to a run that is there."""
        from recexp import study_plots

        study_plots.draw(Path(folder), study)
        self.client.log_artifacts(run_id, folder, into)
        head, _, rest = self.client.get_run(run_id).data.tags.get("mlflow.note.content", "").partition("\n\n")
        if note not in rest:
            tags = {**tags, "mlflow.note.content": f"{head}\n\n{note}\n\n{rest}"}
        for key, value in tags.items():
            self.client.set_tag(run_id, key, value)

    def create(self, name: str, tags: dict[str, str], began: int) -> str:
        """Return the id of a new run; `began` is in milliseconds."""
        run = self.client.create_run(
            self.experiment.experiment_id, start_time=began, tags={**tags, **self.source_tags}, run_name=name
        )
        return run.info.run_id

    def prepare(self) -> None:
        """Do ahead of time what drawing and finishing need."""
        from recexp import plots

        plots.load()
        model.load()
        source.requirements(deep=True)

    def draw(self, folder: str, data: dict[str, Any]) -> None:
        """Draw the plots of a run."""
        from recexp import plots

        plots.draw(Path(folder), data)

    def finish(
        self, run_id: str, folder: str, params: dict[str, str], metrics: list[str],
        lower_is_better: bool, points: list[tuple[str, float, int, int]], description: str,
        inputs: list[dict[str, str]], saved: str | None, tags: dict[str, str],
    ) -> None:  # fmt: skip
        """Write everything and mark the run as complete."""
        from mlflow.entities import Metric, Param, RunTag

        mlflow, directory = self.client, Path(folder)
        (directory / "requirements.txt").write_text("\n".join(source.requirements(deep=True)) + "\n")
        if self.diff:
            (directory / "git.diff").write_text(self.diff)
        model_id = None if saved is None else self._log_model(run_id, Path(saved), directory.parent / "model", params)
        mlflow.log_artifacts(run_id, folder)
        log_inputs(mlflow, run_id, [_entity(item) for item in inputs])
        mlflow.log_batch(
            run_id,
            metrics=[
                Metric(clean(name), value, at, step, model_id=model_id)
                for name, value, at, step in points if math.isfinite(value)
            ],
            params=[Param(name, value) for name, value in params.items()],
            tags=[RunTag(key, value) for key, value in {"mlflow.note.content": description, **tags}.items()],
        )  # fmt: skip
        if metrics and not metrics[0].startswith("validation") and view.VIEW_TAG not in self.experiment.tags:
            state = view.view_state(metrics, lower_is_better=lower_is_better)
            mlflow.set_experiment_tag(self.experiment.experiment_id, view.VIEW_TAG, state)
        mlflow.set_terminated(run_id, "FINISHED")
        mlflow.set_tag(run_id, COMPLETE, "true")
        self._complete.add(run_id)
        self._claims.release()

    def fail(self, run_id: str, reason: str, status: str, log_file: str) -> None:
        """Mark a run as failed or killed, unless it was complete before the parent could hear of it."""
        if run_id not in self._complete:
            self.client.set_tag(run_id, "recexp.error", reason)
            self.client.set_terminated(run_id, status)
            self.client.log_artifact(run_id, log_file)
        self._claims.release()

    def discard(self, run_id: str) -> None:
        """Remove what was written of a run, space first."""
        local.remove(self.client.get_run(run_id).info.artifact_uri)
        logged = self._models.pop(run_id, None)
        if logged is not None:
            local.remove(logged.artifact_location)
            self.client.delete_logged_model(logged.model_id)
        self.client.set_terminated(run_id, "FAILED")
        self.client.delete_run(run_id)
        self._claims.release()

    def _log_model(self, run_id: str, saved: Path, wrapped: Path, params: dict[str, str]) -> str:
        from mlflow.entities import LoggedModelOutput

        logged = self.client.create_logged_model(
            self.experiment.experiment_id, name="model", source_run_id=run_id, params=params, model_type="recommender"
        )
        self._models[run_id] = logged
        model.wrap(saved, wrapped, model_id=logged.model_id, run_id=run_id)
        self.client.log_model_artifacts(logged.model_id, str(wrapped))
        self.client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
        self.client.finalize_logged_model(logged.model_id, "READY")
        return logged.model_id


def log_inputs(mlflow: "MlflowClient", run_id: str, datasets: "list[DatasetInput]") -> None:
    """Log the data sets of a run, again where another process was the first to log one of them at the same moment.

    MLflow looks whether a data set is there and then inserts it: of two that do so at once, the later one fails.
    """
    from mlflow.exceptions import MlflowException

    for attempt in range(COLLISIONS + 1):
        try:
            return mlflow.log_inputs(run_id, datasets=datasets)
        except MlflowException as error:
            if attempt == COLLISIONS or not re.search("unique|duplicate", str(error), re.IGNORECASE):
                raise


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
    aside = file.with_name(f".{file.name}.new")
    aside.unlink(missing_ok=True)
    try:
        client.connect(f"sqlite:///{aside}").search_experiments(max_results=1)
        os.replace(aside, file)
    finally:
        aside.unlink(missing_ok=True)


def _entity(item: dict[str, str]) -> "DatasetInput":
    from mlflow.entities import Dataset, DatasetInput, InputTag

    name, digest, where = item["name"][:500], item["digest"][:32], item["source"]
    web = where.startswith(("http://", "https://"))
    dataset = Dataset(name, digest, "http" if web else "local", json.dumps({"url" if web else "uri": where}))
    return DatasetInput(dataset, tags=[InputTag("mlflow.data.context", item["context"])])
