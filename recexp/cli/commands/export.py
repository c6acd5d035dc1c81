"""RUN FILE.zip|FOLDER [tracking.uri=...]: write a run, or only its model, to take to another machine"""

import shutil
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from recexp.cli.parsing import STORE, Parser
from recexp.errors import StoreError


def parser() -> Parser:
    """Return what reads the command's words."""
    return Parser(
        "export",
        __doc__,
        example="recexp export 287f36a5 run.zip",
        words=(2, 2),
        overrides=STORE,
        notes="RUN is a run's id or its beginning, runs:/ID, models:/NAME@ALIAS or models:/NAME/VERSION.\n"
        "FILE.zip: the whole run, for recexp import. FOLDER: only the saved model, for recexp recommend,\n"
        "recexp similar and FittedModel.load, which then need no store.",
    )


def run(given: Namespace) -> Iterator[str]:
    """Yield what was written, and what is not in it."""
    name, file = given.words[0], Path(given.words[1])
    if file.suffix not in ("", ".zip"):
        parser().error(f"got {file}")
    from recexp.history import rebuild, references, transfer
    from recexp.history.archive import Archive

    tracking, _ = rebuild.store_and_overrides(given.overrides)
    with Archive(tracking.uri) as archive:
        record = references.find_run(archive, name)
        if file.suffix != ".zip":
            yield _model(references.folder_of_model(archive, record), file, record.id)
            return
        transfer.pack(archive, record, file)
    yield f"run {record.id}: {file}, {file.stat().st_size / 2**20:.1f} MiB; import it with: recexp import {file}"
    if "dataset" in record.tags:
        yield (
            f"the data ({record.tags['dataset']}) are not included, because their terms may forbid it; to reproduce "
            "the run, name their location with dataset.root=DIR or dataset.interactions=FILE"
        )


def _model(saved: Path, folder: Path, run_id: str) -> str:
    """Copy a saved model's folder, and return what to say of it."""
    if folder.exists():
        raise StoreError(f"{folder} already exists")
    shutil.copytree(saved, folder)
    size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
    return f"model of run {run_id}: {folder}, {size:.1f} MiB; use it with: recexp recommend {folder} USER"
