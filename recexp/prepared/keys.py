"""By what prepared data are known: the bytes of the files, what is made of them, and the code that makes it."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from recexp import checksums
from recexp.datasets.base import Source
from recexp.filters.base import Filters
from recexp.folders import PACKAGE
from recexp.identity import digest
from recexp.io import located
from recexp.params import classes, describe, ours
from recexp.splits.base import Splitter
from recexp.version import __version__

FORMAT = 2
_CODE = (
    *("data", "datasets", "io", "filters", "splits", "prepared", "environments/electronics"),
    *("serialization.py", "identity.py", "params.py", "rng.py"),
)


def of_data(source: Source, filters: Filters, seed: int, *, by_time: bool = False) -> str | None:
    """Return the key of data filtered for a split by time, or another.

    None where files cannot be named, or code is not ours and may change unseen.
    """
    files = source.files()
    if files is None or not (_ours(source) and _ours(filters)):
        return None
    try:
        content = {role: _content(path) for role, path in files.items()}
    except OSError:
        return None
    return digest(
        {
            "versions": [FORMAT, __version__, np.__version__, _code()],
            "source": {**describe(source), **source.beside()},
            "files": content,
            "filters": describe(filters),
            "by_time": by_time,
            "seed": seed if any(step.random for step in filters.steps) else None,
        }
    )


def of_fold(data: str | None, splitter: Splitter, fold: int) -> str | None:
    """Return the key of one of the splitter's splits, numbered from 0, of the data with the given key."""
    if data is None or not _ours(splitter):
        return None
    return digest({"data": data, "splitter": describe(splitter), "rule": splitter.rule(), "fold": fold})


def _content(path: Path) -> list[str]:
    """Return the name by which a file is read and the sha256 of its bytes, or of its archive's."""
    whole, name = located(path)
    return [name, checksums.sha256(whole)]


def _ours(value: Any) -> bool:
    return all(map(ours, classes(value)))


@cache
def _code() -> str:
    """Return the sha256 of the files that make data and splits: what older code made is not served to newer code."""
    sha = hashlib.sha256()
    for name in _CODE:
        path = PACKAGE / name
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            sha.update(file.read_bytes())
    return sha.hexdigest()
