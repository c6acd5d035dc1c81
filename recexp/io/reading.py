"""Bytes and tables from files: csv, tsv, parquet, json lines; gzipped, or members of a zip archive."""

import gzip
import logging
import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from recexp.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

_UNIT = "\x1f"  # ASCII's unit separator stands in for separators of several characters, which the csv reader lacks


def _member(path: Path) -> tuple[Path, str] | None:
    """Split `archive.zip/folder/file` into the archive and the name of its member; None when there is no archive."""
    for parent in path.parents:
        if parent.is_file():
            return (parent, path.relative_to(parent).as_posix()) if zipfile.is_zipfile(parent) else None
    return None


def located(path: Path) -> tuple[Path, str]:
    """Return the file on disk that holds `path`, itself or its archive, and the name of `path` in there."""
    inside = None if path.is_file() else _member(path)
    return inside or (path, path.name)


def exists(path: Path) -> bool:
    """Whether `path` is a file, or a member of a zip archive (`archive.zip/folder/file`)."""
    inside = None if path.is_file() else _member(path)
    if inside is None:
        return path.is_file()
    with zipfile.ZipFile(inside[0]) as archive:
        return inside[1] in archive.namelist()


def read_bytes(path: Path) -> bytes:
    """Return the content of a file, unpacked when it ends in .gz; `archive.zip/folder/file` is a member of an archive.

    Raises DataError when there is no such file, or it cannot be read or unpacked.
    """
    try:
        if path.is_file():
            data = path.read_bytes()
        elif (inside := _member(path)) is not None:
            with zipfile.ZipFile(inside[0]) as archive:
                if inside[1] not in archive.namelist():
                    members = ", ".join(archive.namelist()[:20])
                    raise DataError(f"{inside[0]} has no member {inside[1]}; it has {members}")
                data = archive.read(inside[1])
        else:
            raise DataError(f"{path}: {'is a folder, not a file' if path.is_dir() else 'no such file'}")
        return gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error


def read_table(path: Path, *, separator: str | None, header: bool = True, quotes: bool = True) -> "pa.Table":
    """Read a table; its ending says how: .parquet, .json .jsonl .ndjson (a record a line), else text; .gz of them.

    Parameters
    ----------
    path : the file, or a member of an archive.
    separator : what separates columns of text, of any length; None: whichever of tab , ; | the first line has most of,
        else a space.
    header : whether the first line names the columns; without, they are called "0", "1", ...
    quotes : whether text may be in double quotes.

    Returns
    -------
    pa.Table : columns of separated text are strings, null where empty or NaN; other formats keep their types.

    Raises
    ------
    DataError : missing, unreadable, malformed or without a row.
    """
    import pyarrow as pa

    data = read_bytes(path)
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()
    try:
        if ending in (".parquet", ".pq"):
            import pyarrow.parquet as pq

            table = pq.read_table(BytesIO(data))
        elif ending in (".json", ".jsonl", ".ndjson"):
            table = _json(data)
        elif b"\0" in data[:4096]:
            raise DataError(f"{path}: is not text; csv, tsv, txt, json lines and parquet are read, and .gz of them")
        else:
            table = _text(data, path, separator, header, quotes)
    except pa.ArrowInvalid as error:
        text = str(error).splitlines()[0]
        hint = "; a cell that holds the separator must be in double quotes" if "columns, got" in text else ""
        raise DataError(f"{path}: cannot be read: {text}{hint}") from error
    if not table.num_rows:
        raise DataError(f"{path}: has no rows")
    twice = {name for name in table.column_names if table.column_names.count(name) > 1}
    if twice:
        raise DataError(f"{path}: two columns are called {', '.join(sorted(twice))}")
    return table


def _json(data: bytes) -> "pa.Table":
    import pyarrow as pa
    from pyarrow import json

    if not data.strip():
        return pa.table({})
    if data.lstrip()[:1] == b"[":
        raise pa.ArrowInvalid("it holds one list; json is read with a record a line")
    longest = max(len(data) // 16, 1 << 24)  # a record may not be longer than a block
    return json.read_json(BytesIO(data), json.ReadOptions(block_size=min(longest, 1 << 30)))


def _text(data: bytes, path: Path, separator: str | None, header: bool, quotes: bool) -> "pa.Table":
    import pyarrow as pa
    from pyarrow import csv

    if not data.strip():
        return pa.table({})
    data = _utf8(data, path).lstrip(b"\r\n")
    separator = separator or _guess(data)
    if len(separator) > 1:
        data, separator = data.replace(separator.encode(), _UNIT.encode()), _UNIT
    parse = csv.ParseOptions(
        delimiter=separator, quote_char='"' if quotes else False, newlines_in_values=quotes and b'"' in data
    )
    first = data.split(b"\n", 1)[0] + b"\n"
    names = csv.read_csv(BytesIO(first), csv.ReadOptions(autogenerate_column_names=True), parse)
    columns = [str(cell[0]) if header else str(at) for at, cell in enumerate(names.to_pydict().values())]
    return csv.read_csv(
        BytesIO(data),
        csv.ReadOptions(column_names=columns, skip_rows=int(header)),
        parse,
        csv.ConvertOptions(column_types={name: pa.string() for name in columns}, strings_can_be_null=True),
    )


def _utf8(data: bytes, path: Path) -> bytes:
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        data.decode()
    except UnicodeDecodeError:
        log.warning("%s is not UTF-8; read as Latin-1", path)
        return data.decode("latin-1").encode()
    return data


def _guess(data: bytes) -> str:
    first = data.split(b"\n", 1)[0].decode()
    best = max("\t,;|", key=first.count)
    return best if best in first else " "
