"""Reads tables; the format follows from the file name: separated text, parquet, json lines, Excel."""

import codecs
import csv
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from recexp.errors import DataError
from recexp.io.csv_table import CsvTable
from recexp.io.excel import excel_table
from recexp.io.header import listed
from recexp.io.parquet_table import ParquetTable
from recexp.io.reading import read_bytes

if TYPE_CHECKING:
    import pyarrow as pa


_BLOCK = 1 << 20

_IN_OUR_WORDS = {
    "columns, got": "{}; quote cells that contain the separator",
    "straddling object": "a record is longer than can be read (csv: 1 MiB), or a double quote is never closed",
    "field larger than": "a name in its first line is longer than can be read (131,072 letters)",
    "header is larger than block size": "its first line is longer than can be read (1 MiB), or no row follows it",
}
"""What Arrow says, and what is said of it."""


class Stored(Protocol):
    """The reader of a format; see `TableFile`."""

    @property
    def names(self) -> Sequence[str]: ...

    def read(self, names: Sequence[str], *, whole: Collection[str], real: Collection[str]) -> "pa.Table": ...


@dataclass(frozen=True)
class TableFile:
    """A table whose column names are known and whose columns are not yet read."""

    path: Path
    stored: Stored

    @property
    def names(self) -> Sequence[str]:
        return self.stored.names

    @property
    def separator(self) -> str | None:
        """What separates the columns of text; None in other formats."""
        return self.stored.separator if isinstance(self.stored, CsvTable) else None

    def head(self, size: int) -> "TableFile":
        """Return the table, of text only its first lines, about `size` bytes."""
        return replace(self, stored=self.stored.head(size)) if isinstance(self.stored, CsvTable) else self

    def read(
        self, names: Sequence[str] | None = None, *, whole: Collection[str] = (), real: Collection[str] = ()
    ) -> "pa.Table":
        """Return some columns, or all.

        Parameters
        ----------
        names : which columns.
        whole, real : columns that csv may hold as int64, where all cells are integers as one writes them, and as
            float64, where they are numbers; all else in it is text. Of `whole` alone are ids, of both are times. Other
            formats keep their types, but json's of ids and times are exact.

        Raises
        ------
        DataError : malformed, no row, or two columns of one name.
        """
        chosen = self._chosen(names)
        with readable(self.path):
            return self._with_rows(self.stored.read(chosen, whole=whole, real=real))

    def read_coded(self, names: Sequence[str]) -> "dict[str, pa.ChunkedArray | pa.DictionaryArray]":
        """Return columns by name as `read` does, or, where that is faster, as codes of their distinct cells of text."""
        chosen = self._chosen(names)
        with readable(self.path):
            coded = self.stored.read_coded(chosen) if isinstance(self.stored, CsvTable) else None
        if coded is not None and len(coded[0]):
            return dict(zip(chosen, coded))
        table = self.read(chosen)
        return dict(zip(chosen, table.columns))

    def _chosen(self, names: Sequence[str] | None) -> list[str]:
        """Return the names of columns, each once; raises DataError for one that several columns have."""
        chosen = list(dict.fromkeys(self.names if names is None else names))
        counts = dict.fromkeys(chosen, 0)
        for name in self.names:
            if name in counts:
                counts[name] += 1
        if twice := sorted(name for name, count in counts.items() if count > 1 and name):
            raise DataError(f"{self.path}: two columns are called {listed(twice)}")
        return chosen

    def _with_rows(self, table: "pa.Table") -> "pa.Table":
        if not table.num_rows:
            raise DataError(f"{self.path}: has no rows")
        return table


