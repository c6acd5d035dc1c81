"""Archive: reads the runs of a store, and adds metrics, tags and files to them."""

import math
import re
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml

from recexp import file_names, scratch, yaml_files
from recexp.errors import ConfigError, StoreError, one_line
from recexp.history import mlflow_store, sqlite_store
from recexp.history.stored_run import StoredRun
from recexp.tracking import client, run_log, store_errors, store_uri
from recexp.tracking.names import clean, search_terms
from recexp.tracking.tags import COMPLETE, IMPORTED

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

COMPARISONS = "-comparisons"
"""What the name of an experiment ends with that holds reports about the runs of another."""


class Archive:
    """An existing store. Raises StoreError if there is none or it cannot be read.

    Downloaded files are kept in a temporary folder until the end of the `with` block, or of the archive.
    """

    def __init__(self, uri: str | None) -> None:
        self.uri = store_uri.resolve(uri)
        file = store_uri.sqlite_file(self.uri)
        if file is not None and not file.is_file():
            raise StoreError(f"tracking.uri: there are no runs yet: {file} does not exist; run recexp first")
        if file is None:
            store_uri.check(self.uri, None)
        self._tables = file if file is not None and sqlite_store.readable(file) else None
        if self._tables is None:
            _ = self.client  # raises what is wrong with the store
        self._fetched: dict[tuple[str, str], Path] = {}
        self._scratch: Path | None = None
        self._remove: Callable[[], object] = lambda: None

    @cached_property
    def client(self) -> "MlflowClient":
        """MLflow's client; importing MLflow takes two seconds."""
        client.load()
        with self.translate_errors():
            return client.connect(self.uri)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove downloaded files."""
        self._remove()
        self._fetched, self._scratch = {}, None

    def experiments(self) -> dict[str, str]:
        """Return the names of all experiments by id."""
        if self._tables is not None:
            with suppress(sqlite3.Error):
                return sqlite_store.experiments(self._tables)
        with self.translate_errors():
            return {found.experiment_id: found.name for found in self.client.search_experiments()}

    def none_such(self, experiment: str) -> str:
        """Return that there is no such experiment, and which there are."""
        return f"there is no {experiment} in {self.uri}; it has {_listed(self.experiments())}"

    def runs(
        self, experiment: str | None = None, *, tags: Mapping[str, str] | None = None, complete: bool = True
    ) -> list[StoredRun]:
        """Return the runs of an experiment (None: of all) that carry all of `tags`, the oldest first.

        Without `complete`, failed, killed and running runs are included. Raises StoreError for an unknown experiment.
        """
        names = self.experiments()
        ids = [key for key, name in names.items() if experiment in (None, name)]
        if not ids:
            advice = "give --experiment NAME or tracking.experiment=NAME"
            raise StoreError(f"tracking.experiment: {self.none_such(str(experiment))}: {advice}")
        tags = {**(tags or {}), **({COMPLETE: "true"} if complete else {})}
        if self._tables is not None:
            with suppress(sqlite3.Error):
                return [run for run in sqlite_store.runs(self._tables, ids, tags) if run.complete or not complete]
        with self.translate_errors():
            return [run for run in mlflow_store.runs(self.client, ids, tags) if run.complete or not complete]

    def run(self, run_id: str) -> StoredRun:
        """Return one run, complete or not, by the beginning of its id in this store or in the one it was imported from.

        Raises StoreError when there is none.
        """
        if re.fullmatch(r"[\w-]+", run_id, re.ASCII):
            found = self._named(run_id)
            if len(found) == 1:
                return found[0]
            if len(found) > 1:
                raise StoreError(
                    f"several runs in {self.uri} have an id that begins with {run_id}; give more characters"
                )
        raise StoreError(f"there is no run {run_id} in {self.uri}; `recexp runs` lists the runs")

    def _named(self, run_id: str) -> list[StoredRun]:
        if self._tables is not None:
            with suppress(sqlite3.Error):
                return sqlite_store.named(self._tables, run_id, IMPORTED)
        found: list[Run] = []
        for name in ("attributes.run_id", f"tags.`{IMPORTED}`"):
            with self.translate_errors():
                beginning = f"{name} LIKE '{run_id}%'"
                found = found or list(self.client.search_runs([*self.experiments()], beginning, max_results=2))
        return [mlflow_store.stored_run(run) for run in found]

    def model(self, run: StoredRun) -> Path | None:
        """Return the folder of the model that a run logged, as MLflow stores it; downloaded if it is remote."""
        where = None
        if self._tables is not None:
            with suppress(sqlite3.Error):
                where = sqlite_store.model_folder(self._tables, run.id)
        else:
            with self.translate_errors():
                where = mlflow_store.model_folder(self.client, run.id)
        here = None if where is None else run_log.folder(where)
        if where is None or (here is not None and here.is_dir()):
            return here
        return self._fetch(run, "model", artifact_uri=where)

    def file(self, run: StoredRun, path: str) -> Path:
        """Return the local path of a file or folder of a run; downloaded if it is remote.

        Raises StoreError when the run has none of that name.
        """
        if (folder := run_log.folder(run.files)) is not None and (folder / path).exists():
            return folder / path
        if (run.id, path) not in self._fetched and not self.has(run, path):
            raise StoreError(f"run {run.id} has no file {path}")
        return self._fetch(run, path, run_id=run.id, artifact_path=path)

    def _fetch(self, run: StoredRun, name: str, **address: str) -> Path:
        """Return where a file or folder has been fetched to, once, from an address as MLflow takes it."""
        if (run.id, name) not in self._fetched:
            from mlflow.artifacts import download_artifacts

            if self._scratch is None:
                self._scratch = scratch.make()
                self._remove = weakref.finalize(self, scratch.remove, self._scratch)
            (folder := self._scratch / run.id).mkdir(exist_ok=True)
            tracking = store_uri.for_mlflow(self.uri)
            with self.translate_errors():
                found = download_artifacts(tracking_uri=tracking, dst_path=str(folder), **address)
            self._fetched[run.id, name] = Path(found)
        return self._fetched[run.id, name]

    def has(self, run: StoredRun, path: str) -> bool:
        """Return whether a run has a file (or folder) of that name."""
        if (here := run_log.folder(run.files)) is not None:
            return (here / path).exists()
        parent = path.rpartition("/")[0] or None
        with self.translate_errors():
            return path in {item.path for item in self.client.list_artifacts(run.id, parent)}

    def files(self, run: StoredRun) -> list[tuple[str, int]]:
        """Return the path and size in bytes of each file of a run, local or remote, by path."""
        if (here := run_log.folder(run.files)) is not None:
            files = (path for path in here.rglob("*") if path.is_file())
            return sorted((path.relative_to(here).as_posix(), path.stat().st_size) for path in files)
        with self.translate_errors():
            return mlflow_store.files(self.client, run.id)

    def add(
        self,
        run: StoredRun,
        *,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
        files: Iterable[Path] = (),
        folder: str | None = None,
    ) -> None:
        """Add metrics, tags, and files (into `folder` among the run's files) to an existing run."""
        from mlflow.entities import Metric, RunTag

        now = int(time.time() * 1000)
        with self.translate_errors():
            for file in files:
                self._fetched.clear()  # it may take the place of one that was fetched
                self.client.log_artifact(run.id, str(file), folder)
            self.client.log_batch(
                run.id,
                metrics=[Metric(clean(k), v, now, 0) for k, v in (metrics or {}).items() if math.isfinite(v)],
                tags=[RunTag(key, value) for key, value in (tags or {}).items()],
            )

    def curves(self, run: StoredRun) -> dict[str, list[tuple[int, float]]]:
        """Return the learning curves of a run: (step, value) pairs by name."""
        found = {}
        with self.translate_errors():
            for name in sorted(name for name in run.metrics if name.startswith("training/")):
                points = self.client.get_metric_history(run.id, name)
                found[name.removeprefix("training/")] = [(point.step, point.value) for point in points]
        return found

    def publish(self, experiment: str, name: str, tags: Mapping[str, str], description: str, file: Path) -> str:
        """Store a file about many runs of an experiment (an id) in a run of its own, and return the id of that run.
        `description` is Markdown for its page. The run goes to a separate experiment, NAME-comparisons.

        The run has no metrics and is not complete, so it never counts as a result; an existing run with these tags is
        reused.
        """
        terms = search_terms(tags)
        with self.translate_errors():
            beside = self._beside(f"{self.experiments()[experiment]}{COMPARISONS}")
            found = list(self.client.search_runs([beside], terms, max_results=1))
            run = found[0] if found else self.client.create_run(beside, tags=dict(tags), run_name=name)
            self.client.log_artifact(run.info.run_id, str(file))
            self.client.set_tag(run.info.run_id, "mlflow.note.content", description)
            self.client.set_terminated(run.info.run_id, "FINISHED")
        run_id: str = run.info.run_id
        return run_id

    def _beside(self, name: str) -> str:
        """Return the id of an experiment, which is made where there is none."""
        if (found := self.client.get_experiment_by_name(name)) is not None:
            return str(found.experiment_id)
        file = store_uri.sqlite_file(self.uri)
        location = None if file is None else store_uri.artifacts_of(file).as_uri()
        return str(self.client.create_experiment(name, artifact_location=location))

    def config(self, run: StoredRun) -> dict[str, Any]:
        """Return the resolved config of a run."""
        return self.yaml(run, file_names.CONFIG)

    def yaml(self, run: StoredRun, path: str) -> dict[str, Any]:
        """Return the content of a yaml file of a run. Raises StoreError if it is missing or damaged."""
        try:
            text = yaml_files.read_text(self.file(run, path), path)
            found = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # libyaml's, where it is there
        except (yaml.YAMLError, ConfigError, ValueError) as error:
            raise StoreError(f"run {run.id}: {path} is damaged: {one_line(error)}") from error
        if not isinstance(found, dict):
            raise StoreError(f"run {run.id}: {path} is damaged: it contains no keys and values")
        return found

    @contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Turn errors of MLflow and the database into StoreError."""
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (OSError, ImportError, MlflowException, SQLAlchemyError) as error:
            raise store_errors.explain(error, self.uri) from error


def _listed(names: Mapping[str, str]) -> str:
    return ", ".join(sorted(names.values())) or "none"
