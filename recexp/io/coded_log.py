"""Turns a log with its side tables into the parts of a Dataset."""

import logging
from typing import NamedTuple

import numpy as np

from recexp.data.column import Column
from recexp.data.interactions import Interactions
from recexp.data.listed import Listed
from recexp.io.features import Features
from recexp.io.ids import lookup
from recexp.io.log import RawLog

log = logging.getLogger(__name__)


class CodedLog(NamedTuple):
    """The parts of a Dataset besides its name: `Dataset(name, *coded)`."""

    interactions: Interactions
    user_ids: np.ndarray
    item_ids: np.ndarray
    users: dict[str, Column]
    items: dict[str, Column]
    links: np.ndarray | None = None
    listed: Listed | None = None
    listed_users: Listed | None = None


def code_log(raw: RawLog, *, explicit: bool, users: Features | None = None, items: Features | None = None) -> CodedLog:
    """Code a log: users and items that have a row, in ascending order of their ids, with what side tables say of them.

    `explicit` says whether the log's values, if it has any, are ratings.
    """
    user_ids, item_ids = raw.users.known, raw.items.known
    rows = Interactions(
        users=raw.users.codes,
        items=raw.items.codes,
        values=np.ones(len(raw), np.float32) if raw.values is None else raw.values,
        n_users=len(user_ids),
        n_items=len(item_ids),
        timestamps=raw.timestamps,
        events=raw.events,
        sessions=raw.sessions,
        context=raw.context,
        explicit=explicit and raw.values is not None and not raw.quantities,
        time_unit=raw.time_unit,
    )
    tables = _align(users, user_ids, "users"), _align(items, item_ids, "items")
    listed, listed_users = _listed(items, item_ids), _listed(users, user_ids)
    return CodedLog(rows, user_ids, item_ids, *tables, listed=listed, listed_users=listed_users)


def _listed(table: Features | None, ids: np.ndarray) -> Listed | None:
    """Return what a table lists and is not among `ids`."""
    return None if table is None else Listed(table.ids, table.columns).take(lookup(table.ids, ids) < 0)


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
