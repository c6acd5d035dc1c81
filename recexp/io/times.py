"""Cells that are times: numbers since 1970, dates as ISO 8601 or a format has them; in the unit that loses nothing.

A number is a whole count and billionths beside it until its unit is known: nothing passes through floating point.
"""

import logging
import re
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

import numpy as np

from recexp.data.time_unit import PER_SECOND, TimeUnit, coarsened, in_unit
from recexp.errors import DataError
from recexp.io.arrow import texts, to_numpy
from recexp.io.cells import NUMBER, is_number, plain, refuse_missing, tell_merged, trimmed
from recexp.io.fixed_times import fixed_times

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

_FROM, _UNTIL = 631_152_000, 4_102_444_800  # 1990 and 2100, in seconds


def times(column: "pa.ChunkedArray | pa.Array", label: str, time_format: str | None) -> tuple[np.ndarray, TimeUnit]:
    """Return int64 (m,) times since 1970 UTC and their unit, the coarsest of s, ms, us and ns that loses nothing.

    Without a format, text is ISO 8601, and numbers are in the unit that puts them between 1990 and 2100, or else in
    that which the size of the largest suggests. Times outside these years and digits beyond ns, which are cut, are
    warned of. Raises DataError for cells that are empty, cannot be read or are beyond int64, and for several units.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = plain(column)
    cells = trimmed(cells) if pa.types.is_string(cells.type) else cells
    refuse_missing(cells, label)
    if pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type):
        found = _typed(cells)
    elif time_format is not None:
        found = _formatted(_as_text(cells), label, time_format)
    elif pa.types.is_string(cells.type) and not pc.match_substring_regex(cells[0], NUMBER).as_py():
        found = _iso(cells, label)
    else:
        found = _counted(cells, label)
    values, unit = coarsened(*found)
    _tell_outside(values, unit, label)
    return values, unit


def _typed(cells: "pa.ChunkedArray | pa.Array") -> tuple[np.ndarray, TimeUnit]:
    import pyarrow as pa

    if pa.types.is_date(cells.type):
        cells = cells.cast(pa.timestamp("s" if pa.types.is_date32(cells.type) else "ms"))
    return to_numpy(cells.cast(pa.timestamp(cells.type.unit)).cast(pa.int64())), cells.type.unit


def _as_text(cells: "pa.ChunkedArray | pa.Array") -> "pa.ChunkedArray | pa.Array":
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(cells.type) and pc.all(pc.equal(cells, pc.floor(cells))).as_py():
        cells = cells.cast(pa.int64(), safe=False)  # 20240131.0 is 20240131
    return cells.cast(pa.string())


def _iso(cells: "pa.ChunkedArray | pa.Array", label: str) -> tuple[np.ndarray, TimeUnit]:
    """Read ISO 8601: by Arrow where all cells are alike, else by pandas, which is slower."""
    import pyarrow as pa

    for zone in (None, "UTC"):
        for unit in PER_SECOND:
            try:
                return to_numpy(cells.cast(pa.timestamp(unit, zone)).cast(pa.int64())), unit
            except pa.ArrowInvalid:
                continue
    return _by_pandas(cells, label, "ISO8601", "a time in seconds since 1970 or ISO 8601")


def _formatted(cells: "pa.ChunkedArray | pa.Array", label: str, time_format: str) -> tuple[np.ndarray, TimeUnit]:
    fixed = fixed_times(cells, time_format)
    if fixed is not None:
        return fixed, "s"
    try:
        return _by_pandas(cells, label, time_format, f"a time of the form {time_format}")
    except (ValueError, re.error) as error:
        raise DataError(f"{label}: dataset.time_format={time_format!r}: {error}") from error


def _by_pandas(
    cells: "pa.ChunkedArray | pa.Array", label: str, time_format: str, wanted: str
) -> tuple[np.ndarray, TimeUnit]:
    import pandas as pd

    words = texts(cells)
    found = pd.to_datetime(pd.Series(words, dtype=object), format=time_format, errors="coerce", utc=True)
    bad = found.isna().to_numpy()
    if bad.any():
        row = int(np.argmax(bad))
        shown = repr(words[row][:60])
        raise DataError(f"{label}: row {row + 1}: {shown} is not {wanted} (set dataset.time_format=...)")
    return found.dt.tz_localize(None).to_numpy().view(np.int64), found.dt.unit


def _counted(cells: "pa.ChunkedArray | pa.Array", label: str) -> tuple[np.ndarray, TimeUnit]:
    whole, billionths = _parts(cells, label)
    unit = _written_in(whole, label)
    if billionths is None:
        return whole, unit
    finer = list(PER_SECOND)[list(PER_SECOND).index(unit) :]
    digits = next(d for d in (0, 3, 6, 9) if not (billionths % 10 ** (9 - d)).any())
    if digits // 3 >= len(finer):
        log.warning("%s: digits beyond nanoseconds are dropped from times", label)
        digits = 3 * (len(finer) - 1)
    wanted = finer[digits // 3]
    try:
        return in_unit(whole, unit, wanted) + billionths // 10 ** (9 - digits), wanted
    except DataError as error:
        raise DataError(f"{label}: {error}") from error


def _written_in(values: np.ndarray, label: str) -> TimeUnit:
    """Return the unit that puts numbers between 1990 and 2100; where none does, the one that the largest suggests.

    Raises DataError where rows are in several units: each is between these years in its own, and few are in none.
    """
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    inside: dict[TimeUnit, np.ndarray] = {}
    for unit, per in PER_SECOND.items():
        if len(values) and _FROM * per <= int(values.min()) and high < _UNTIL * per:
            return unit
        rows = (values >= _FROM * per) & (values < _UNTIL * per)
        if rows.any():
            inside[unit] = rows
    if not inside:
        size = max(high, -low)
        return "ns" if size > 1e17 else "us" if size > 1e14 else "ms" if size > 1e11 else "s"
    most = max(inside, key=lambda unit: int(inside[unit].sum()))
    others = [unit for unit in inside if unit != most]
    if others and sum(int(inside[unit].sum()) for unit in others) >= _between(values, list(inside)):
        first = {unit: int(np.argmax(rows)) for unit, rows in inside.items()}
        shown = (f"row {row + 1} ({values[row]}) in {unit}" for unit, row in first.items())
        raise DataError(
            f"{label}: times are in several units since 1970: {', '.join(shown)}; write all of them in one "
            "(or set dataset.columns.timestamp=null)"
        )
    return most


def _between(values: np.ndarray, units: list[TimeUnit]) -> int:
    """Return how many rows lie between the years of several units, as counters do and mixed units do not."""
    lows, highs = ([year * PER_SECOND[unit] for unit in units] for year in (_FROM, _UNTIL))
    return sum(int(((values >= end) & (values < begin)).sum()) for end, begin in zip(highs, lows[1:]))


def _parts(cells: "pa.ChunkedArray | pa.Array", label: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the whole part of numbers, int64 (m,), and the rest in billionths, or None where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pa.types.is_string(cells.type)
    if not (text or is_number(cells.type)) or pa.types.is_boolean(cells.type):
        raise DataError(f"{label}: holds {cells.type} values; expected times")
    if pa.types.is_floating(cells.type):
        values = to_numpy(cells)
        tell_merged(values, label)
        if (np.floor(values) == values).all() and np.abs(values).max(initial=0) < 2**63:
            return values.astype(np.int64), None
    elif not (text and pc.any(pc.match_substring(cells, "x")).as_py()):  # Arrow reads 0x10 as 16
        try:
            return to_numpy(cells.cast(pa.int64())), None
        except pa.ArrowInvalid:
            pass  # decimals, or what is refused below
    return _decimal_parts(cells.cast(pa.string()), label)


def _decimal_parts(cells: "pa.ChunkedArray | pa.Array", label: str) -> tuple[np.ndarray, np.ndarray]:
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
    if pc.any(pc.match_substring_regex(cells, r"\.[0-9]{9}[0-9]*[1-9][0-9]*$")).as_py():
        log.warning("%s: digits beyond the ninth decimal place are dropped from times", label)
    cells = pc.replace_substring_regex(cells, r"(\.[0-9]{9})[0-9]+$", r"\1")
    kind = pa.decimal128(28, 9)
    try:
        exact = cells.cast(kind)
        whole = pc.floor(exact).cast(pa.int64())
    except pa.ArrowInvalid:  # the first cell that cannot be read is told, else Python reads what Arrow does not
        exact = pa.array([_decimal(cell, row, label) for row, cell in enumerate(cells.to_pylist(), 1)], kind)
        whole = pc.floor(exact).cast(pa.int64())
    rest = pc.subtract(exact, pc.floor(exact))  # below 1: of its 128 bits the lower half says all
    billionths = np.frombuffer(rest.buffers()[1], np.int64)[2 * rest.offset : 2 * (rest.offset + len(rest)) : 2]
    return to_numpy(whole), billionths


def _decimal(cell: str, row: int, label: str) -> Decimal:
    if not re.match(NUMBER, cell):
        raise DataError(f"{label}: row {row}: {cell[:60]!r} is not a number")
    value = Decimal(cell)
    if not -(2**63) <= value < 2**63:
        raise DataError(f"{label}: row {row}: time {cell[:60]} is beyond 64 bits")
    return value.quantize(Decimal("1e-9"), ROUND_FLOOR)


def _tell_outside(values: np.ndarray, unit: TimeUnit, label: str) -> None:
    begin, end = _FROM * PER_SECOND[unit], _UNTIL * PER_SECOND[unit]
    if not len(values) or (begin <= values.min() and values.max() < end):
        return
    outside = (values < begin) | (values >= end)
    row = int(np.argmax(outside))
    log.warning(
        "%s: %d of %d times lie outside 1990-2100, the first in row %d (%s %s since 1970); check them, or if "
        "they are not times set dataset.order=file and dataset.columns.timestamp=null",
        label,
        outside.sum(),
        len(values),
        row + 1,
        values[row],
        unit,
    )
