"""Turns quotes escaped by a backslash, as Spark and MySQL write them, into the doubled quotes of csv."""

import csv
import re
from io import StringIO
from pathlib import Path

from recexp.errors import DataError


def doubled_quotes(data: bytes, separator: str, path: Path) -> bytes:
    r"""Return csv in which every quote within a cell is doubled, whichever way it was escaped.

    Only text with `\"` in it is looked at: it is read both ways, with cells that end where a quote does and rows of
    equal length. Raises DataError where both readings are possible and differ, or none is.
    """
    if b"\\" not in data or b'\\"' not in data:  # the search for one byte is much faster
        return data
    text = data.decode()
    doubled, escaped = (_cells(text, separator, escape) for escape in (None, "\\"))
    if doubled is not None and escaped is None:
        return data
    if escaped is None:
        raise DataError(f'{path}: cannot be read: a cell has \\" in it; quotes within a quoted cell are doubled, ""')
    mark = re.escape(separator)
    cell = re.compile(rf'(?:(?<=[\r\n])|(?<={mark})|\A)"((?:[^"\\]|\\.|"")*)"(?={mark}|[\r\n]|\Z)', re.DOTALL)
    found = cell.sub(lambda cell: '"' + re.sub(r'(\\+)"', _unescaped, cell[1]) + '"', text)
    if doubled is not None and doubled != _cells(found, separator, None):
        raise DataError(
            f'{path}: cannot be read: \\" may end a cell or be a quote escaped by a backslash; double quotes, ""'
        )
    return found.encode()


def _unescaped(found: re.Match[str]) -> str:
    """Of backslashes before a quote each pair is one of the text, and one left over escapes the quote."""
    slashes, escapes = divmod(len(found[1]), 2)
    return "\\" * slashes + '"' + '"' * escapes


def _cells(text: str, separator: str, escape: str | None) -> list[list[str]] | None:
    """Return the rows of strict csv; None where it is not, or its rows are of several lengths."""
    try:
        rows = [row for row in csv.reader(StringIO(text), delimiter=separator, escapechar=escape, strict=True) if row]
    except csv.Error:
        return None
    return rows if len({len(row) for row in rows}) <= 1 else None
