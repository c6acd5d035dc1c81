"""By which files a job is known before they are read: the content of what a source, filters and a split are made of."""

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
    """Return what the data of a job are made of, as plain data; None: it is not known.

    That is the case while the data are not on this machine, or when they come from nowhere that can be looked at.
    """
    base = source.location()
    if base is None and source.files() != {}:
        return None
    beside = [path for path in _paths(source) if path.is_file()]  # what is no file is another way to get at `base`
    data = [] if base is None else [base]
    files = [_content(path) for path in (*data, *beside, *_paths([filters, splitter]))]
    if None in files:
        return None
    source_fields = {**describe(source), **source.beside()}
    source_fields.pop("name")  # it says where a user's own data come from, not what they are
    return {"source": source_fields, "splitter": describe(splitter), "files": files}


def _paths(component: Any) -> list[Path]:
    return [Path(location).expanduser() for location in locations(component) if "://" not in location]


def _content(path: Path) -> str | None:
    """Return a digest of a file, the files of a folder, or the archive that a member's path leads into."""
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
