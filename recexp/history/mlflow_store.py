"""Reads runs from any store, through MLflow."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from recexp.history.stored_run import StoredRun
from recexp.tracking.client import search_runs

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


def runs(client: "MlflowClient", experiment_ids: Sequence[str], tags: Mapping[str, str]) -> list[StoredRun]:
    """Return the runs of experiments that carry all of `tags`, the oldest first."""
    return [stored_run(run) for run in search_runs(client, experiment_ids, tags)]


def stored_run(run: "Run") -> StoredRun:
    """Return a run of MLflow as a StoredRun."""
    info, data = run.info, run.data
    return StoredRun(
        id=info.run_id,
        name=info.run_name or "",
        experiment=info.experiment_id,
        started=info.start_time,
        status=info.status,
        tags=dict(data.tags),
        params=dict(data.params),
        metrics=dict(data.metrics),
        files=info.artifact_uri or "",
    )


def model_folder(client: "MlflowClient", run_id: str) -> str | None:
    """Return the address of the model that a run has logged."""
    outputs = client.get_run(run_id).outputs
    for output in outputs.model_outputs[:1] if outputs else []:
        where: str = client.get_logged_model(output.model_id).artifact_location
        return where
    return None


def files(client: "MlflowClient", run_id: str) -> list[tuple[str, int]]:
    """Return the path and size in bytes of each file of a run, by path."""
    found: list[tuple[str, int]] = []
    folders: list[str | None] = [None]
    while folders:
        items = client.list_artifacts(run_id, folders.pop())
        found += [(item.path, item.file_size or 0) for item in items if not item.is_dir]
        folders += [item.path for item in items if item.is_dir]
    return sorted(found)
