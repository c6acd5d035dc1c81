"""Interaction logs as they lie in files: original ids, ratings, times, events, sessions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from recexp.data.column import Column, Kind
from recexp.data.time_unit import TimeUnit
from recexp.errors import DataError
from recexp.io.cells import category, numbers
from recexp.io.features import by_name, refuse_absent, typed
from recexp.io.header import COLUMNS, Columns, Role, find_columns
from recexp.io.id_cells import id_lists, ids
from recexp.io.ids import Ids
from recexp.io.reading import read_bytes
from recexp.io.tables import open_table, readable
from recexp.io.times import times

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")

Format = Literal["auto", "recbole", "lightgcn", "session_lines"]
"""auto: a table with named columns. recbole: an atomic file, its header typed as `user_id:token`. lightgcn: a user and
its items a line. session_lines: the items of one session a line."""


@dataclass(frozen=True)
class IdRows:
    """One list of ids a row: row r owns `ids[offsets[r]:offsets[r + 1]]`."""

    ids: Ids
    offsets: np.ndarray


@dataclass(frozen=True)
class RawLog:
    """m rows as found, in file order, with original ids.

    Attributes
    ----------
    users, items : ids of m rows.
    values : float32 (m,) ratings, counts or weights, NaN where missing, or None.
    timestamps : int64 (m,) times since 1970 UTC, counted in `time_unit`, or None.
    events : category column, or None.
    sessions : int32 (m,) codes of sessions, or None.
    context : further columns by name; a fold column is the category `fold`.
    candidates : the items to rank for each row, or None.
    """

    users: Ids
    items: Ids
    values: np.ndarray | None = None
    timestamps: np.ndarray | None = None
    events: Column | None = None
    sessions: np.ndarray | None = None
    context: Mapping[str, Column] = field(default_factory=dict)
    candidates: IdRows | None = None
    time_unit: TimeUnit = "s"

    def __len__(self) -> int:
        return len(self.users)


def read_log(
    path: Path,
    *,
    columns: Columns | None,
    separator: str | None,
    time_format: str | None,
    format: Format,
    context: Mapping[str, Kind] | None = None,
    context_required: bool = True,
) -> RawLog:
    """Read a log of interactions.

    Parameters
    ----------
    path : the file; see `read_table`.
    columns : what each column is called, over COLUMNS; None: the log has none. A number is a position, from 0, in a
        file without a header line.
    separator : what separates columns of text; None: guessed.
    time_format : how times are written (strptime), or None: numbers or ISO 8601.
    format : how the file is laid out.
    context : kinds by name of further columns to keep.
    context_required : whether they must be there; else those that are not are left out.

    Raises
    ------
    DataError : missing file or column, no rows, empty ids, text among ratings, unreadable times.
    """
    if format in ("lightgcn", "session_lines"):
        return _lines(path, sessions=format == "session_lines")
    names: Columns = {**COLUMNS, **(columns or {})}
    header = not any(isinstance(name, int) for name in names.values())
    file = open_table(path, separator=separator, header=header, quotes=format != "recbole")
    stored = {name.split(":")[0] if format == "recbole" else name: name for name in file.names}
    kinds = {name: kind for name, kind in (context or {}).items() if context_required or name in stored}
    found = find_columns(list(stored), names, path, kinds)
    wanted = dict.fromkeys([*found.values(), *kinds])
    whole = [stored[found[role]] for role in ("user", "item", "session", "timestamp") if role in found]
    real = [stored[found[role]] for role in ("rating", "timestamp") if role in found]
    for name in wanted:
        refuse_absent(stored, path, name)
    table = file.read([stored[name] for name in wanted], whole=whole, real=real).rename_columns(list(wanted))
    return parse_columns(table, path, found, time_format=time_format, context=kinds)


def parse_log(
    table: "pa.Table", path: Path | str, *, columns: Columns, time_format: str | None, context: Mapping[str, Kind]
) -> RawLog:
    """Return the log that a table holds; `path` says where it came from, the rest as for `read_log`."""
    found = find_columns(table.column_names, columns, path, context)
    return parse_columns(table, path, found, time_format=time_format, context=context)


def parse_columns(
    table: "pa.Table",
    path: Path | str,
    found: Mapping[Role, str],
    *,
    time_format: str | None,
    context: Mapping[str, Kind],
) -> RawLog:
    """Return the log that columns of a table hold: `found` says which are for what, the rest as for `read_log`."""

    def read(role: Role, cells: Callable[..., T], *more: str | None) -> T | None:
        return cells(table[found[role]], label(role), *more) if role in found else None

    def label(role: Role) -> str:
        return f"{path}: column {found[role]}"

    with readable(path):
        values, sessions, candidates = read("rating", numbers), read("session", ids), read("candidates", id_lists)
        timestamps, unit = read("timestamp", times, time_format) or (None, "s")
        columns = by_name(table)
        kept = {name: typed(columns, name, kind, path) for name, kind in context.items()}
        if "fold" in found:
            kept["fold"] = category(table[found["fold"]], label("fold"))
        return RawLog(
            users=ids(table[found["user"]], label("user")),
            items=ids(table[found["item"]], label("item")),
            values=None if values is None else values.astype(np.float32),
            timestamps=timestamps,
            events=read("event", category),
            sessions=None if sessions is None else sessions.codes,
            context=kept,
            candidates=None if candidates is None else IdRows(*candidates),
            time_unit=unit,
        )


def _lines(path: Path, *, sessions: bool) -> RawLog:
    """Read a list a line: of a user and its items, or of a session's items, whose user is its number, from 0."""
    import pyarrow as pa

    lines = [line.split() for line in read_bytes(path).decode("utf-8", "replace").splitlines()]
    first = 0 if sessions else 1
    counts = np.array([max(len(line) - first, 0) for line in lines], np.int64)
    if not counts.sum():
        raise DataError(f"{path}: has no rows")
    items = ids(pa.array([item for line in lines for item in line[first:]], pa.string()), f"{path}: items")
    if sessions:
        codes = np.repeat(np.arange(len(lines)), counts)
        return RawLog(users=Ids.of(codes), items=items, sessions=codes.astype(np.int32))
    users = ids(pa.array([line[0] for line, n in zip(lines, counts) if n], pa.string()), f"{path}: users")
    return RawLog(users=Ids(np.repeat(users.codes, counts[counts > 0]), users.known), items=items)


def in_file_order(raw: RawLog, path: Path) -> RawLog:
    """Return the log with each row's number, from 0, as its time. Raises DataError when it has times."""
    if raw.timestamps is not None:
        raise DataError(f"{path}: dataset.order=file needs dataset.columns.timestamp=null, as the file has times")
    return replace(raw, timestamps=np.arange(len(raw), dtype=np.int64), time_unit="s")