@contextmanager
def readable(path: Path | str) -> Iterator[None]:
    """Turn Arrow's errors on damaged or unusual data into a DataError that names `path`."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, csv.Error, OSError, ValueError, OverflowError) as error:
        text = (str(error).splitlines() or [type(error).__name__])[0][:300]
        for found, instead in _IN_OUR_WORDS.items():
            text = instead.format(text) if found in text else text
        raise DataError(f"{path}: cannot be read: {text}") from error


def open_table(
    path: Path,
    *,
    separator: str | None,
    header: bool = True,
    quotes: bool = True,
    encoding: str | None = None,
    of_data: bool = True,
    data: bytes | None = None,
) -> TableFile:
    """Open a table. The format follows from the ending: .parquet, .json .jsonl .ndjson (one record per line), .xlsx,
    else text; `.gz` is unpacked.

    Parameters
    ----------
    path : the file, or a member of an archive.
    separator : what separates columns of text, of any length; None: whichever of tab , ; | the first line has most of,
        else a space.
    header : whether the first line names the columns; without, they are called "0", "1", ...
    quotes : whether text may be in double quotes.
    encoding : of text; None: UTF-8, or else Latin-1, with a warning.
    of_data : whether the file belongs to a dataset, so that the warning may advise dataset.encoding.
    data : what is in the file, where it has been read already.

    Raises
    ------
    DataError : missing, unreadable, malformed or empty.
    """
    with readable(path):
        stored = _opened(path, separator, header, quotes, encoding, of_data, data)
    if not stored.names:
        raise DataError(f"{path}: has no rows")
    return TableFile(path, stored)


def _opened(
    path: Path,
    separator: str | None,
    header: bool,
    quotes: bool,
    encoding: str | None,
    of_data: bool,
    data: bytes | None,
) -> Stored:
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()
    if ending in (".parquet", ".pq"):
        return ParquetTable.of(path)
    data = read_bytes(path) if data is None else data
    if ending in (".xlsx", ".xlsm"):
        return InMemory(excel_table(data, path, header=header))
    if encoding is not None:
        data = _as_utf8(data, path, encoding)
    if ending in (".json", ".jsonl", ".ndjson"):
        return _Json.of(data)
    if b"\0" in data[:4096]:
        raise DataError(
            f"{path}: is not text; supported formats are csv, tsv, txt, json lines, parquet and xlsx, also "
            f"as .gz; {'for UTF-16 text set dataset.encoding=utf-16' if of_data else 'save UTF-16 text as UTF-8'}"
        )
    advice = "save it as UTF-8, or set dataset.encoding" if of_data else "save it as UTF-8"
    return CsvTable.of(data, path, separator, header=header, quotes=quotes, advice=advice if encoding is None else None)


def read_table(path: Path, *, separator: str | None, header: bool = True, quotes: bool = True) -> "pa.Table":
    """Return all columns of a table; those of separated text are strings, null where empty. See `open_table`."""
    return open_table(path, separator=separator, header=header, quotes=quotes).read()


def _as_utf8(data: bytes, path: Path, encoding: str) -> bytes:
    """Return text as UTF-8, a block at a time: the whole of it, decoded, takes up to four times the memory."""
    out, decoder = BytesIO(), codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(data), _BLOCK):
            out.write(decoder.decode(data[start : start + _BLOCK]).encode())
        out.write(decoder.decode(b"", final=True).encode())
        return out.getvalue()
    except UnicodeError as error:
        raise DataError(f"{path}: is not text in dataset.encoding={encoding} ({error})") from error


@dataclass(frozen=True)
class InMemory:
    """A table that is already in memory."""

    table: "pa.Table"

    @property
    def names(self) -> Sequence[str]:
        names: Sequence[str] = self.table.column_names
        return names

    def read(self, names: Sequence[str], *, whole: Collection[str], real: Collection[str]) -> "pa.Table":
        return self.table.select(list(names))


@dataclass(frozen=True)
class _Json:
    data: bytes
    table: "pa.Table"

    @staticmethod
    def of(data: bytes) -> "_Json":
        import pyarrow as pa

        if not data.strip():
            return _Json(data, pa.table({}))
        if data.lstrip()[:1] == b"[":
            raise pa.ArrowInvalid("it contains one list; expected one json record per line")
        return _Json(data, _parsed(data))

    @property
    def names(self) -> Sequence[str]:
        names: Sequence[str] = self.table.column_names
        return names

    def read(self, names: Sequence[str], *, whole: Collection[str], real: Collection[str]) -> "pa.Table":
        table = self.table.select(list(names))
        for name in whole:
            if name in table.column_names and (exact := self._as_written(name, table[name].type, real)) is not None:
                table = table.set_column(table.column_names.index(name), name, exact)
        return table

    def _as_written(self, name: str, kind: "pa.DataType", real: Collection[str]) -> "pa.ChunkedArray | None":
        """Return a column of ids or times that Arrow has taken for something else; None where it has not.

        An integer beyond int64 makes all of its column float, which merges neighbors, and ids like 2024-01-31 are text.
        """
        import pyarrow as pa

        if pa.types.is_timestamp(kind) and name not in real:
            return _parsed(self.data, pa.schema([(name, pa.string())]))[name]
        if not pa.types.is_floating(kind):
            return None
        exact = _parsed(self.data, pa.schema([(name, pa.decimal128(38, 9))]))[name]
        try:
            return exact.cast(pa.decimal128(38, 0))  # integers, which are then not taken for decimals
        except pa.ArrowInvalid:
            return exact


def _parsed(data: bytes, schema: "pa.Schema | None" = None) -> "pa.Table":
    from pyarrow import json

    longest = max(len(data) // 16, 1 << 24)  # a record may not be longer than a block
    options = json.ReadOptions(block_size=min(longest, 1 << 30))
    return json.read_json(BytesIO(data), options, json.ParseOptions(explicit_schema=schema))
