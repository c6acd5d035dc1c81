"""Writes tables; the format follows from the file name. pandas, whose import takes as long as the work, is not used."""

import csv
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recexp.errors import ConfigError
from recexp.io.arrow import from_numpy
from recexp.spreadsheets import harmless

if TYPE_CHECKING:
    import pyarrow as pa

Columns = Mapping[str, np.ndarray]
"""Columns of m cells by name; text and mixed ones with dtype object, None where a cell is empty."""

ENDINGS = (".csv", ".parquet", ".jsonl")


def check_writable(path: Path, option: str) -> None:
    """Raise ConfigError, before any work, if a table cannot be written; `option` is the option that named the file."""
    if path.suffix not in ENDINGS:
        raise ConfigError(f"{option}: {path} must end in {', '.join(ENDINGS)}")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"{option}: {path} cannot be written: there is no folder {path.absolute().parent}")


def write_table(columns: Columns, path: Path) -> None:
    """Write a table completely or not at all; an existing file is replaced.

    In csv, text that a spreadsheet would run as a formula gets an apostrophe (`recexp.spreadsheets`). In parquet, whose
    columns have one type, a column of text and numbers becomes text.
    """
    part = path.with_name(f".{path.name}.part")
    writers: dict[str, Callable[[Columns, Path], None]] = {".csv": _csv, ".parquet": _parquet, ".jsonl": _jsonl}
    try:
        writers[path.suffix](columns, part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _csv(columns: Columns, path: Path) -> None:
    cells = [map(harmless, found.tolist()) if found.dtype == object else found.tolist() for found in columns.values()]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*cells))


def _jsonl(columns: Columns, path: Path) -> None:
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    with path.open("w", encoding="utf-8") as file:
        for row in zip(*(found.tolist() for found in columns.values())):
            file.write(f"{encode(dict(zip(columns, row)))}\n")


def _parquet(columns: Columns, path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({name: _arrow(found) for name, found in columns.items()}), path)


def _arrow(column: np.ndarray) -> "pa.Array":
    if column.dtype != object:
        return from_numpy(column)
    empty = np.array([cell is None for cell in column], bool)
    texts: list[Any] = [None if cell is None else str(cell) for cell in column]
    return from_numpy(np.array(texts, object), empty)
