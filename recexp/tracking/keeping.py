"""What becomes of a run that is computed, and interrupted while another program holds the store: a file to import."""

import platform
import shlex
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from recexp import scratch
from recexp.tracking import git, mlflow_model, parcel, source
from recexp.tracking.inputs import as_plain
from recexp.tracking.tags import HOST


def keep(
    into: Path,
    record: Mapping[str, Any],
    *,
    files: Path,
    model: Path | None,
    points: Iterable[tuple[str, float, int, int]],
    inputs: Iterable[dict[str, str]],
    own_files: Sequence[str] | None,
) -> Path:
    """Write a run as `recexp export` does, and return the file, which is in the folder `into`.

    Parameters
    ----------
    record : its id, name, experiment, started, ended, tags, params and view.
    files : the folder of its files. model : that of its saved model, or None.
    points : the values of its metrics and learning curves.
    inputs : the datasets that went in.
    own_files : the person's own code and yaml, for git.diff; None: it is not wanted.
    """
    here = Path.cwd()
    tags, changed = git.state(here)
    changed_tags, diff = git.whole(here, changed, own_files)
    metrics: dict[str, list[tuple[float, int, int]]] = {}
    for name, value, at, step in points:
        metrics.setdefault(name, []).append((value, at, step))
    file = into / f"recexp-run-{record['id'][:8]}.zip"
    with scratch.folder() as folder:
        shutil.copytree(files, folder / parcel.FILES)
        source.write(folder / parcel.FILES, diff, git.copies(here, own_files or ()))
        if model is not None:
            shutil.copytree(model, folder / parcel.MODEL / mlflow_model.SAVED)
            mlflow_model.write_environment(folder / parcel.MODEL)
        whole = {
            **record,
            "tags": {**record["tags"], **tags, **changed_tags, HOST: platform.node()},
            "metrics": metrics,
            "inputs": [as_plain(item) for item in inputs],
        }
        parcel.write(folder, whole, file)
    return file


def command(file: Path, uri: str) -> str:
    """Return the command that takes the file into the store at `uri`."""
    return shlex.join(["recexp", "import", str(file), f"tracking.uri={uri}"])
