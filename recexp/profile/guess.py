"""Guesses the role of each column from its name and its cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from recexp.io.cells import COMMA_NUMBER, NUMBER, is_text, plain, trimmed, with_points
from recexp.io.header import Role
from recexp.profile import words
from recexp.profile.dates import written

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE = 20_000  # rows that are looked at
ROLES: tuple[Role, ...] = ("user", "item", "timestamp", "quantity", "rating", "session", "event")


@dataclass(frozen=True)
class Look:
    """A summary of the first cells of a column.

    Attributes
    ----------
    kind : empty, whole, number, time, list or text.
    commas : whether numbers have a decimal comma. None: commas may as well part thousands.
    zeros : whether ids have leading zeros.
    distinct, empty : how many different cells there are, and the share of empty ones.
    low, high : of numbers.
    """

    name: str
    kind: str
    commas: bool | None = False
    zeros: bool = False
    distinct: int = 0
    empty: float = 0.0
    low: float = 0.0
    high: float = 0.0
    examples: tuple[str, ...] = ()

    @property
    def numeric(self) -> bool:
        return self.kind in ("whole", "number")


def look(name: str, column: "pa.ChunkedArray") -> Look:
    """Summarize the first cells of a column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = plain(column.slice(0, SAMPLE))
    kind = cells.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_struct(kind):
        return Look(name, "list", examples=tuple(str(cell)[:20] for cell in cells.slice(0, 2).to_pylist()))
    timed = pa.types.is_temporal(kind)
    cells = cells.cast(pa.timestamp("s"), safe=False) if pa.types.is_timestamp(kind) else cells
    cells = trimmed(cells if is_text(kind) else cells.cast(pa.string()))
    known = cells.drop_null()
    empty = 1 - len(known) / max(len(cells), 1)
    if not len(known):
        return Look(name, "empty", empty=empty)
    distinct = known.unique()
    known = known.combine_chunks() if isinstance(known, pa.ChunkedArray) else known
    about = Look(name, "text", distinct=len(distinct), empty=empty, examples=tuple(distinct.slice(0, 3).to_pylist()))
    if timed or pa.types.is_boolean(kind):
        return replace(about, kind="time" if timed else "text")
    zeros = _any(distinct, r"^0\d")
    points, commas = (_all(distinct, pattern) for pattern in (NUMBER, COMMA_NUMBER))
    if points or commas:
        with_comma = distinct.filter(pc.match_substring(distinct, ","))
        thousands = len(with_comma) and _all(with_comma, r"^[+-]?\d{1,3}(,\d{3})+$")
        sure = False if points else None if thousands else True
        values = (distinct if points else with_points(distinct)).cast(pa.float64())
        whole = pc.all(pc.equal(values, pc.floor(values))).as_py()
        ends = pc.min_max(values).as_py()
        found = replace(about, kind="whole" if whole else "number", commas=sure, zeros=zeros)
        return replace(found, low=ends["min"], high=ends["max"])
    timed = written(distinct, known) is not None
    return replace(about, kind="time" if timed else "text", zeros=zeros)


def _all(cells: "pa.Array", pattern: str) -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(pc.match_substring_regex(cells, pattern)).as_py())


def _any(cells: "pa.Array", pattern: str) -> bool:
    import pyarrow.compute as pc

    return bool(pc.any(pc.match_substring_regex(cells, pattern)).as_py())


def roles(looks: Sequence[Look], given: Mapping[Role, str | int | None]) -> dict[Role, str]:
    """Return the column of each role: as `given`, else the best fitting name among columns with fitting cells.

    A column has one role. A role is left out if no name fits; times are recognized by their cells alone.
    """
    found: dict[Role, str] = {role: str(name) for role, name in given.items() if name is not None}
    for role in ROLES:
        if role in given or (role == "rating" and "quantity" in found) or (role == "quantity" and "rating" in found):
            continue
        free = [one for one in looks if one.name not in found.values() and _fits(role, one)]
        scores = {one.name: words.score(role, one.name) for one in free}
        best = max(scores, key=scores.__getitem__, default=None)  # the first of equals
        if best is not None and scores[best]:
            found[role] = best
        elif role == "timestamp":
            times = [one.name for one in free if one.kind == "time"]
            found |= {"timestamp": times[0]} if times else {}
    return found


def places(looks: Sequence[Look]) -> dict[Role, str]:
    """Return the roles of columns without names by their order: user, item, then a rating, then a time."""
    found: dict[Role, str] = {"user": looks[0].name, "item": looks[1].name} if len(looks) > 1 else {}
    for one in looks[2:]:
        if "timestamp" not in found and _fits("timestamp", one):
            found["timestamp"] = one.name
        elif "rating" not in found and one.numeric and one.low >= -10 and one.high <= 100:
            found["rating"] = one.name
    return found


def _fits(role: Role, one: Look) -> bool:
    """Whether a column's cells may be what a role needs."""
    if one.kind in ("empty", "list"):
        return False
    if role in ("user", "item", "session"):
        return one.kind in ("whole", "text") and one.commas is False
    if role == "timestamp":
        return one.kind == "time" or (one.kind in ("whole", "number") and one.low > 6e8 and one.high < 5e18)
    if role == "event":
        return one.kind == "text" and one.distinct <= 30
    return one.kind == "whole" if role == "quantity" else one.numeric
