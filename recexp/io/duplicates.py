"""Duplicate rows."""

from pathlib import Path

import numpy as np

from recexp import threads
from recexp.data.ordering import by_code
from recexp.errors import DataError
from recexp.io.ids import Ids
from recexp.io.log import RawLog

PARTS = 8
"""Pairs are sorted in 2^PARTS parts or fewer."""


def refuse_duplicates(raw: RawLog, path: Path | str, *, keep: str = "dataset.duplicates=keep") -> None:
    """Raise DataError if two rows have the same user, item, time and event; `keep` is the option that allows them."""
    repeats = _repeats(raw)
    if not len(repeats):
        return
    parts = {"user": raw.users, "item": raw.items, "timestamp": raw.timestamps, "event": raw.events}
    row = int(repeats.min())
    raise DataError(
        f"{path}: {len(repeats)} rows repeat an earlier row "
        f"({', '.join(name for name, part in parts.items() if part is not None)}); the first is row {row + 1} "
        f"(user {raw.users[row]}, item {raw.items[row]}). {keep} keeps them; "
        "add filter=deduplicate to merge them (it replaces the current filter)"
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
    """Return the codes of users and items that come together more than once.

    Pairs are sorted as numbers: in parts, of neighboring users, that fit in the cache, on all threads.
    """
    n_items, width = len(items.known), max(0, len(users.known).bit_length() - PARTS)
    n_parts, size = (len(users.known) >> width) + 1, n_items << width
    kind, cuts, repeated = np.int32 if size <= 2**31 else np.int64, [], [np.empty(0, np.int64)]

    def cut(start: int, stop: int) -> None:
        pairs: np.ndarray = (users.codes[start:stop] & ((1 << width) - 1)).astype(kind, copy=False)
        pairs *= kind(n_items)
        pairs += items.codes[start:stop]
        cuts.append(by_code(pairs, users.codes[start:stop] >> width, n_parts))

    def search(start: int, stop: int) -> None:
        for part in range(start, stop):
            pairs = np.concatenate([rows[begin[part] : begin[part + 1]] for rows, begin in cuts])
            pairs.sort()
            repeated.append(pairs[1:][pairs[1:] == pairs[:-1]] + np.int64(part) * size)

    threads.map_rows(cut, len(users))
    threads.map_rows(search, n_parts)
    found = np.concatenate(repeated)
    return np.unique(found // n_items), np.unique(found % n_items)
