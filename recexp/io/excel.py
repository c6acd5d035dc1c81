"""The first sheet of an Excel file, as a table; it needs the extra `excel`."""

import logging
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recexp.errors import DataError
from recexp.io.reading import check_unpacked

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

_INT64 = 2**63


def excel_table(data: bytes, path: Path, *, header: bool) -> "pa.Table":
    """Return the first sheet; formulas are their stored results, rows and columns without a cell are left out.

    A column whose cells are all whole numbers, numbers or times is one of these; any other is text.
    Raises DataError where the file is damaged, too large unpacked, or openpyxl is not installed.
    """
    import pyarrow as pa

    rows = [*_rows(data, path)]
    names = ["" if cell is None else str(cell).strip() for cell in rows[0]] if header and rows else []
    body = rows[len(names) > 0 :]
    width = max(map(len, rows), default=0)
    names = [*names, *[""] * (width - len(names))] if header else [*map(str, range(width))]
    cells = {place: [row[place] if place < len(row) else None for row in body] for place in range(width)}
    kept = [place for place in cells if names[place] or any(cell is not None for cell in cells[place])]
    return pa.table([_column(cells[place]) for place in kept], names=[names[place] for place in kept])


def _rows(data: bytes, path: Path) -> Iterator[Sequence[Any]]:
    try:
        import openpyxl
    except ImportError:
        raise DataError(f"{path}: Excel files need openpyxl; pip install 'recexp[excel]', or save it as csv") from None
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            check_unpacked(path, len(data), sum(member.file_size for member in archive.infolist()))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles, which are not read
            book = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True)
            sheet = book.worksheets[0]
            if book.worksheets[1:]:
                log.warning("%s: reading sheet %r, the first of %d", path, sheet.title, len(book.worksheets))
            for row in sheet.iter_rows(values_only=True):
                if any(cell is not None for cell in row):
                    yield row
    except (zipfile.BadZipFile, KeyError, IndexError, SyntaxError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: is not a readable Excel file ({error})") from error


def _column(cells: list[Any]) -> "pa.Array":
    import pyarrow as pa

    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds == {int} and all(-_INT64 <= cell < _INT64 for cell in cells if cell is not None):
        return pa.array(cells, pa.int64())
    if kinds and kinds <= {int, float}:
        return pa.array([None if cell is None else float(cell) for cell in cells], pa.float64())
    if kinds and kinds <= {datetime, date}:
        return pa.array(cells, pa.timestamp("us"))
    return pa.array([None if cell is None else _text(cell) for cell in cells], pa.string())


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, datetime | date) else str(cell)
