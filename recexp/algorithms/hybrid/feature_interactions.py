"""Features as interactions: categories of items are pseudo-users, categories of users pseudo-items."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from recexp.data import Column, Dataset, Interactions, Queries
from recexp.errors import ConfigError

KINDS = ("category", "multi_category")


def categories(table: Mapping[str, Column], names: list[str] | None, n: int, side: str) -> sp.csr_array:
    """Return float32 (n, f) of ones: the categories of n items or users, with the columns side by side.

    Raises ConfigError if a named column is not a category column of the table.
    """
    there = [name for name, column in table.items() if column.kind in KINDS]
    if strange := [name for name in names or () if name not in there]:
        raise ConfigError(
            f"algorithm.{side}_columns: {strange[0]} is not a category column of the {side}s; "
            f"available: {', '.join(there) or 'none'}"
        )
    blocks = [table[name].indicators() for name in (there if names is None else names)]
    return sp.csr_array(sp.hstack([sp.csr_array((n, 0), dtype=np.float32), *blocks], format="csr"))


def copies(features: sp.csr_array, weight: int) -> sp.csr_array:
    """Return the columns of the features repeated side by side `weight` times."""
    return sp.csr_array(sp.hstack([features] * weight, format="csr"))


def augmented(train: Dataset, items: sp.csr_array, users: sp.csr_array, value: float) -> Dataset:
    """Return `train` with rows of pseudo-users and pseudo-items, all of `value`, older than its own.

    Parameters
    ----------
    items : (n_items, f), feature k is the pseudo-user n_users + k, who has the items that have it.
    users : (n_users, g), feature k is the pseudo-item n_items + k, which the users have who have it.
    """
    rows, of_items, of_users = train.interactions, items.tocoo(), users.tocoo()
    more_users, more_items = items.shape[1], users.shape[1]
    who = np.concatenate([train.n_users + of_items.col, of_users.row, rows.users]).astype(np.int32)
    what = np.concatenate([of_items.row, train.n_items + of_users.col, rows.items]).astype(np.int32)
    new = len(who) - len(rows)
    times = rows.timestamps
    if times is not None:
        times = np.concatenate([np.full(new, times.min(initial=np.iinfo(np.int64).max)), times])
    larger = Interactions(
        who,
        what,
        np.concatenate([np.full(new, value, np.float32), rows.values]),
        train.n_users + more_users,
        train.n_items + more_items,
        timestamps=times,
        explicit=rows.explicit,
        time_unit=rows.time_unit,
    )
    return replace(
        train,
        interactions=larger,
        user_ids=np.arange(larger.n_users),
        item_ids=np.arange(larger.n_items),
        users=_longer(train.users, train.n_users, more_users),
        items=_longer(train.items, train.n_items, more_items),
    )


def widened(queries: Queries, users: sp.csr_array, value: float) -> Queries:
    """Return the queries with their users' pseudo-items, of `value`, before their histories (see `augmented`)."""
    log, g = queries.log, users.shape[1]
    if not g:
        return queries
    known = queries.users >= 0
    codes = np.where(known, queries.users, 0)
    added = np.where(known, np.diff(users.indptr)[codes], 0)
    stop = np.cumsum(added + queries.lengths)
    start = stop - added - queries.lengths
    owner = np.repeat(np.arange(len(queries)), stop - start)
    position = np.arange(len(owner)) - start[owner]
    pseudo = position < added[owner]
    items, values = np.empty(len(owner), np.int32), np.full(len(owner), value, np.float32)
    items[pseudo] = log.n_items + users.indices[(users.indptr[codes][owner] + position)[pseudo]]
    source = (queries.start[owner] + position - added[owner])[~pseudo]
    items[~pseudo], values[~pseudo] = log.items[source], log.values[source]
    times = None
    if log.timestamps is not None:
        times = np.full(len(owner), log.timestamps.min(initial=np.iinfo(np.int64).max))
        times[~pseudo] = log.timestamps[source]
    wide = Interactions(
        np.zeros(len(owner), np.int32),
        items,
        values,
        1,
        log.n_items + g,
        timestamps=times,
        explicit=log.explicit,
        time_unit=log.time_unit,
    )
    exclude, candidates = _wider(queries.exclude, g), _wider(queries.candidates, g)
    return replace(queries, log=wide, start=start, stop=stop, exclude=exclude, candidates=candidates)


def _longer(table: Mapping[str, Column], n: int, more: int) -> dict[str, Column]:
    at = np.concatenate([np.arange(n), np.full(more, -1)])
    return {name: column.take(at) for name, column in table.items()}


def _wider(matrix: sp.csr_array | None, more: int) -> sp.csr_array | None:
    if matrix is None:
        return None
    b, n = matrix.shape
    return sp.csr_array((matrix.data, matrix.indices, matrix.indptr), shape=(b, n + more))
