"""Reads lists of ids from files: one id per line, or a column of a table."""

import logging
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from recexp.errors import DataError
from recexp.io.cells import plain
from recexp.io.header import find_column, listed
from recexp.io.reading import exists, read_bytes
from recexp.io.tables import open_table

log = logging.getLogger(__name__)

TABLES = (".csv", ".tsv", ".parquet", ".pq", ".json", ".jsonl", ".ndjson")
"""Endings of files with columns; others hold an id a line."""


def read_ids(name: str, column: str, *, is_known: Callable[[str], bool]) -> list[str]:
    """Return the distinct ids of a file as text, in order; skipped rows and duplicates are counted in a warning.

    Parameters
    ----------
    name : FILE, or FILE:COLUMN of a table.
    column : the column of a table of several columns where COLUMN is not given: user_id.
    is_known : whether a text is a known id; a file with one column may begin with an id instead of a column name.

    Raises
    ------
    DataError : the file is missing or unreadable, or the column is ambiguous.
    """
    return [text for text, _ in read_rows(name, column, (), is_known=is_known)]


def read_rows(
    name: str, column: str, more: Collection[str], *, is_known: Callable[[str], bool]
) -> list[tuple[str, dict[str, Any]]]:
    """Return the distinct rows of a file: an id, see `read_ids`, and the cells of those columns `more` that are there.

    Empty cells are left out.
    """
    path, chosen = Path(name), ""
    if not exists(path) and ":" in name:
        before, _, chosen = name.rpartition(":")
        path = Path(before)
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()
    if ending in TABLES:
        cells, others = _columns(path, chosen, column, more, is_known)
    elif chosen:
        raise DataError(f"{path}: has no columns; table files end in {', '.join(TABLES)}")
    else:
        cells, others = _lines(path), {}
    rows = []
    for number, text in enumerate(map(_text, cells)):
        if text:
            filled = {key: values[number] for key, values in others.items() if values[number] not in (None, "")}
            rows.append((text, filled))
    once = list({(text, repr(filled)): (text, filled) for text, filled in rows}.values())
    if len(rows) < len(cells):
        log.warning("%s: %d of %d rows have no id and are skipped", path, len(cells) - len(rows), len(cells))
    if len(once) < len(rows):
        log.warning("%s: %d duplicate ids are ignored", path, len(rows) - len(once))
    return once


def _lines(path: Path) -> list[str]:
    try:
        lines = read_bytes(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: is not UTF-8 text with one id per line ({error.reason} at byte {error.start})"
        ) from error
    return [line for line in lines if line.strip()]


def _columns(
    path: Path, chosen: str, usual: str, more: Collection[str], is_known: Callable[[str], bool]
) -> tuple[list[Any], dict[str, list[Any]]]:
    """Return the cells of the column of ids, and those of each of the columns `more` that is there, by name."""
    if not read_bytes(path).strip():
        return [], {}
    table = open_table(path, separator=None, of_data=False)
    names = [*table.names]
    if len(names) == 1 and not chosen and is_known(names[0].strip()):  # an id a line, and no header
        table, names = open_table(path, separator=None, header=False, of_data=False), ["0"]
    if chosen:
        found = chosen if chosen in names else None
    else:
        found = names[0] if len(names) == 1 else find_column(names, usual, str(path))
    if found is None:
        raise DataError(
            f"{path}: has no column {chosen or usual}; its columns are {listed(names)}; choose one with {path}:COLUMN"
        )
    others = [name for name in names if name in more and name != found]
    read = table.read([found, *others])
    cells = {name: plain(read[name]).to_pylist() for name in (found, *others)}
    return cells.pop(found), cells


def _text(cell: Any) -> str:
    """Return an id as text; a whole number with a decimal point, which pandas makes of integers, without it."""
    whole = isinstance(cell, float) and cell.is_integer()
    return "" if cell is None else str(int(cell) if whole else cell).strip()
