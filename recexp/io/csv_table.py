"""Separated text: columns are read as integers and numbers where they can be and are asked for so, else as text."""

import codecs
import csv
import logging
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recexp import threads
from recexp.errors import DataError
from recexp.io.arrow import mask
from recexp.io.cells import COMMA_NUMBER, NUMBER
from recexp.io.header import letters
from recexp.io.quoting import doubled_quotes

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

_UNIT = "\x1f"  # ASCII's unit separator stands in for separators of several characters, which the csv reader lacks
_EMPTY = (
    *("NA", "N/A", "n/a", "NULL", "null", "NaN", "nan", "-NaN", "-nan"),
    *("#N/A", "#N/A N/A", "#NA", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
)
"""Words for an empty cell in columns of numbers; among text they are names."""
_BLOCK = 1 << 20
_LARGE_BLOCK = 1 << 24  # has few dictionaries to make one of
_STRIP = 1 << 17  # its marks stay in the cache, in memory that is used again
_FAILED = r"In CSV column #(\d+): CSV conversion error to \w+: invalid value '(.*)'"


@dataclass(frozen=True)
class CsvTable:
    """Text whose columns are known by `names` and not yet read.

    Attributes
    ----------
    data : UTF-8.
    separator : one character.
    first_row : how many lines come before the first row.
    quotes : whether cells may be in double quotes.
    """

    path: Path
    data: bytes
    names: tuple[str, ...]
    separator: str
    first_row: int
    quotes: bool

    @staticmethod
    def of(
        data: bytes, path: Path, separator: str | None, *, header: bool, quotes: bool, advice: str | None
    ) -> "CsvTable":
        """Look at the first line; see `read_table`. `advice`: what to do if it is not UTF-8; None: it is."""
        if not data or data.isspace():
            return CsvTable(path, b"", (), ",", 0, quotes)
        data = (data if advice is None else _utf8(data, path, advice)).lstrip(b"\r\n")
        separator = separator or _guess(_first_line(data))
        if len(separator) > 1:
            data, separator = data.replace(separator.encode(), _UNIT.encode()), _UNIT
        data = doubled_quotes(data, separator, path) if quotes else data
        first = _first_line(data)
        cells = next(csv.reader([first], delimiter=separator)) if quotes else first.split(separator)
        names = cells if header else map(str, range(len(cells)))
        return CsvTable(path, data, tuple(names), separator, int(header), quotes)

    def head(self, size: int) -> "CsvTable":
        """Return the table with its first lines, about `size` bytes of them."""
        if len(self.data) <= size:
            return self
        return replace(self, data=self.data[: self.data.rfind(b"\n", 0, size) + 1] or self.data)

    def read(self, names: Sequence[str], *, whole: Collection[str] = (), real: Collection[str] = ()) -> "pa.Table":
        """Return columns: of `whole` as int64 where all cells are integers as one writes them, of `real` as float64.

        All others are text, null where empty. A header line that comes again is left out.
        """
        import pyarrow as pa

        place_of = {name: place for place, name in reversed(list(enumerate(self.names)))}
        places = [place_of[name] for name in names]
        types = {
            place: pa.int64() if name in whole else pa.float64() if name in real else pa.string()
            for name, place in zip(names, places)
        }
        if pa.int64() in types.values() and not _plainly_written(self.data, self.separator):
            types = {place: pa.string() if kind == pa.int64() else kind for place, kind in types.items()}
        table = self._read(types).select([str(place) for place in places]).rename_columns(list(names))
        return _with_nulls(self._without_headers(table))

    def read_coded(self, names: Sequence[str]) -> "list[pa.DictionaryArray] | None":
        """Return columns of text as codes of their distinct cells, in the order in which these come; null where empty.

        All threads work, and the text of all rows is never held. None where this may not give what `read` does: rows
        repeat the header line, or words stand for empty cells.
        """
        import pyarrow as pa

        place_of = {name: place for place, name in reversed(list(enumerate(self.names)))}
        kind = pa.dictionary(pa.int32(), pa.string())
        table = self._parse({place_of[name]: kind for name in names}, block=_LARGE_BLOCK)
        columns = threads.call_all([partial(_unified, table[str(place_of[name])]) for name in names])
        known = [pa.chunked_array([column.dictionary]) for column in columns]
        marks = {_bare(name) for name in self.names}
        headers = [_rows_with(cells, marks, np.flatnonzero(_as_long(cells, marks))) for cells in known]
        if (self.first_row and len(known) > 1 and all(map(len, headers))) or any(map(_has_words, known)):
            return None
        return columns

    def _read(self, types: dict[int, "pa.DataType"]) -> "pa.Table":
        """Read columns by their places; where a cell is not of its column's type, the column is text."""
        import pyarrow as pa

        while True:
            try:
                return self._parse(types)
            except pa.ArrowInvalid as error:
                failed = re.match(_FAILED, str(error), re.DOTALL)
                if failed is None or types.get(int(failed[1])) in (None, pa.string()):
                    raise
                again = _bare(failed[2]) == _bare(self.names[int(failed[1])])  # a header: so are all its cells
                types |= dict.fromkeys(types if again else [int(failed[1])], pa.string())

    def _parse(self, types: dict[int, "pa.DataType"], block: int = _BLOCK) -> "pa.Table":
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        everything = [str(place) for place in range(len(self.names))]
        numeric = any(kind in (pa.int64(), pa.float64()) for kind in types.values())
        return arrow_csv.read_csv(
            pa.BufferReader(self.data),
            arrow_csv.ReadOptions(column_names=everything, skip_rows=self.first_row, block_size=block),
            arrow_csv.ParseOptions(
                delimiter=self.separator,
                quote_char='"' if self.quotes else False,
                newlines_in_values=self.quotes and b'"' in self.data,
            ),
            arrow_csv.ConvertOptions(
                include_columns=[str(place) for place in types],
                check_utf8=False,  # it was
                strings_can_be_null=not numeric and block == _LARGE_BLOCK,
                column_types={str(place): kind for place, kind in types.items()},
                null_values=["", *(_EMPTY if numeric else ())],
            ),
        )

    def _without_headers(self, table: "pa.Table") -> "pa.Table":
        """Leave out header lines among the rows, as files that were put together have them, in any case and blanks.

        Raises DataError for one whose columns are in another order.
        """
        import pyarrow as pa

        if not self.first_row or table.num_columns < 2 or not all(map(pa.types.is_string, table.schema.types)):
            return table
        names = [_bare(name) for name in table.column_names]
        marks = {_bare(name) for name in self.names}
        rows = np.flatnonzero(np.logical_and.reduce([_as_long(column, marks) for column in table.columns]))
        for column in table.columns:
            if not len(rows):
                return table
            rows = _rows_with(column, marks, rows)
        if not len(rows):
            return table
        cells = table.take(pa.array(rows)).to_pylist()
        if other := next((row for row, found in zip(rows, cells) if [*map(_bare, found.values())] != names), None):
            raise DataError(f"{self.path}: row {other + 1} repeats the header line with its columns in another order")
        log.warning(
            "%s: the header line is repeated %d times, first as row %d; skipped", self.path, len(rows), rows[0] + 1
        )
        kept = np.ones(table.num_rows, bool)
        kept[rows] = False
        return table.filter(pa.array(kept))


def _bare(name: str) -> str:
    """Return by what a name in a header is known again; case and signs of very short ones may tell names apart."""
    found = letters(name)
    return found if len(found) > 3 else name.strip().removeprefix("\ufeff")


def _as_long(column: "pa.ChunkedArray", marks: Collection[str]) -> np.ndarray:
    """Return bool (m,): which cells have a length that one of the names `marks` may have."""
    import pyarrow.compute as pc

    sizes = [len(mark.encode()) for mark in marks]
    length = pc.binary_length(column)
    return mask(pc.and_(pc.greater_equal(length, min(sizes)), pc.less_equal(length, 2 * max(sizes) + 8)))


def _rows_with(column: "pa.ChunkedArray", marks: Collection[str], rows: np.ndarray) -> np.ndarray:
    """Return those of `rows` whose cells are one of the names `marks`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = column.take(pa.array(rows))
    names = "|".join(r"[\W_]*".join(map(re.escape, mark)) for mark in sorted(marks))
    alike = mask(pc.match_substring_regex(cells, rf"^[\W_]*({names})[\W_]*$", ignore_case=True))
    sure = [_bare(cell) in marks for cell in cells.filter(pa.array(alike)).to_pylist()]
    return rows[alike][np.array(sure, bool)]


def _with_nulls(table: "pa.Table") -> "pa.Table":
    """Return the table with null for what means an empty cell: nothing, and in columns of numbers some words too."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def nulled(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
        if not pa.types.is_string(column.type):
            return column
        empty, words = pc.equal(column, ""), pc.is_in(column, pa.array(_EMPTY))
        if pc.any(words).as_py():
            others = column.filter(pc.invert(pc.or_(words, empty)))
            others = pc.utf8_trim_whitespace(others)
            if len(others) and any(pc.all(pc.match_substring_regex(others, n)).as_py() for n in (NUMBER, COMMA_NUMBER)):
                empty = pc.or_(empty, words)
        return pc.if_else(empty, None, column) if pc.any(empty).as_py() else column

    return pa.table([nulled(column) for column in table.columns], names=table.column_names)


def _unified(column: "pa.ChunkedArray") -> "pa.DictionaryArray":
    """Return chunks of codes as one."""
    import pyarrow as pa

    chunks = column.unify_dictionaries().chunks
    if not chunks:
        return pa.array([], pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(pa.concat_arrays([chunk.indices for chunk in chunks]), chunks[0].dictionary)


def _has_words(known: "pa.ChunkedArray") -> bool:
    """Whether one of the distinct cells is a word for an empty one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return bool(pc.any(pc.is_in(known, pa.array(_EMPTY))).as_py())


def _plainly_written(data: bytes, separator: str) -> bool:
    """Whether no cell begins with -0, or with a zero and a digit or x: Arrow reads 007 as 7, 0x10 as 16, -0 as 0.

    A decimal may begin with -0: it is no id anyway.
    """
    cells, mark, found = np.frombuffer(data, np.uint8), ord(separator), []
    signed = b"-" in data and b"-0" in data  # to look for one byte is fast

    def search(start: int, stop: int) -> None:
        for first in range(start, stop, _STRIP):
            before = cells[first : min(first + _STRIP, stop, len(cells) - 2)]
            here = cells[first + 1 : first + 1 + len(before)]
            begin = (before <= ord(",")) | (before == mark) if mark > ord(",") else before <= ord(",")
            if signed:
                at = np.flatnonzero(begin & (here == ord("-"))) + first + 2
                at = at[cells[at] == ord("0")] + 1
                if (at == len(cells)).any() or (cells[at] != ord(".")).any():
                    found.append(first)
            begin &= here == ord("0")
            if begin.any():
                after = cells[np.flatnonzero(begin) + first + 2]
                if ((after - ord("0") <= 9) | (after == ord("x")) | (after == ord("X"))).any():
                    found.append(first)
            if found:
                return

    threads.map_rows(search, len(cells))
    return not found and re.match(rb"0[0-9xX]|-0", data) is None


def _first_line(data: bytes) -> str:
    head = data[:_BLOCK] if data.find(b"\n", 0, _BLOCK) >= 0 or data.find(b"\r", 0, _BLOCK) >= 0 else data
    return re.split(rb"[\r\n]", head, maxsplit=1)[0].decode()


def _utf8(data: bytes, path: Path, advice: str) -> bytes:
    data = data.removeprefix(codecs.BOM_UTF8)
    if data.isascii():
        return data
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), 16 * _BLOCK):
            decoder.decode(data[start : start + 16 * _BLOCK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        log.warning("%s is not UTF-8; read as Latin-1; if this is wrong, %s", path, advice)
        return data.decode("latin-1").encode()
    return data


def _guess(first: str) -> str:
    best = max("\t,;|", key=first.count)
    return best if best in first else " "
