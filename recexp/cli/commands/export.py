"""RUN_ID FILE.zip [tracking.uri=...]: all that the store knows of a run, to go to another machine"""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from recexp.cli.parsing import STORE, Parser


def parser() -> Parser:
    """Return what reads the command's words."""
    return Parser(
        "export",
        __doc__,
        example="recexp export 287f36a5 run.zip",
        words=(2, 2),
        overrides=STORE,
        notes="RUN_ID may be the beginning of an id.",
    )


def run(given: Namespace) -> Iterator[str]:
    """Yield what was written, and what is not in it."""
    run_id, name = given.words
    if not name.endswith(".zip"):
        parser().error(f"got {name}")
    from recexp.history import rebuild, transfer
    from recexp.history.archive import Archive

    tracking, _ = rebuild.store_and_overrides(given.overrides)
    file = Path(name)
    with Archive(tracking.uri) as archive:
        record = archive.run(run_id)
        transfer.pack(archive, record, file)
    yield f"run {record.id}: {file}, {file.stat().st_size / 2**20:.1f} MiB; recexp import {file} takes it into a store"
    if "dataset" in record.tags:
        yield (
            f"the data ({record.tags['dataset']}) are not in it, for their terms may forbid that; they must be there "
            "where it is reproduced (dataset.root=DIR or dataset.interactions=FILE says where)"
        )
