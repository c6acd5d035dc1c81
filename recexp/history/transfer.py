"""Moves runs between stores: exports all data of a run to a zip file, and imports it. The file contains no code."""

import json
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from recexp import file_names, limits, scratch
from recexp.checksums import sha256
from recexp.errors import DataError, StoreError, one_line
from recexp.history import importing, verification
from recexp.history.archive import Archive, StoredRun
from recexp.history.verification import Parcel
from recexp.tracking import mlflow_model, view
from recexp.tracking.discarding import discard
from recexp.tracking.inputs import entity as dataset_input
from recexp.tracking.mlflow_model import SAVED
from recexp.tracking.parcel import FILES, FORMAT, KIND, MANIFEST, MODEL, RECORD, write
from recexp.tracking.tags import COMPLETE, IMPORTED, IMPORTING, JOB, JOB_RUNS

if TYPE_CHECKING:
    from mlflow.entities import Run as Entity

MAX_PART = 200
"""Letters of a file's name, which file systems limit."""
_LEFT = (COMPLETE, IMPORTING, JOB, JOB_RUNS, "mlflow.runName")
"""Tags that an import does not take over: it sets them itself, or the runs that they name are in the other store."""
_ENVIRONMENT = (file_names.REQUIREMENTS, "conda.yaml", "python_env.yaml")
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, KeyError, TypeError)


def pack(archive: Archive, run: StoredRun, file: Path) -> None:
    """Write a complete run as a zip file: tags, params, metrics with their history, inputs, files and the model.

    Raises StoreError when the run is not complete or cannot be read, or `file` is there already or cannot be written.
    """
    if not run.complete:
        raise StoreError(f"run {run.id} is not complete (status {run.status}) and cannot be exported")
    if file.exists():
        raise StoreError(f"{file} already exists")
    with archive.translate_errors(), scratch.folder() as folder:
        entity = archive.client.get_run(run.id)
        (folder / FILES).mkdir()
        archive.client.download_artifacts(run.id, "", str(folder / FILES))
        _copy_model(archive, run, folder)
        write(folder, _describe(archive, run, entity), file)


@contextmanager
def opened(file: Path) -> Iterator[Parcel]:
    """Unpack and verify an exported run within the block.

    Raises DataError when there is no such file, it is no exported run, it is damaged, or a name in it leads elsewhere.
    """
    if not file.is_file():
        raise DataError(f"{file}: no such file")
    with scratch.folder() as folder:
        try:
            with zipfile.ZipFile(file) as archive:
                unpacked = sum(member.file_size for member in archive.infolist())
                if excess := limits.excess("import_mib", file.stat().st_size, unpacked):
                    raise DataError(f"{file}: {excess}")
                sums = _manifest(archive, file)
                for name, expected in sums.items():
                    target = folder / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(name) as source, target.open("wb") as copy:
                        shutil.copyfileobj(source, copy)
                    if sha256(target) != expected:
                        raise DataError(f"{file} is damaged: {name} does not have the checksum in {MANIFEST}")
        except zipfile.BadZipFile as error:
            raise DataError(f"{file} is not a zip file, or is damaged: {error}") from error
        except _DAMAGE as error:
            raise DataError(f"{file} is damaged: {error}") from error
        yield verification.read(folder, file)


def restore(archive: Archive, parcel: Parcel, experiment_id: str) -> tuple[str, bool]:
    """Put an exported run into an experiment; return its id here, and whether it is new.

    A run that is already in the store, by its own id or as an import, is not changed.
    """
    from mlflow.exceptions import MlflowException

    origin = parcel.record["id"]
    with importing.claimed(archive, origin) as marks, archive.translate_errors():
        if (found := _present(archive, origin)) is not None:
            return found, False
        try:
            client, record = archive.client, parcel.record
            tags = {key: value for key, value in record["tags"].items() if key not in _LEFT}
            run_id = client.create_run(
                experiment_id, start_time=record["started"], tags={**tags, **marks}, run_name=record["name"]
            ).info.run_id
            try:
                _fill(archive, parcel, experiment_id, run_id)
            except BaseException:
                discard(client, run_id)
                raise
        except MlflowException as error:
            if error.error_code != "INVALID_PARAMETER_VALUE":
                raise
            raise DataError(f"the exported run {origin} is damaged: {RECORD}: {one_line(error)}") from error
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise DataError(f"the exported run {origin} is damaged: {RECORD}: {error!r}") from error
        _end_interrupted(archive, origin)
    return run_id, True


