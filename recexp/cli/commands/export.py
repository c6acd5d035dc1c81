"""RUN_ID FILE.zip [tracking.uri=...]: all that the store knows of a run, to go to another machine"""

from collections.abc import Iterator
from pathlib import Path

from recexp.config import rebuilding
from recexp.errors import ConfigError
from recexp.tracking import Archive, transfer


def run(arguments: list[str]) -> Iterator[str]:
    """Yield what was written, and what is not in it."""
    tracking, words = rebuilding.told(arguments)
    if len(words) != 2 or not words[1].endswith(".zip"):
        got = " ".join(arguments) or "nothing"
        raise ConfigError(f"recexp export takes RUN_ID FILE.zip [tracking.uri=...] (got {got})")
    file = Path(words[1])
    with Archive(tracking.uri) as archive:
        record = archive.run(words[0])
        transfer.pack(archive, record, file)
    yield f"run {record.id}: {file}, {file.stat().st_size / 2**20:.1f} MiB; recexp import {file} takes it into a store"
    yield (
        f"the data ({record.tags.get('dataset', 'unknown')}) are not in it, for their terms may forbid that; they must "
        "be there where it is reproduced (dataset.root=DIR or dataset.interactions=FILE says where)"
    )
