"""Cells that are ids or lists of ids: integers in plain notation, or text; never converted through floating point."""

import json
import logging
from typing import TYPE_CHECKING

import numpy as np

from recexp.errors import DataError
from recexp.io.arrow import from_numpy, mask, texts, to_numpy
from recexp.io.cells import is_text, plain, refuse_missing, tell_merged, trimmed
from recexp.io.ids import Ids

if TYPE_CHECKING:
    import pyarrow as pa

_WHOLE = r"^-?[0-9]+(\.0+)?$"
_INT64 = 2**63

log = logging.getLogger(__name__)


def ids(column: "pa.ChunkedArray | pa.Array", label: str) -> Ids:
    """Return int64 ids if all cells are integers in plain notation, else text; 007 stays text.

    Decimals without a fraction (5.0), which other tools make of integers, become integers, with a warning. If one
    integer of a column is beyond int64, the whole column is text.
    Raises DataError for empty cells, decimals with a fraction, and types that cannot be ids.
    """
    import pyarrow as pa

    if pa.types.is_dictionary(column.type) and is_text(column.type.value_type):
        return _texts(column, label)
    cells = plain(column)
    if pa.types.is_string(cells.type):
        return _texts(cells, label)
    refuse_missing(cells, label)
    if pa.types.is_floating(cells.type):
        return _floats(to_numpy(cells), label)
    if pa.types.is_decimal(cells.type):
        return _decimals(cells, label)
    if not pa.types.is_integer(cells.type):
        raise DataError(f"{label}: holds {cells.type} values; ids are integers or text")
    values = to_numpy(cells)
    if values.dtype == np.uint64 and values.max(initial=0) >= _INT64:
        return _texts(cells.cast(pa.string()), label)
    return Ids.of(values.astype(np.int64, copy=False))


def coded_chunks(cells: "pa.ChunkedArray | pa.Array") -> "list[pa.DictionaryArray]":
    """Return cells as codes of one dictionary; to unify those that are one already takes longer than to code them."""
    import pyarrow as pa

    coded = cells.dictionary_encode()
    if not isinstance(coded, pa.ChunkedArray):
        return [coded]
    sizes = {len(chunk.dictionary) for chunk in coded.chunks}
    alike = not pa.types.is_dictionary(cells.type) and len(sizes) <= 1
    chunks: list[pa.DictionaryArray] = (coded if alike else coded.unify_dictionaries()).chunks
    return chunks


def _texts(cells: "pa.ChunkedArray | pa.Array", label: str) -> Ids:
    import pyarrow as pa
    import pyarrow.compute as pc

    chunks = coded_chunks(cells)
    known = pc.utf8_trim_whitespace(chunks[0].dictionary.cast(pa.string())) if chunks else pa.array([], pa.string())
    codes = [to_numpy(chunk.indices.fill_null(-1)) for chunk in chunks]
    row_codes = np.concatenate(codes) if len(codes) > 1 else codes[0] if codes else np.empty(0, np.int32)
    empty = np.append(~mask(pc.not_equal(known, "")), True)
    if (missing := empty[row_codes]).any():
        first = int(np.argmax(missing)) + 1
        raise DataError(f"{label}: {missing.sum()} rows are empty or NaN; the first is row {first}")
    used = np.bincount(row_codes, minlength=len(known)) > 0  # a file may hold codes that no row has
    distinct = Ids.of(_as_written(known.filter(from_numpy(used)), label))
    ranks = np.zeros(len(known), np.int32)
    ranks[used] = distinct.codes
    return Ids(ranks[row_codes], distinct.known)


def _as_written(known: "pa.Array", label: str) -> np.ndarray:
    """Return distinct texts as int64 where all are integers, else as they are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if len(known) and pc.all(pc.match_substring_regex(known, _WHOLE)).as_py():
        points = pc.match_substring(known, ".")
        if pc.any(points).as_py():
            _tell(label, known[pc.index(points, True).as_py()])
            known = pc.replace_substring_regex(known, r"\.0+$", "")
        try:
            whole = known.cast(pa.int64())
        except pa.ArrowInvalid:
            return texts(known)  # beyond int64
        if whole.cast(pa.string()).equals(known):  # no 007
            return to_numpy(whole)
    return texts(known)


def _decimals(cells: "pa.ChunkedArray | pa.Array", label: str) -> Ids:
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = mask(pc.equal(cells, pc.floor(cells)))
    if not whole.all():
        row = int(np.argmin(whole))
        raise DataError(f"{label}: row {row + 1}: {cells[row]} is not an id; ids are integers or text")
    return _texts(cells.cast(pa.string()), label)


def _floats(values: np.ndarray, label: str) -> Ids:
    whole = (np.floor(values) == values) & np.isfinite(values)
    if not whole.all():
        row = int(np.argmin(whole))
        raise DataError(f"{label}: row {row + 1}: {values[row]} is not an id; ids are integers or text")
    _tell(label, values[0])
    tell_merged(values, label)
    if np.abs(values).max(initial=0) < _INT64:
        return Ids.of(values.astype(np.int64))
    known, codes = np.unique(values, return_inverse=True)
    names = Ids.of(np.array([str(int(value)) for value in known], dtype=object))
    return Ids(names.codes[codes], names.known)


def _tell(label: str, example: object) -> None:
    log.warning("%s: ids are written as decimals (%s); read as integers", label, example)


def id_lists(column: "pa.ChunkedArray | pa.Array", label: str) -> tuple[Ids, np.ndarray]:
    """Return the ids of all rows one after another, and int64 (m + 1,) where each row's begin.

    A cell holds ids separated by spaces or |, or a json list; an empty cell is an empty list.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = plain(column)
    cells = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
    if pa.types.is_string(cells.type):
        cells = trimmed(pc.replace_substring(cells, "|", " "))
        json_lists = pc.any(pc.starts_with(cells, "[")).as_py()
        cells = _json_lists(cells, label) if json_lists else pc.utf8_split_whitespace(cells)
    if not (pa.types.is_list(cells.type) or pa.types.is_large_list(cells.type)):
        raise DataError(f"{label}: holds {cells.type} values; expected lists of ids")
    lengths = to_numpy(pc.fill_null(pc.list_value_length(cells), 0))
    return ids(pc.list_flatten(cells), label), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _json_lists(cells: "pa.Array", label: str) -> "pa.Array":
    import pyarrow as pa

    lists = []
    for row, cell in enumerate(cells.to_pylist(), 1):
        try:
            lists.append([str(name) for name in json.loads(cell)] if cell else [])
        except (ValueError, TypeError) as error:
            raise DataError(f"{label}: row {row}: {cell[:60]!r} is not a json list of ids") from error
    return pa.array(lists, pa.list_(pa.string()))