def _describe(archive: Archive, run: StoredRun, entity: "Entity") -> dict[str, Any]:
    """Return all that the store knows of a run, as plain data."""
    client, experiment = archive.client, archive.client.get_experiment(run.experiment)
    history = {
        name: [(point.value, point.timestamp, point.step) for point in client.get_metric_history(run.id, name)]
        for name in run.metrics
    }
    inputs = [
        {
            **{key: getattr(given.dataset, key) for key in ("name", "digest", "source_type", "source")},
            "tags": {tag.key: tag.value for tag in given.tags},
        }
        for given in (entity.inputs.dataset_inputs if entity.inputs else [])
    ]
    return {
        "id": run.tags.get(IMPORTED, run.id),
        "name": run.name,
        "experiment": experiment.name,
        "started": run.started,
        "ended": entity.info.end_time,
        "tags": run.tags,
        "params": run.params,
        "metrics": history,
        "inputs": inputs,
        "view": experiment.tags.get(view.VIEW_TAG),
    }


def _copy_model(archive: Archive, run: StoredRun, folder: Path) -> None:
    """Copy the saved model and its requirements; what MLflow says of it is written anew where it arrives."""
    if (logged := archive.model(run)) is None:
        return
    shutil.copytree(logged / SAVED, folder / MODEL / SAVED)
    for name in _ENVIRONMENT:
        shutil.copy(logged / name, folder / MODEL / name)


def _manifest(archive: zipfile.ZipFile, file: Path) -> dict[str, str]:
    """Return the checksums of all members, whose names are safe."""
    names = archive.namelist()
    if MANIFEST not in names:
        raise DataError(f"{file} is not an exported run: it has no {MANIFEST}")
    manifest = json.loads(archive.read(MANIFEST))
    if not isinstance(manifest, dict) or manifest.get("kind") != KIND:
        raise DataError(f"{file} is not an exported run, according to its {MANIFEST}")
    if manifest["format"] != FORMAT:
        raise DataError(f"{file} has format {manifest['format']}; this recexp reads format {FORMAT}")
    sums = dict(manifest["sha256"])
    for name in [*names, *sums]:
        path = PurePosixPath(name)
        inside = name in (MANIFEST, RECORD) or path.parts[:1] in ((FILES,), (MODEL,))
        described = "mlmodel" in name.lower()  # MLflow would take what lies beside it for a model, and load it
        if described or not inside or ".." in path.parts or "\\" in name or ":" in name or name != path.as_posix():
            raise DataError(f"{file} contains {name!r}, which does not belong to an exported run; nothing was imported")
    folders = {folder.as_posix() for name in sums for folder in PurePosixPath(name).parents}
    if any(name in folders or max(map(len, PurePosixPath(name).parts)) > MAX_PART for name in sums):
        raise DataError(f"{file} is damaged: {MANIFEST} lists names that cannot all be files")
    if sorted(names) != sorted([*sums, MANIFEST]) or RECORD not in sums:
        raise DataError(f"{file} is damaged: it does not contain the files that {MANIFEST} lists")
    return sums


def _present(archive: Archive, origin: str) -> str | None:
    for run in archive.runs(tags={IMPORTED: origin}):
        return run.id
    found = _of_this_id(archive, origin)
    return origin if found is not None and found.data.tags.get(COMPLETE) == "true" else None


def _of_this_id(archive: Archive, run_id: str) -> "Entity | None":
    found = archive.client.search_runs([*archive.experiments()], f"attributes.run_id = '{run_id}'", max_results=1)
    return found[0] if found else None


def _end_interrupted(archive: Archive, origin: str) -> None:
    """Mark a run as killed that was interrupted while its store was held, and came in as a file now."""
    run = _of_this_id(archive, origin)
    if run is not None and run.info.status == "RUNNING":
        archive.client.set_terminated(origin, "KILLED")


def _fill(archive: Archive, parcel: Parcel, experiment_id: str, run_id: str) -> None:
    """Write everything and mark the run as complete, like the process that writes a run at first."""
    from mlflow.entities import Metric, Param

    client, record = archive.client, parcel.record
    model_id = None
    if (parcel.folder / MODEL).is_dir():
        came, wrapped = parcel.folder / MODEL / SAVED, parcel.folder / "wrapped"
        needs = parcel.requirements
        model_id = mlflow_model.log(
            client, experiment_id, run_id, came, wrapped, params=record["params"], requirements=needs
        )
    client.log_artifacts(run_id, str(parcel.folder / FILES))
    client.log_inputs(run_id, datasets=[dataset_input(given) for given in record["inputs"]])
    client.log_batch(
        run_id,
        metrics=[
            Metric(name, float(value), int(at), int(step), model_id=model_id)
            for name, points in record["metrics"].items()
            for value, at, step in points
        ],
        params=[Param(name, value) for name, value in record["params"].items()],
    )
    if record["view"] and view.VIEW_TAG not in client.get_experiment(experiment_id).tags:
        client.set_experiment_tag(experiment_id, view.VIEW_TAG, record["view"])
    client.set_terminated(run_id, "FINISHED", record["ended"])
    client.set_tag(run_id, COMPLETE, "true")
    client.delete_tag(run_id, IMPORTING)
