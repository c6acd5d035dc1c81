"""Cells to arrays: ids, numbers, times, lists of ids; each error names the column, the first bad row and its value.

Rows are counted from 1, the first after the header.
"""

import json
import logging
from typing import TYPE_CHECKING

import numpy as np

from recexp.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"

log = logging.getLogger(__name__)


def flat(column: "pa.ChunkedArray | pa.Array") -> "pa.Array":
    """Return a column as one plain array: chunks joined, dictionaries decoded, NaN as null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = column.cast(pa.string())
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    return column


def ids(column: "pa.ChunkedArray | pa.Array", label: str) -> np.ndarray:
    """Return int64 (m,) when all cells are integers as one writes them, else object (m,) of str; 007 stays text.

    Decimals without a fraction (5.0), which other tools make of integers, become integers, with a warning.
    Raises DataError for empty cells, decimals with a fraction, and types that name nothing.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = flat(column)
    if pa.types.is_string(cells.type):
        cells = pc.utf8_trim_whitespace(cells)
        cells = pc.if_else(pc.equal(cells, ""), None, cells)
    _refuse_missing(cells, label)
    if pa.types.is_string(cells.type) and pc.all(pc.match_substring_regex(cells, r"^[0-9]+\.0+$")).as_py():
        cells = cells.cast(pa.float64())
    if pa.types.is_floating(cells.type):
        whole = pc.equal(pc.floor(cells), cells).to_numpy(zero_copy_only=False)
        if not whole.all():
            row = int(np.argmin(whole))
            raise DataError(f"{label}: row {row + 1}: {cells[row]} is no id; ids are integers or text")
        log.warning("%s: ids are written as decimals (%s); read as integers", label, cells[0])
        return cells.to_numpy(zero_copy_only=False).astype(np.int64)
    if pa.types.is_integer(cells.type):
        return cells.cast(pa.int64()).to_numpy(zero_copy_only=False)
    if not pa.types.is_string(cells.type):
        raise DataError(f"{label}: holds {cells.type} values; ids are integers or text")
    whole = _integers(cells)
    return cells.to_numpy(zero_copy_only=False).astype(object) if whole is None else whole.to_numpy()


def _integers(cells: "pa.Array") -> "pa.Array | None":
    """Return int64 cells when each is an integer as one writes it (no 007, no +7), else None."""
    import pyarrow as pa

    try:
        whole = cells.cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    return whole if whole.cast(pa.string()).equals(cells) else None


def _refuse_missing(cells: "pa.Array", label: str) -> None:
    if cells.null_count:
        row = int(np.argmax(cells.is_null().to_numpy(zero_copy_only=False)))
        raise DataError(f"{label}: {cells.null_count} rows are empty or NaN; the first is row {row + 1}")


def numbers(column: "pa.ChunkedArray | pa.Array", label: str) -> np.ndarray:
    """Return float64 (m,), NaN where a cell is empty. Raises DataError for text and infinity."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = flat(column)
    if pa.types.is_string(cells.type):
        cells = pc.utf8_trim_whitespace(cells)
        good = pc.fill_null(pc.match_substring_regex(cells, _NUMBER), True)
        good = good.to_numpy(zero_copy_only=False)
        if not good.all():
            row = int(np.argmin(good))
            raise DataError(f"{label}: row {row + 1}: {cells[row].as_py()!r} is not a number")
        cells = pc.replace_substring_regex(cells, r"^\+", "") if pc.any(pc.starts_with(cells, "+")).as_py() else cells
    elif not (
        pa.types.is_integer(cells.type)
        or pa.types.is_floating(cells.type)
        or pa.types.is_decimal(cells.type)
        or pa.types.is_boolean(cells.type)
        or pa.types.is_null(cells.type)
    ):
        raise DataError(f"{label}: holds {cells.type} values; expected numbers")
    values = cells.cast(pa.float64()).to_numpy(zero_copy_only=False)
    if np.isinf(values).any():
        raise DataError(f"{label}: row {int(np.argmax(np.isinf(values))) + 1}: infinity is not a usable number")
    return values


def seconds(column: "pa.ChunkedArray | pa.Array", label: str, time_format: str | None) -> np.ndarray:
    """Return int64 (m,) seconds since 1970 UTC, fractions cut.

    Without a format, numbers are seconds, or milli-, micro- or nanoseconds when that is what their size says, and text
    is ISO 8601. Raises DataError for cells that are empty or cannot be read.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = flat(column)
    _refuse_missing(cells, label)
    if pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type):
        return cells.cast(pa.timestamp("s"), safe=False).cast(pa.int64()).to_numpy(zero_copy_only=False)
    if time_format is None:
        if pa.types.is_string(cells.type):
            if not pc.match_substring_regex(cells[0], _NUMBER).as_py():
                return _dates(cells, label, "ISO8601")
            cells = _integers(cells) or cells
        whole = pa.types.is_integer(cells.type)
        return _epoch(cells.to_numpy(zero_copy_only=False) if whole else numbers(cells, label))
    return _dates(cells.cast(pa.string()), label, time_format)


def _epoch(times: np.ndarray) -> np.ndarray:
    largest = float(np.abs(times).max())
    unit = next((unit for limit, unit in ((1e17, 10**9), (1e14, 10**6), (1e11, 10**3)) if largest > limit), 1)
    return np.floor_divide(times, unit).astype(np.int64)


def _dates(cells: "pa.Array", label: str, time_format: str) -> np.ndarray:
    import pandas as pd

    texts = pd.Series(cells.to_numpy(zero_copy_only=False))
    times = pd.to_datetime(texts, format=time_format, errors="coerce", utc=True)
    bad = times.isna().to_numpy()
    if bad.any():
        row = int(np.argmax(bad))
        wanted = "seconds since 1970 or ISO 8601" if time_format == "ISO8601" else f"of the form {time_format}"
        raise DataError(
            f"{label}: row {row + 1}: {texts[row]!r} is no time {wanted} (dataset.time_format=... says how)"
        )
    return times.dt.as_unit("s").astype("int64").to_numpy()


def id_lists(column: "pa.ChunkedArray | pa.Array", label: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the ids of all rows one after another, and int64 (m + 1,) where each row's begin.

    A cell holds ids separated by spaces or |, or a json list; an empty cell is an empty list.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = flat(column)
    if pa.types.is_string(cells.type):
        cells = pc.utf8_trim_whitespace(pc.replace_substring(cells, "|", " "))
        cells = pc.if_else(pc.equal(cells, ""), None, cells)
        json_lists = pc.any(pc.starts_with(cells, "[")).as_py()
        cells = _json_lists(cells, label) if json_lists else pc.utf8_split_whitespace(cells)
    if not (pa.types.is_list(cells.type) or pa.types.is_large_list(cells.type)):
        raise DataError(f"{label}: holds {cells.type} values; expected lists of ids")
    lengths = pc.fill_null(pc.list_value_length(cells), 0).to_numpy(zero_copy_only=False)
    return ids(pc.list_flatten(cells), label), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _json_lists(cells: "pa.Array", label: str) -> "pa.Array":
    import pyarrow as pa

    lists = []
    for row, cell in enumerate(cells.to_pylist(), 1):
        try:
            lists.append([str(name) for name in json.loads(cell)] if cell else [])
        except (ValueError, TypeError) as error:
            raise DataError(f"{label}: row {row}: {cell[:60]!r} is no json list of ids") from error
    return pa.array(lists, pa.list_(pa.string()))
