"""Original ids to codes, and a log with its side tables to a Dataset."""

import logging
from typing import TYPE_CHECKING

import numpy as np

from recexp.data import Column, Dataset, Interactions
from recexp.io.arrow import from_numpy, to_numpy
from recexp.io.features import Features

if TYPE_CHECKING:
    from recexp.io.log import RawLog

log = logging.getLogger(__name__)


def encode(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return int32 (m,) codes of `ids` (m,) and the distinct ids, ascending, of which a code is the position."""
    import pyarrow.compute as pc

    coded = from_numpy(ids).dictionary_encode()
    order = to_numpy(pc.sort_indices(coded.dictionary))
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    codes = rank[to_numpy(coded.indices)]
    if ids.dtype == object:
        return codes, coded.dictionary.to_numpy(zero_copy_only=False)[order].astype(object)
    return codes, to_numpy(coded.dictionary)[order]


def lookup(ids: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return int32 (m,): the position in `known` (n,) of each of `ids` (m,), -1 for those not in it.

    Integers and text compare as text, since one file may hold only such ids of another as look like integers.
    """
    if known.dtype != object and ids.dtype != object and len(known):
        order = np.argsort(known, kind="stable")
        at = order[np.minimum(np.searchsorted(known, ids, sorter=order), len(known) - 1)]
        return np.where(known[at] == ids, at, -1).astype(np.int32)
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted, among = from_numpy(ids), from_numpy(known)
    if wanted.type != among.type:
        wanted, among = wanted.cast(pa.string()), among.cast(pa.string())
    at = pc.fill_null(pc.index_in(wanted, value_set=among), -1)
    return to_numpy(at).astype(np.int32)


def build_dataset(
    name: str, raw: "RawLog", *, explicit: bool, users: Features | None = None, items: Features | None = None
) -> Dataset:
    """Code a log: users and items that have a row, in ascending order of their ids, with what side tables say of them.

    `explicit` says whether the log's values, if it has any, are ratings.
    """
    user_codes, user_ids = encode(raw.users)
    item_codes, item_ids = encode(raw.items)
    rows = Interactions(
        users=user_codes,
        items=item_codes,
        values=np.ones(len(raw), np.float32) if raw.values is None else raw.values,
        n_users=len(user_ids),
        n_items=len(item_ids),
        timestamps=raw.timestamps,
        events=raw.events,
        sessions=raw.sessions,
        context=raw.context,
        explicit=explicit and raw.values is not None,
    )
    return Dataset(
        name=name,
        interactions=rows,
        user_ids=user_ids,
        item_ids=item_ids,
        users=_align(users, user_ids, "users"),
        items=_align(items, item_ids, "items"),
    )


def _align(table: Features | None, ids: np.ndarray, side: str) -> dict[str, Column]:
    if table is None:
        return {}
    at = lookup(ids, table.ids)
    missing = int((at < 0).sum())
    if missing:
        log.warning("%d of %d %s are not in the table of %s", missing, len(ids), side, side)
    if len(table.ids) > len(ids) - missing:
        log.info("%d rows of the table of %s have no interaction", len(table.ids) - len(ids) + missing, side)
    return {name: column.take(at) for name, column in table.columns.items()}
