"""Run: one experiment on its way into the store. It counts as complete only once everything is there."""

import logging
import math
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from getpass import getuser
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from recexp.errors import DiskFullError, StoreError
from recexp.tracking import local, model, place, source, view
from recexp.tracking.names import clean, flatten, mask

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput, LoggedModel
    from mlflow.entities import Run as MlflowRun

    from recexp.tracking.store import Store

log = logging.getLogger(__name__)

COMPLETE = "recexp.complete"
"""The tag that is set last; a run without it is not to be trusted."""


class Input(NamedTuple):
    """A data set that went in: its role (train, test), name, content digest (sha256) and where it came from."""

    context: str
    name: str
    digest: str
    source: str


class Run:
    """A run in the making, used as a `with` block that calls `finish` once.

    An exception marks the run FAILED (KILLED on Ctrl-C and SIGTERM) with its reason in the tag `recexp.error`. When
    the disk is full, what was written of the run is removed and DiskFullError raised.

    Attributes
    ----------
    directory : what is written below it becomes the run's files.
    scratch : a folder for what is needed on the way and not kept; removed at the end.
    """

    def __init__(
        self, store: "Store", name: str, tags: Mapping[str, str], *, began: int, log_so_far: list[logging.LogRecord]
    ) -> None:
        self._store = store
        self._began = began
        self._log_so_far = log_so_far
        self._name = name
        self._tags = dict(tags)
        self._points: list[tuple[str, float, int, int]] = []
        self._model: LoggedModel | None = None
        self._finished = False

    def __enter__(self) -> Self:
        with place.explained(self._store.uri):
            self.scratch = Path(tempfile.mkdtemp(prefix="recexp-"))
            self.directory = self.scratch / "files"
            self.directory.mkdir()
        self._log = local.LogFile(self.directory / "recexp.log", self._log_so_far)
        self._created: Future[MlflowRun] = self._store.worker.submit(self._create)
        self._restore_sigterm = local.exit_on_sigterm()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._restore_sigterm()
        try:
            if error is not None and (place.is_full(error) or isinstance(error, DiskFullError)):
                self._discard()
                raise place.explain(error, self._store.uri) from error
            if not self._finished:
                self._fail(error)
        finally:
            self._log.close()
            shutil.rmtree(self.scratch, ignore_errors=True)

    @property
    def id(self) -> str:
        """The run's id in the store."""
        with place.explained(self._store.uri):
            return self._created.result().info.run_id

    @property
    def link(self) -> str:
        """The link to the run's page."""
        return self._store.link(self.id)

    def log_step(self, step: int, values: Mapping[str, float]) -> None:
        """Keep a point of a learning curve; all are sent at the end."""
        now = _now()
        self._points += [(f"training/{name}", float(value), now, step) for name, value in values.items()]

    def curves(self) -> dict[str, list[tuple[int, float]]]:
        """Return the learning curves so far: (step, value) pairs by name."""
        curves: dict[str, list[tuple[int, float]]] = {}
        for name, value, _, step in self._points:
            curves.setdefault(name.removeprefix("training/"), []).append((step, value))
        return curves

    def finish(
        self,
        *,
        metrics: Mapping[str, float],
        params: Mapping[str, Any],
        description: str,
        inputs: Iterable[Input],
        model_folder: Path | None,
    ) -> None:
        """Write everything and mark the run as complete; raises StoreError.

        Parameters
        ----------
        metrics : values by full name, the headline first; those that are not finite are left out.
        params : the resolved config, nested; logged under dotted names.
        description : Markdown for the run's page.
        inputs : the data sets that went in.
        model_folder : a saved model, or None.
        """
        with place.explained(self._store.uri):
            connection, run_id = self._store.connection, self.id
            client = connection.client
            flat = flatten(params)
            (self.directory / "requirements.txt").write_text("\n".join(source.requirements(deep=True)) + "\n")
            if connection.diff:
                (self.directory / "git.diff").write_text(connection.diff)
            model_id = None
            if model_folder is not None and self._store.log_model:
                model_id = self._log_model(model_folder, flat)
            self._log.close()
            client.log_artifacts(run_id, str(self.directory))
            client.log_inputs(run_id, datasets=[_entity(item) for item in inputs])
            self._log_batch(metrics, flat, description, model_id)
            if not connection.has_view and metrics:
                client.set_experiment_tag(connection.experiment_id, view.VIEW_TAG, view.view_state(metrics))
            client.set_terminated(run_id, "FINISHED")
            client.set_tag(run_id, COMPLETE, "true")
        self._finished = True

    def _create(self) -> "MlflowRun":
        connection = self._store.connection
        tags = {**self._tags, **connection.source_tags, "mlflow.source.name": "recexp", "mlflow.source.type": "LOCAL"}
        with suppress(OSError, KeyError):
            tags["mlflow.user"] = getuser()
        return connection.client.create_run(
            connection.experiment_id, start_time=self._began, tags=tags, run_name=self._name
        )

    def _log_model(self, model_folder: Path, flat: dict[str, str]) -> str:
        from mlflow.entities import LoggedModelOutput

        connection = self._store.connection
        logged = connection.client.create_logged_model(
            connection.experiment_id, name="model", source_run_id=self.id, params=flat, model_type="recommender"
        )
        self._model = logged
        folder = self.scratch / "model"
        model.wrap(model_folder, folder, model_id=logged.model_id, run_id=self.id)
        connection.client.log_model_artifacts(logged.model_id, str(folder))
        connection.client.log_outputs(self.id, [LoggedModelOutput(logged.model_id, step=0)])
        connection.client.finalize_logged_model(logged.model_id, "READY")
        return logged.model_id

    def _log_batch(
        self, metrics: Mapping[str, float], flat: dict[str, str], description: str, model_id: str | None
    ) -> None:
        from mlflow.entities import Metric, Param, RunTag

        now = _now()
        points = [(name, float(value), now, 0) for name, value in metrics.items()]
        self._store.connection.client.log_batch(
            self.id,
            metrics=[
                Metric(clean(name), value, at, step, model_id=model_id)
                for name, value, at, step in points + self._points if math.isfinite(value)
            ],
            params=[Param(name, value) for name, value in flat.items()],
            tags=[RunTag("mlflow.note.content", mask(description))],
        )  # fmt: skip

    def _fail(self, error: BaseException | None) -> None:
        """Say in the store that the run failed and why; best effort, for the error itself matters more."""
        killed = isinstance(error, KeyboardInterrupt | SystemExit)
        reason = "the run ended without results"
        if error is not None:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
        self._log.write_traceback(error)
        try:
            client, run_id = self._store.connection.client, self.id
            client.set_tag(run_id, "recexp.error", mask(reason)[:500])
            client.set_terminated(run_id, "KILLED" if killed else "FAILED")
            client.log_artifact(run_id, str(self.directory / "recexp.log"))
        except (*place.store_errors(), StoreError) as problem:
            log.debug("the failed run could not be marked as such: %s", problem)

    def _discard(self) -> None:
        """Remove what was written of the run, space first."""
        self._log.close()
        shutil.rmtree(self.scratch, ignore_errors=True)
        try:
            client, run = self._store.connection.client, self._created.result()
            local.remove(run.info.artifact_uri)
            if self._model is not None:
                local.remove(self._model.artifact_location)
                client.delete_logged_model(self._model.model_id)
            client.set_terminated(run.info.run_id, "FAILED")
            client.delete_run(run.info.run_id)
        except (*place.store_errors(), StoreError) as problem:
            log.warning("the unfinished run could not be removed: %s", problem)


def _entity(item: Input) -> "DatasetInput":
    import json

    from mlflow.entities import Dataset, DatasetInput, InputTag

    name, digest = item.name[:500], item.digest[:32]
    scheme = "http" if item.source.startswith(("http://", "https://")) else "local"
    place_key = "url" if scheme == "http" else "uri"
    dataset = Dataset(name=name, digest=digest, source_type=scheme, source=json.dumps({place_key: item.source}))
    return DatasetInput(dataset, tags=[InputTag("mlflow.data.context", item.context)])


def _now() -> int:
    return int(time.time() * 1000)
