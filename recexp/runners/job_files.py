"""Digests of the files that a source, filters and a split read; they identify a job before its data is loaded."""

from functools import cache
from pathlib import Path
from typing import Any

from recexp import checksums
from recexp.datasets.base import Source
from recexp.filters.base import Filters
from recexp.identity import digest
from recexp.params import describe, locations
from recexp.splits.base import Splitter


def source_content(source: Source, filters: Filters, splitter: Splitter) -> dict[str, Any] | None:
    """Return the content that determines the data of a job, as plain data; None: not known.

    It is not known while the data are not on this machine, or if their origin cannot be inspected.
    """
    base = source.location()
    if base is None and source.files() != {}:
        return None
    beside = [path for path in _paths(source) if path.is_file()]  # others are other ways to obtain `base`
    data = [] if base is None else [base]
    files = [_content(path) for path in (*data, *beside, *_paths([filters, splitter]))]
    if None in files:
        return None
    source_fields = {**describe(source), **source.beside()}
    source_fields.pop("name")  # it names a user's own data, and is not part of their content
    return {"source": source_fields, "splitter": describe(splitter), "files": files}


def _paths(component: Any) -> list[Path]:
    return [Path(location).expanduser() for location in locations(component) if "://" not in location]


def _content(path: Path) -> str | None:
    """Return a digest of a file, of the files in a folder, or of the archive that contains a member path."""
    while not path.exists() and path != path.parent:
        path = path.parent
        if path.is_dir():
            return None
    if path.is_dir():
        inside = [_content(file) for file in sorted(path.rglob("*")) if file.is_file()]
        return digest(inside)
    stat = path.stat()
    return _sha(str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


@cache
def _sha(path: str, *state: int) -> str:
    return checksums.sha256(Path(path))
