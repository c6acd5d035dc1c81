"""Writes tables; the format follows from the file name."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from recexp.errors import ConfigError
from recexp.spreadsheets import harmless

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = (".csv", ".parquet", ".jsonl")


def check_writable(path: Path, option: str) -> None:
    """Raise ConfigError, before any work, if a table cannot be written; `option` is the option that named the file."""
    if path.suffix not in ENDINGS:
        raise ConfigError(f"{option}: {path} must end in {', '.join(ENDINGS)}")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"{option}: {path} cannot be written: there is no folder {path.absolute().parent}")


def write_table(table: "pd.DataFrame", path: Path) -> None:
    """Write a table completely or not at all; an existing file is replaced.

    In csv, text that a spreadsheet would run as a formula gets an apostrophe (`recexp.spreadsheets`). In parquet, whose
    columns have one type, a column of text and numbers becomes text.
    """
    part = path.with_name(f".{path.name}.part")
    writers: dict[str, Callable[[], object]] = {
        ".csv": lambda: _texts(table, harmless).to_csv(part, index=False),
        ".parquet": lambda: _texts(table, str).to_parquet(part, index=False),
        ".jsonl": lambda: table.to_json(part, orient="records", lines=True, force_ascii=False),
    }
    try:
        writers[path.suffix]()
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _texts(table: "pd.DataFrame", change: Callable[[object], object]) -> "pd.DataFrame":
    """Return a table whose columns of text, or of text and numbers, have been changed cell by cell."""
    mixed = [name for name in table.columns if table[name].dtype.kind == "O"]
    return table.assign(**{name: table[name].map(change) for name in mixed})
