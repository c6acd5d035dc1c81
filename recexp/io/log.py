"""Reads interaction logs from files: original ids, ratings, times, events, sessions."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from recexp.data.column import Column, Kind
from recexp.data.time_unit import TimeUnit
from recexp.errors import DataError
from recexp.io.arrow import mask
from recexp.io.cells import category, numbers, plain, trimmed
from recexp.io.features import by_name, refuse_absent, typed
from recexp.io.header import COLUMNS, Columns, Role, find_columns
from recexp.io.id_cells import id_lists, ids
from recexp.io.ids import Ids
from recexp.io.reading import read_bytes
from recexp.io.tables import open_table, readable
from recexp.io.times import times
from recexp.params import Decimal

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

T = TypeVar("T")

Format = Literal["auto", "recbole", "lightgcn", "session_lines"]
"""auto: a table with named columns. recbole: an atomic file, its header typed as `user_id:token`. lightgcn: a user and
its items a line. session_lines: the items of one session a line."""

MissingUser = Literal["refuse", "drop"]


@dataclass(frozen=True)
class IdRows:
    """One list of ids per row: row r owns `ids[offsets[r]:offsets[r + 1]]`."""

    ids: Ids
    offsets: np.ndarray


@dataclass(frozen=True)
class RawLog:
    """m rows in file order, with original ids.

    Attributes
    ----------
    users, items : ids of m rows.
    values : float32 (m,) ratings, counts or weights, NaN where missing, or None.
    timestamps : int64 (m,) times since 1970 UTC, counted in `time_unit`, or None.
    events : category column, or None.
    sessions : int32 (m,) codes of sessions, or None.
    context : further columns by name; a fold column is the category `fold`.
    candidates : the items to rank for each row, or None.
    time_unit : of the times.
    quantities : whether the values are quantities, which are never ratings.
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
    quantities: bool = False

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
    decimal: Decimal = ".",
    encoding: str | None = None,
    missing_user: MissingUser = "refuse",
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
    decimal : the decimal sign of numbers that are text.
    encoding : see `open_table`.
    missing_user : refuse or drop rows without a user.

    Raises
    ------
    DataError : missing file or column, no rows, empty ids, text among ratings, unreadable times.
    """
    if format in ("lightgcn", "session_lines"):
        return _lines(path, sessions=format == "session_lines")
    names: Columns = {**COLUMNS, **(columns or {})}
    header = not any(isinstance(name, int) for name in names.values())
    file = open_table(path, separator=separator, header=header, quotes=format != "recbole", encoding=encoding)
    stored = {name.split(":")[0] if format == "recbole" else name: name for name in file.names}
    kinds = {name: kind for name, kind in (context or {}).items() if context_required or name in stored}
    found = find_columns(list(stored), names, path, kinds)
    wanted = dict.fromkeys([*found.values(), *kinds])
    whole = [stored[found[role]] for role in ("user", "item", "session", "timestamp") if role in found]
    numeric = ("rating", "quantity", "timestamp") if decimal == "." else ("timestamp",)
    real = [stored[found[role]] for role in numeric if role in found]
    for name in wanted:
        refuse_absent(stored, path, name)
    table = file.read([stored[name] for name in wanted], whole=whole, real=real).rename_columns(list(wanted))
    if missing_user == "drop":
        table = _with_users(table, found["user"], path)
    elif (users := plain(table[found["user"]])).null_count:
        row = int(np.argmax(mask(users.is_null()))) + 1
        raise DataError(
            f"{path}: column {found['user']}: {users.null_count} rows are empty or NaN; the first is row {row}; "
            "drop them, such as guests, with dataset.missing_user=drop"
        )
    return parse_columns(table, path, found, time_format=time_format, context=kinds, decimal=decimal)


def _with_users(table: "pa.Table", user: str, path: Path) -> "pa.Table":
    """Return the rows that have a user. Raises DataError where none has one."""
    import pyarrow as pa

    users = plain(table[user])
    known = mask((trimmed(users) if pa.types.is_string(users.type) else users).is_valid())
    if known.all():
        return table
    if not known.any():
        raise DataError(f"{path}: column {user} is empty in every row; choose another with dataset.columns.user=...")
    log.warning(
        "%s: %d of %d rows have no user and are dropped (dataset.missing_user=drop); row numbers do not count them",
        *(path, (~known).sum(), len(known)),
    )
    return table.filter(pa.array(known))


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
    decimal: Decimal = ".",
) -> RawLog:
    """Return the log that columns of a table hold: `found` says which are for what, the rest as for `read_log`."""

    def read(role: Role, cells: Callable[..., T], *more: str | None) -> T | None:
        return cells(table[found[role]], label(role), *more) if role in found else None

    def label(role: Role) -> str:
        return f"{path}: column {found[role]}"

    with readable(path):
        values, quantities = read("rating", numbers, decimal), read("quantity", numbers, decimal)
        if quantities is not None:
            values = _quantities(quantities, label("quantity"))
        sessions, candidates = read("session", ids), read("candidates", id_lists)
        timestamps, unit = read("timestamp", times, time_format) or (None, "s")
        columns = by_name(table)
        kept = {name: typed(columns, name, kind, path, decimal) for name, kind in context.items()}
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
            quantities=quantities is not None,
        )


def _quantities(values: np.ndarray, label: str) -> np.ndarray:
    """Return quantities, 0 where there is none: nothing was bought."""
    empty = np.isnan(values)
    if empty.any():
        log.warning("%s: %d of %d rows have no quantity and count 0", label, empty.sum(), len(empty))
    return np.where(empty, 0, values)


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
