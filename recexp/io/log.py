"""Interaction logs as they lie in files: original ids, ratings, times, events, sessions."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from recexp.data.column import Column, Kind
from recexp.errors import DataError
from recexp.io import cells
from recexp.io.features import typed
from recexp.io.ids import encode
from recexp.io.reading import read_bytes, read_table

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

Format = Literal["auto", "recbole", "lightgcn", "session_lines"]
"""auto: a table with named columns. recbole: an atomic file, its header typed as `user_id:token`. lightgcn: a user and
its items a line. session_lines: the items of one session a line."""

Role = Literal["user", "item", "rating", "timestamp", "event", "session", "fold", "candidates"]

Columns = Mapping[Role, str | int | None]

COLUMNS: Mapping[Role, str] = {
    "user": "user_id",
    "item": "item_id",
    "rating": "rating",
    "timestamp": "timestamp",
    "event": "event",
    "session": "session_id",
    "fold": "fold",
    "candidates": "candidates",
}
"""Where each thing is looked for unless told otherwise; all but user and item may be absent under these names."""


@dataclass(frozen=True)
class IdRows:
    """One list of ids a row: row r owns `ids[offsets[r]:offsets[r + 1]]`."""

    ids: np.ndarray
    offsets: np.ndarray


@dataclass(frozen=True)
class RawLog:
    """m rows as found, in file order, with original ids.

    Attributes
    ----------
    users, items : int64 (m,) or object (m,) of str.
    values : float32 (m,) ratings, counts or weights, NaN where missing, or None.
    timestamps : int64 (m,) seconds since 1970 UTC, or None.
    events : category column, or None.
    sessions : int32 (m,) codes of sessions, or None.
    context : further columns by name; a fold column is the category `fold`.
    candidates : the items to rank for each row, or None.
    """

    users: np.ndarray
    items: np.ndarray
    values: np.ndarray | None = None
    timestamps: np.ndarray | None = None
    events: Column | None = None
    sessions: np.ndarray | None = None
    context: Mapping[str, Column] = field(default_factory=dict)
    candidates: IdRows | None = None

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
    table = read_table(path, separator=separator, header=header, quotes=format != "recbole")
    if format == "recbole":
        table = table.rename_columns([name.split(":")[0] for name in table.column_names])
    kinds = {name: kind for name, kind in (context or {}).items() if context_required or name in table.column_names}
    return parse_log(table, path, columns=names, time_format=time_format, context=kinds)


def parse_log(
    table: "pa.Table", path: Path | str, *, columns: Columns, time_format: str | None, context: Mapping[str, Kind]
) -> RawLog:
    """Return the log that a table holds; `path` says where it came from, the rest as for `read_log`."""
    found = {role: column for role, name in columns.items() if (column := _find(table, path, role, name)) is not None}

    def label(role: Role) -> str:
        return f"{path}: column {columns[role]}"

    if "rating" not in found:
        unread = [name for name in table.column_names if name not in (*columns.values(), *context)]
        beside = f"; columns that are not read: {', '.join(unread)}" if unread else ""
        log.info("%s: there is no column %s, so that all rows count alike%s", path, columns["rating"], beside)
    sessions = found.get("session")
    kept = {name: typed(table, name, kind, path) for name, kind in context.items()}
    if "fold" in found:
        kept["fold"] = _category(found["fold"])
    return RawLog(
        users=cells.ids(found["user"], label("user")),
        items=cells.ids(found["item"], label("item")),
        values=cells.numbers(found["rating"], label("rating")).astype(np.float32) if "rating" in found else None,
        timestamps=cells.seconds(found["timestamp"], label("timestamp"), time_format) if "timestamp" in found else None,
        events=_category(found["event"]) if "event" in found else None,
        sessions=None if sessions is None else encode(cells.ids(sessions, label("session")))[0],
        context=kept,
        candidates=IdRows(*cells.id_lists(found["candidates"], label("candidates"))) if "candidates" in found else None,
    )


def _find(table: "pa.Table", path: Path | str, role: Role, name: str | int | None) -> "pa.ChunkedArray | None":
    if name is not None and str(name) in table.column_names:
        return table[str(name)]
    required = role in ("user", "item")
    if not required and (name is None or name == COLUMNS[role]):
        return None
    raise DataError(
        f"{path}: no {role} column {name!r}; its columns are {', '.join(table.column_names)} "
        f"(dataset.columns.{role}=... says which)"
    )


def _category(column: "pa.ChunkedArray") -> Column:
    import pyarrow as pa
    import pyarrow.compute as pc

    names = pc.fill_null(cells.flat(column).cast(pa.string()), "")
    codes, known = encode(names.to_numpy(zero_copy_only=False).astype(object))
    empty = int(len(known) > 0 and known[0] == "")
    return Column("category", codes - np.int32(empty), tuple(known[empty:]))


def _lines(path: Path, *, sessions: bool) -> RawLog:
    """Read a list a line: of a user and its items, or of a session's items, whose user is its number, from 0."""
    import pyarrow as pa

    lines = [line.split() for line in read_bytes(path).decode("utf-8", "replace").splitlines()]
    first = 0 if sessions else 1
    counts = np.array([max(len(line) - first, 0) for line in lines], np.int64)
    if not counts.sum():
        raise DataError(f"{path}: has no rows")
    items = cells.ids(pa.array([item for line in lines for item in line[first:]]), f"{path}: items")
    if sessions:
        codes = np.repeat(np.arange(len(lines)), counts)
        return RawLog(users=codes, items=items, sessions=codes.astype(np.int32))
    users = cells.ids(pa.array([line[0] for line, n in zip(lines, counts) if n]), f"{path}: users")
    return RawLog(users=np.repeat(users, counts[counts > 0]), items=items)


def refuse_duplicates(raw: RawLog, path: Path | str, *, keep: str = "dataset.duplicates=keep") -> None:
    """Raise DataError when two rows have the same user, item, time and event; `keep` says how they are kept."""
    import pyarrow as pa

    optional = {"timestamp": raw.timestamps, "event": None if raw.events is None else raw.events.values}
    parts = {"user": raw.users, "item": raw.items} | {name: part for name, part in optional.items() if part is not None}
    key = np.zeros(len(raw), np.int64)
    for part in parts.values():
        codes = pa.array(part).dictionary_encode()
        key = key * len(codes.dictionary) + codes.indices.to_numpy()
        coded = pa.array(key).dictionary_encode()
        key = coded.indices.to_numpy().astype(np.int64)  # below m again, so that no product overflows
    if len(coded.dictionary) == len(raw):
        return
    repeated = np.ones(len(raw), bool)
    repeated[np.unique(key, return_index=True)[1]] = False
    row = int(np.argmax(repeated))
    raise DataError(
        f"{path}: {repeated.sum()} rows repeat an earlier row ({', '.join(parts)}); the first is row {row + 1} "
        f"(user {raw.users[row]}, item {raw.items[row]}). {keep} keeps them; "
        f"with filter=deduplicate beside it they are merged (instead of what the filter in use does)"
    )


def in_file_order(raw: RawLog, path: Path) -> RawLog:
    """Return the log with each row's number, from 0, as its time. Raises DataError when it has times."""
    if raw.timestamps is not None:
        raise DataError(f"{path}: dataset.order=file needs dataset.columns.timestamp=null, as the file has times")
    return replace(raw, timestamps=np.arange(len(raw), dtype=np.int64))
