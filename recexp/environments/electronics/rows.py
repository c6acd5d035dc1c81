"""Converts a store's log to a dataset: the same rows for `dataset=electronics` and for the environment."""

import numpy as np

from recexp.data import Column, Dataset, Interactions
from recexp.data.column import take_rows
from recexp.environments.electronics.calendar import DEVICES, HOURS, START, WEEKDAYS, WEEKS
from recexp.environments.electronics.people import CITIES
from recexp.environments.electronics.world import EVENTS, Log, World

DAY = 86_400
MOMENT = ("hour", "weekday", "device", "city")
"""The columns of `moment`."""


def dataset(world: World, name: str, rows: Interactions) -> Dataset:
    """Return a dataset of these rows with the public users and items tables; ids start at 1."""
    return Dataset(
        name=name,
        interactions=rows,
        user_ids=np.arange(1, world.n_users + 1),
        item_ids=np.arange(1, world.n_products + 1),
        users=world.people.columns(),
        items=world.catalog.columns(),
        links=world.people.friends,
    )


def interactions(world: World, log: Log, order: np.ndarray) -> Interactions:
    """Return the rows of a log in the given order, int (m,); their context is that of the start of the visit."""
    sessions, begun = (take_rows(array, order) for array in _sessions(log))
    users, items = take_rows(log.users, order), take_rows(log.items, order)
    week = np.minimum(begun // (7 * DAY), WEEKS - 1)
    return Interactions(
        users=users,
        items=items,
        values=take_rows(log.values, order),
        n_users=world.n_users,
        n_items=world.n_products,
        timestamps=take_rows(log.times, order),
        events=_category(take_rows(log.events, order), EVENTS),
        sessions=sessions,
        context={
            **moment(world, users, begun, take_rows(log.devices, order)),
            "price": Column.numeric(world.catalog.prices(items, week), "price"),
        },
        explicit=True,
    )


def moment(world: World, users: np.ndarray, begun: np.ndarray, devices: np.ndarray) -> dict[str, Column]:
    """Return the context at the start of each visit, as columns of m rows.

    Parameters
    ----------
    users, devices : int (m,), codes; `begun`, int (m,), seconds since the start of the year.
    """
    return {
        "hour": _category(begun % DAY // 3600, HOURS),
        "weekday": _category(begun // DAY % 7, WEEKDAYS),
        "device": _category(devices, DEVICES),
        "city": _category(world.people.city[users], CITIES),
    }


def _sessions(log: Log) -> tuple[np.ndarray, np.ndarray]:
    """Return the session of each row, int32 (m,), and its start, int32 (m,), in seconds since the start of the year.

    Each rating and each return forms a separate session.
    """
    new = (np.diff(log.users, prepend=-1) != 0) | (np.diff(log.sessions, prepend=-1) != 0)
    sessions = np.cumsum(new, dtype=np.int32) - 1
    times = (log.times - START).astype(np.int32)
    begun = times[new][sessions]
    (later,) = np.nonzero(log.events >= EVENTS.index("rating"))
    sessions[later] = np.arange(len(later)) + np.count_nonzero(new)
    begun[later] = times[later]
    return sessions, begun


def _category(codes: np.ndarray, names: tuple[str, ...]) -> Column:
    return Column("category", codes.astype(np.int32), names)
