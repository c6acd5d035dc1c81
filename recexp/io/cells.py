"""Cells to arrays: numbers, names; each error names the column, the first bad row and its value.

Rows are counted from 1, the first after the header.
"""

import logging
from typing import TYPE_CHECKING

import numpy as np

from recexp import limits
from recexp.data.column import Column
from recexp.errors import DataError
from recexp.io.arrow import mask, texts, to_numpy
from recexp.io.ids import encode
from recexp.params import Decimal

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
COMMA_NUMBER = r"^[+-]?(([0-9]+|[0-9]{1,3}([.' \x{a0}\x{202f}][0-9]{3})+)(,[0-9]*)?|,[0-9]+)$"
"""With a decimal comma; thousands may be apart by a point, an apostrophe or a blank."""
_SIGNS = {".": "point", ",": "comma"}


def plain(column: "pa.ChunkedArray | pa.Array") -> "pa.ChunkedArray | pa.Array":
    """Return a column with one type for each kind of cell: string for all text, float for all floats, NaN as null.

    Raises ValueError where codes stand for more text than is allowed.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        _check_decoded(column)
        return plain(column.cast(kind.value_type))
    if pa.types.is_list(kind) and pa.types.is_dictionary(kind.value_type):
        _check_decoded(pc.list_flatten(column))
    if is_text(kind) and not pa.types.is_string(kind):
        return column.cast(pa.string())
    if pa.types.is_float16(kind):
        column = column.cast(pa.float32())
    if pa.types.is_floating(column.type):
        empty = pc.is_nan(column)
        column = pc.if_else(empty, None, column) if pc.any(empty).as_py() else column
    return column


def _check_decoded(column: "pa.ChunkedArray | pa.Array") -> None:
    """Raise ValueError where the texts that codes stand for take more than is allowed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not is_text(column.type.value_type):
        return
    size = 0
    for chunk in getattr(column, "chunks", [column]):
        counts = np.bincount(to_numpy(chunk.indices.drop_null()), minlength=len(chunk.dictionary))
        size += int(counts @ to_numpy(pc.fill_null(pc.binary_length(chunk.dictionary), 0).cast(pa.int64())))
    if size > limits.get("data_mib") << 20:
        raise ValueError(
            f"a column of text unpacks to more than {limits.get('data_mib')} MiB; {limits.raising('data_mib')}"
        )


def is_text(kind: "pa.DataType") -> bool:
    """Whether cells are text, or bytes that may be."""
    import pyarrow as pa

    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind) or _is_bytes(kind))


def _is_bytes(kind: "pa.DataType") -> bool:
    """Whether cells are bytes, as some tools write text to parquet."""
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def trimmed(column: "pa.ChunkedArray | pa.Array") -> "pa.ChunkedArray | pa.Array":
    """Return cells of text without leading and trailing blanks, null where nothing is left."""
    import pyarrow.compute as pc

    cells = pc.utf8_trim_whitespace(column)
    empty = pc.equal(cells, "")
    return pc.if_else(empty, None, cells) if pc.any(empty).as_py() else cells


def refuse_missing(column: "pa.ChunkedArray | pa.Array", label: str) -> None:
    """Raise DataError where a cell is null."""
    if column.null_count:
        row = int(np.argmax(mask(column.is_null())))
        raise DataError(f"{label}: {column.null_count} rows are empty or NaN; the first is row {row + 1}")


def written_numbers(cells: "pa.ChunkedArray | pa.Array", decimal: Decimal) -> "pa.ChunkedArray | pa.Array":
    """Return bool: which cells of text are numbers, null where one is empty."""
    import pyarrow.compute as pc

    return pc.match_substring_regex(cells, COMMA_NUMBER if decimal == "," else NUMBER)


def with_points(cells: "pa.ChunkedArray | pa.Array") -> "pa.ChunkedArray | pa.Array":
    """Return numbers as text with a decimal point, given with a decimal comma."""
    import pyarrow.compute as pc

    return pc.replace_substring(pc.replace_substring_regex(cells, r"[.' \x{a0}\x{202f}]", ""), ",", ".")


def numbers(column: "pa.ChunkedArray | pa.Array", label: str, decimal: Decimal = ".") -> np.ndarray:
    """Return float64 (m,), NaN where a cell is empty. Raises DataError for text and what float32 cannot hold."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = plain(column)
    if pa.types.is_string(cells.type):
        cells = trimmed(cells)
        good = written_numbers(cells, decimal)
        if not pc.all(good).as_py():
            row = int(np.argmin(mask(pc.fill_null(good, True))))
            told = f"{_shown(cells[row])} is not a number{_remedy(cells[row], decimal)}"
            raise DataError(f"{label}: row {row + 1}: {told}")
        cells = with_points(cells) if decimal == "," else cells
    elif not is_number(cells.type):
        raise DataError(f"{label}: holds {cells.type} values; expected numbers")
    cells = cells.cast(pa.float64(), safe=False)  # integers beyond 2^53 are rounded
    values = to_numpy(pc.fill_null(cells, float("nan")) if cells.null_count else cells)
    largest = np.finfo(np.float32).max
    if (huge := (values > largest) | (values < -largest)).any():
        row = int(np.argmax(huge))
        told = f"{values[row]:g} is too large" if np.isfinite(values[row]) else "infinity is not usable"
        raise DataError(f"{label}: row {row + 1}: {told}; numbers are at most {largest:.2g}")
    return values


def is_number(kind: "pa.DataType") -> bool:
    """Whether a type is numeric; booleans and the type of an empty column count."""
    import pyarrow as pa

    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_boolean(kind)
        or types.is_null(kind)
    )


def tell_merged(values: np.ndarray, label: str) -> None:
    """Warn if floats hold integers too large to be exact, so that different ids may have become equal."""
    largest, exact = np.abs(values).max(initial=0), 2 ** (np.finfo(values.dtype).nmant + 1)
    if largest > exact:
        log.warning(
            "%s: the column holds %s, which cannot represent all integers above %d; distinct values up to %.0f may "
            "have been merged when they were written; write them as integers or text",
            label,
            values.dtype,
            exact,
            largest,
        )


def _remedy(cell: "pa.Scalar", decimal: Decimal) -> str:
    """Return what to do where the other decimal sign would make a number of a cell."""
    import pyarrow as pa

    other: Decimal = "." if decimal == "," else ","
    if written_numbers(pa.array([cell.as_py()]), other)[0].as_py():
        return f" with a decimal {_SIGNS[decimal]}; dataset.decimal='{other}' reads it with a {_SIGNS[other]}"
    return ""


def _shown(cell: "pa.Scalar") -> str:
    text = str(cell.as_py())
    return repr(text if len(text) <= 60 else text[:57] + "...")


def names(column: "pa.ChunkedArray | pa.Array", label: str) -> "pa.ChunkedArray":
    """Return cells as text without blanks around it, null where there is none. Raises DataError for nested types."""
    import pyarrow as pa

    if pa.types.is_nested(column.type):
        raise DataError(f"{label}: holds {column.type} values; expected one name per row")
    return trimmed(plain(column).cast(pa.string()))


def category(column: "pa.ChunkedArray | pa.Array", label: str) -> Column:
    """Return a category column of names. Raises DataError for nested types."""
    coded = names(column, label).dictionary_encode()
    coded = coded.combine_chunks() if hasattr(coded, "combine_chunks") else coded
    known = texts(coded.dictionary)
    ranks, categories = encode(known)
    codes = np.append(ranks, np.int32(-1))[to_numpy(coded.indices.fill_null(-1))]
    return Column("category", codes.astype(np.int32), tuple(categories))
