"""The tables of a run's description, which its summary.yaml keeps, too."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from recexp.errors import DataError


class Table(NamedTuple):
    """A head and rows of text, and sentences below it; `**text**` is bold."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def plain(self) -> dict[str, Any]:
        """Return it as plain data; `tables_of` reads that."""
        return {"head": [*self.head], "rows": [[*row] for row in self.rows], "notes": [*self.notes]}


def tables_of(summary: Mapping[str, Any]) -> list[Table]:
    """Return the tables in what a summary.yaml holds. Raises DataError when they are damaged."""
    try:
        return [
            Table(
                [str(word) for word in table["head"]],
                [[str(cell) for cell in row] for row in table["rows"]],
                [str(note) for note in table["notes"]],
            )
            for table in summary["tables"]
        ]
    except (TypeError, LookupError) as error:
        raise DataError(f"the tables of a summary.yaml are damaged: {type(error).__name__}: {error}") from error
