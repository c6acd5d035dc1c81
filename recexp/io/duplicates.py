"""Rows that repeat an earlier one."""

from pathlib import Path

import numpy as np

from recexp.data.ordering import by_code
from recexp.errors import DataError
from recexp.io.ids import Ids
from recexp.io.log import RawLog


def refuse_duplicates(raw: RawLog, path: Path | str, *, keep: str = "dataset.duplicates=keep") -> None:
    """Raise DataError when two rows have the same user, item, time and event; `keep` says how they are kept."""
    repeats = _repeats(raw)
    if not len(repeats):
        return
    parts = {"user": raw.users, "item": raw.items, "timestamp": raw.timestamps, "event": raw.events}
    row = int(repeats.min())
    raise DataError(
        f"{path}: {len(repeats)} rows repeat an earlier row "
        f"({', '.join(name for name, part in parts.items() if part is not None)}); the first is row {row + 1} "
        f"(user {raw.users[row]}, item {raw.items[row]}). {keep} keeps them; "
        f"with filter=deduplicate beside it they are merged (instead of what the filter in use does)"
    )


def _repeats(raw: RawLog) -> np.ndarray:
    """Return the numbers of the rows that repeat an earlier one; only rows of repeated pairs are looked at closely."""
    repeated_users, repeated_items = _repeated_pairs(raw.users, raw.items)
    if not len(repeated_users):
        return repeated_users
    of_users, of_items = (
        np.isin(np.arange(len(ids.known)), codes)[ids.codes]
        for ids, codes in ((raw.users, repeated_users), (raw.items, repeated_items))
    )
    rows = np.flatnonzero(of_users & of_items)
    more = (raw.timestamps, None if raw.events is None else raw.events.values)
    keys = [part[rows] for part in (*more, raw.items.codes, raw.users.codes) if part is not None]
    order = np.lexsort(keys)  # stable: rows of equal keys stay in file order
    same = np.logical_and.reduce([np.diff(key[order]) == 0 for key in keys])
    return rows[order[1:][same]]


def _repeated_pairs(users: Ids, items: Ids) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes of users and items that come together more than once, by two counting sorts."""
    n_users, n_items = len(users.known), len(items.known)
    by_item, begin = by_code(users.codes, items.codes, n_items)
    item = np.repeat(np.arange(n_items, dtype=np.int32), np.diff(begin))
    of_users, begin = by_code(item, by_item, n_users)  # the items of each user, ascending
    again = np.flatnonzero(of_users[1:] == of_users[:-1]) + 1
    owner = np.searchsorted(begin, again, side="right") - 1
    within = again > begin[owner]  # else it is another user's
    return np.unique(owner[within]), np.unique(of_users[again[within]])
