"""Detects the format of a column of times."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from recexp.io import to_numpy

if TYPE_CHECKING:
    import pyarrow as pa

_ISO = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$"
_EPOCH = r"^\d{9,10}(\.\d+)?$|^\d{12,13}$|^\d{15,16}$|^\d{18,19}$"
_COMPACT = r"^(19|20)\d{6}$"
_PARTS = r"^(\d{1,2})([./-])(\d{1,2})[./-](\d{4}|\d{2})"
_CLOCK = r"([T ,]+)\d{1,2}:\d{2}(:\d{2})?(\.\d+)?( ?[AaPp][Mm])?$"
_NAMED = ("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%b %d %Y", "%Y/%m/%d", "%Y.%m.%d", "%Y %m %d")


@dataclass(frozen=True)
class Written:
    """The format of times.

    Attributes
    ----------
    time_format : for strptime; None: numbers since 1970 or ISO 8601, which need none.
    order : "day first" or "month first" if the format has both as numbers, else "".
    sure : False if the other order would read all times, too.
    """

    time_format: str | None = None
    order: str = ""
    sure: bool = True


def written(cells: "pa.Array", in_rows: "pa.Array | None" = None) -> Written | None:
    """Return the format of the distinct `cells` of a column of text; None: they are not times, or in several formats.

    If day and month are ambiguous, the order in which more of the cells `in_rows` ascend is assumed.
    """
    import pyarrow.compute as pc

    if not len(cells):
        return None
    if any(_all(cells, pattern) for pattern in (_ISO, _EPOCH)):
        return Written()
    if _all(cells, _COMPACT):
        return Written("%Y%m%d") if readable(cells, "%Y%m%d") else None
    first = cells[0].as_py()
    clock = _clock(first)
    if clock is None:
        return None
    found = re.match(_PARTS, first)
    if found is None:
        return next((Written(day + clock) for day in _NAMED if readable(cells, day + clock)), None)
    sign, year = found[2], "%y" if len(found[4]) == 2 else "%Y"
    day_first, month_first = (f"{sign}".join((*parts, year)) + clock for parts in (("%d", "%m"), ("%m", "%d")))
    heads = pc.extract_regex(cells, r"^(?P<a>\d{1,2})[./-](?P<b>\d{1,2})[./-]")
    if heads.null_count:
        return None
    largest = [pc.max(pc.struct_field(heads, part).cast("int32")).as_py() for part in ("a", "b")]
    if largest[0] > 12 >= largest[1]:
        return Written(day_first, "day first") if readable(cells, day_first) else None
    if largest[1] > 12 >= largest[0]:
        return Written(month_first, "month first") if readable(cells, month_first) else None
    if max(largest) > 12 or not readable(cells, day_first):
        return None
    rows = cells if in_rows is None else in_rows
    ascents = [_ascents(rows, form) for form in (day_first, month_first)]
    if sign != "." and ascents[1] > ascents[0]:
        return Written(month_first, "month first", sure=False)
    return Written(day_first, "day first", sure=sign == ".")


def moments(cells: "pa.Array", time_format: str | None) -> list[datetime]:
    """Return the first and the last of distinct times in a format, or an empty list if they cannot be read."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from recexp.io.times import times

    if not len(cells):
        return []
    if time_format is not None and "%f" not in time_format:
        parsed = pc.strptime(cells, format=time_format, unit="s", error_is_null=True)
        ends = pc.min_max(parsed.cast(pa.int64())).as_py()
        return [datetime.fromtimestamp(ends[end], UTC) for end in ("min", "max") if ends[end] is not None]
    from recexp.data.time_unit import PER_SECOND

    values, unit = times(cells, "times", time_format)
    return [datetime.fromtimestamp(int(end) // PER_SECOND[unit], UTC) for end in (values.min(), values.max())]


def readable(cells: "pa.Array", time_format: str) -> bool:
    """Whether all cells are times of a format."""
    import pyarrow.compute as pc

    plain = time_format.replace(".%f", "")
    cells = pc.replace_substring_regex(cells, r"\.\d+$", "") if plain != time_format else cells
    return pc.strptime(cells, format=plain, unit="s", error_is_null=True).null_count == 0


def _clock(cell: str) -> str | None:
    """Return the format of the time of day that a cell ends with; "": it has none; None: it is of no known form."""
    found = re.search(_CLOCK, cell)
    if found is None:
        return "" if ":" not in cell else None
    hours = "%I:%M" if found[4] else "%H:%M"
    half = found[4].replace(found[4].strip(), "%p") if found[4] else ""
    return f"{found[1]}{hours}{':%S' if found[2] else ''}{'.%f' if found[3] else ''}{half}"


def _all(cells: "pa.Array", pattern: str) -> bool:
    import pyarrow.compute as pc

    if not pc.match_substring_regex(cells.slice(0, 1), pattern)[0].as_py():
        return False
    return bool(pc.all(pc.match_substring_regex(cells, pattern)).as_py())


def _ascents(cells: "pa.Array", time_format: str) -> float:
    """Return in which share of neighbors the later cell is no earlier time; 0 where some are no times."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parsed = pc.strptime(cells, format=time_format, unit="s", error_is_null=True)
    if parsed.null_count:
        return 0.0
    return float(np.mean(np.diff(to_numpy(parsed.cast(pa.int64()))) >= 0)) if len(parsed) > 1 else 0.0
