"""Parquet: columns are read with their types, text as codes where it can be."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from recexp.io.reading import check_unpacked, read_bytes

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


@dataclass(frozen=True)
class ParquetTable:
    """Text is read as codes and what they stand for, where it can be: a small file may hold a long text very often."""

    path: Path
    file: "pq.ParquetFile"
    size: int

    @staticmethod
    def of(path: Path) -> "ParquetTable":
        import pyarrow.parquet as pq

        packed = path.suffix == ".gz" or not path.is_file()
        data = read_bytes(path) if packed else b""
        about = pq.ParquetFile(BytesIO(data) if packed else path)
        coded = [column.path_in_schema for column in _chunks(about) if _is_text(column) and _is_coded(column)]
        plain = {column.path_in_schema for column in _chunks(about) if not _is_coded(column)}
        file = pq.ParquetFile(
            BytesIO(data) if packed else path,
            metadata=about.metadata,
            read_dictionary=sorted({*coded} - plain),
            page_checksum_verification=True,
        )
        return ParquetTable(path, file, len(data) if packed else path.stat().st_size)

    @property
    def names(self) -> Sequence[str]:
        names: Sequence[str] = self.file.schema_arrow.names
        return names

    def read(self, names: Sequence[str], *, whole: Collection[str], real: Collection[str]) -> "pa.Table":
        chunks = [chunk for chunk in _chunks(self.file) if chunk.path_in_schema.partition(".")[0] in names]
        sizes = (max(chunk.total_uncompressed_size, chunk.num_values * _width(chunk)) for chunk in chunks)
        check_unpacked(self.path, self.size, sum(sizes))
        table = self.file.read(columns=list(names)).select(list(names))
        table.validate(full=True)
        return table


def _chunks(file: "pq.ParquetFile") -> "Iterator[pq.ColumnChunkMetaData]":
    about = file.metadata
    for group in map(about.row_group, range(about.num_row_groups)):
        yield from map(group.column, range(about.num_columns))


def _is_text(chunk: "pq.ColumnChunkMetaData") -> bool:
    return bool(chunk.physical_type == "BYTE_ARRAY")


def _is_coded(chunk: "pq.ColumnChunkMetaData") -> bool:
    """Whether Arrow can read a column of text as codes."""
    return {*chunk.encodings} <= {"PLAIN", "RLE", "BIT_PACKED", "PLAIN_DICTIONARY", "RLE_DICTIONARY"}


def _width(chunk: "pq.ColumnChunkMetaData") -> int:
    """Return how many bytes a value takes at least, a code for text."""
    return {"BOOLEAN": 1, "FIXED_LEN_BYTE_ARRAY": 1, "BYTE_ARRAY": 4, "INT32": 4, "FLOAT": 4}.get(
        chunk.physical_type, 8
    )
