"""Rows of text in columns, as lines: what can be read on a terminal, and by another program."""

from collections.abc import Iterator, Sequence


def aligned(rows: Sequence[Sequence[str]], indent: str = "") -> Iterator[str]:
    """Yield the rows in columns, the first as long as any."""
    cells = [[" ".join(cell.split()) for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in cells if at < len(row)) for at in range(max(map(len, cells), default=0))]
    for row in cells:
        yield f"{indent}{'  '.join(cell.ljust(width) for cell, width in zip(row, widths))}".rstrip()
