"""The tables of a run's description, which are kept as a file, too."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from recexp import file_names
from recexp.errors import DataError


class Table(NamedTuple):
    """A head and rows of text, and sentences below it; `**text**` is bold."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


def write_tables(folder: Path, tables: Sequence[Table]) -> None:
    """Write tables.json: of each table head, rows and notes."""
    text = json.dumps([Table(*table)._asdict() for table in tables], indent=1, ensure_ascii=False)
    (folder / file_names.TABLES).write_text(f"{text}\n", encoding="utf-8")


def read_tables(path: Path) -> list[Table]:
    """Return the tables of a tables.json. Raises DataError when it is damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return [
            Table(
                [str(word) for word in table["head"]],
                [[str(cell) for cell in row] for row in table["rows"]],
                [str(note) for note in table["notes"]],
            )
            for table in found
        ]
    except (ValueError, TypeError, LookupError) as error:
        raise DataError(f"{path} is damaged: {type(error).__name__}: {error}") from error
