"""A split as csv files, so that another system can be asked the same question."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recexp.data import Column, Interactions, Queries, Split
from recexp.errors import IncompatibleError
from recexp.io import from_numpy
from recexp.io.header import COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

Ids = tuple[np.ndarray, np.ndarray]
"""Original ids of users and items, by code."""
FILES = {
    "train": "training rows",
    "validation": "validation rows; a system may also train on them before the test",
    "history": "histories of the users to recommend to; not for training",
    "test": "target items, one per row",
}


def write_split(split: Split, folder: Path) -> dict[str, int]:
    """Write train.csv and test.csv, and validation.csv and history.csv where the split has such rows.

    Columns are user_id, item_id and, where the data have them, rating (or quantity, or weight where there are events),
    timestamp, event, session_id; in a file of what is asked candidates, ids separated by spaces (or a json list, where
    an id has a space), where the split has them.
    The rows of all files are filtered, and those of test.csv are what counts.

    Returns
    -------
    rows by file, as in FILES.

    Raises
    ------
    IncompatibleError : a user is asked several times with different histories: no file of lists by user answers that.
    """
    ids = split.train.user_ids, split.train.item_ids
    _refuse_sequences(split)
    shown, train, inner = _rest(split.queries.log, split.train.interactions), split.train.interactions, split.validation
    tables = {"history": _of_rows(shown, ids), "test": _asked(split, ids)}
    if inner is not None:
        shown_then = _rest(inner.queries.log, inner.train.interactions)
        held = _rest(_rest(train, inner.train.interactions), shown_then)
        tables["validation"] = _of_rows(held, ids) if inner.queries.candidates is None else _asked(inner, ids)
        tables["history"] = _of_rows(_both(shown, shown_then), ids)
        train = inner.train.interactions
    tables["train"] = _of_rows(train, ids)
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for name in FILES:
        if name in tables and tables[name].num_rows:
            _write(tables[name], folder / f"{name}.csv")
            written[name] = tables[name].num_rows
    return written


def _refuse_sequences(split: Split) -> None:
    queries = split.queries
    ends = np.unique(np.stack([queries.users.astype(np.int64), queries.start, queries.stop]), axis=1)
    if ends.shape[1] > len(np.unique(queries.users)):
        raise IncompatibleError(
            "export-split: this split queries the same user several times with different histories; choose one that "
            "queries each user once, such as split=leave_last"
        )


def _rest(rows: Interactions, known: Interactions) -> Interactions:
    """Return the rows that are not among those `known`, each of which stands for one."""
    pairs = [some.users.astype(np.int64) * some.n_items + some.items for some in (known, rows)]
    _, keys = np.unique(np.concatenate(pairs), return_inverse=True)
    if rows.timestamps is not None and known.timestamps is not None:
        _, times = np.unique(np.concatenate([known.timestamps, rows.timestamps]), return_inverse=True)
        _, keys = np.unique(keys.astype(np.int64) * (times.max(initial=0) + 1) + times, return_inverse=True)
    had = np.bincount(keys[: len(known)], minlength=keys.max(initial=0) + 1)
    own = keys[len(known) :]
    order = np.argsort(own, kind="stable")
    own = own[order]
    place = np.arange(len(own)) - np.searchsorted(own, own)
    return rows.take(np.sort(order[place >= had[own]]))


def _both(first: Interactions, second: Interactions) -> Interactions:
    """Return the rows of two logs, one after the other; columns that one lacks are left out."""
    if not len(first) or not len(second):
        return first if len(first) else second
    times = None
    if first.timestamps is not None and second.timestamps is not None:
        times = np.concatenate([first.timestamps, second.timestamps])
    return replace(
        first,
        users=np.concatenate([first.users, second.users]),
        items=np.concatenate([first.items, second.items]),
        values=np.concatenate([first.values, second.values]),
        timestamps=times,
        events=None,
        sessions=None,
        context={},
    )


def _asked(split: Split, ids: Ids) -> "pa.Table":
    """Return what a split asks for: the held-out rows that count, or with candidates a row a question."""
    import pyarrow as pa

    queries, target, rows = split.queries, split.target, split.test
    query = np.repeat(np.arange(len(queries)), np.diff(target.indptr))
    if queries.candidates is None:
        wanted = queries.users[query].astype(np.int64) * rows.n_items + target.indices
        return _of_rows(rows.take(np.isin(rows.users.astype(np.int64) * rows.n_items + rows.items, wanted)), ids)
    asked = Interactions(
        users=queries.users[query],
        items=target.indices.astype(np.int32),
        values=target.data.astype(np.float32),
        n_users=rows.n_users,
        n_items=rows.n_items,
        timestamps=None if queries.timestamps is None else queries.timestamps[query],
        explicit=rows.explicit,
        time_unit=rows.time_unit,
    )
    listed = pa.array(_candidates(queries, ids[1]), pa.string()).take(from_numpy(query))
    return _of_rows(asked, ids).append_column(COLUMNS["candidates"], listed)


def _candidates(queries: Queries, item_ids: np.ndarray) -> list[str]:
    """Return the candidates of each query in a cell."""
    matrix = queries.candidates
    rows = [] if matrix is None else np.split(item_ids[matrix.indices], matrix.indptr[1:-1])
    cells: Sequence[list[int | str]] = [row.tolist() for row in rows]
    plain = item_ids.dtype != object or not any(" " in name or "|" in name or name[:1] == "[" for name in item_ids)
    return [" ".join(map(str, cell)) if plain else json.dumps(cell, ensure_ascii=False) for cell in cells]


def _of_rows(rows: Interactions, ids: Ids) -> "pa.Table":
    """Return rows with original ids, and what is known of each."""
    import pyarrow as pa

    user_ids, item_ids = (
        from_numpy(known).take(from_numpy(codes)) for known, codes in zip(ids, (rows.users, rows.items))
    )
    table = {COLUMNS["user"]: user_ids, COLUMNS["item"]: item_ids}
    if rows.explicit or (rows.values != 1).any():
        table[_name_of_values(rows)] = from_numpy(rows.values, np.isnan(rows.values))
    if rows.timestamps is not None:
        table[COLUMNS["timestamp"]] = from_numpy(rows.timestamps)
    if rows.events is not None:
        table[COLUMNS["event"]] = _names(rows.events)
    if rows.sessions is not None:
        table[COLUMNS["session"]] = from_numpy(rows.sessions)
    return pa.table(table)


def _name_of_values(rows: Interactions) -> str:
    """Return what the values are: ratings, weights of events, or else quantities."""
    return COLUMNS["rating"] if rows.explicit else "quantity" if rows.events is None else "weight"


def _names(column: Column) -> "pa.Array":
    import pyarrow as pa

    known = pa.array([*column.categories], pa.string())
    return known.take(from_numpy(column.values, column.values < 0))


def _write(table: "pa.Table", path: Path) -> None:
    """Write ids as they are: what reads them is another program, and an apostrophe before one makes it another id."""
    from pyarrow.csv import WriteOptions, write_csv

    write_csv(table, path, WriteOptions(quoting_style="needed"))
