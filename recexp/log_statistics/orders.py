"""What people buy, again, send back, and for which price."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from recexp.data import Dataset, Interactions
from recexp.data.ordering import count_distinct, distinct
from recexp.log_statistics.times import DAY, known_times, seconds
from recexp.log_statistics.visits import visit_codes
from recexp.statistics.concentration import top_share

LEAST_WEEKS = 20
"""In which an item must have been sold for its prices to count."""


class Numbers(NamedTuple):
    """The number of each row's order, int (m,), and the first row of each order, int (orders,)."""

    order: np.ndarray
    first: np.ndarray


def order_codes(rows: Interactions) -> np.ndarray | None:
    """Return a number for each row, int64 (m,), the same for rows of one order; None: nothing tells.

    An order is what one user buys in one session, or on one day where there are no sessions.
    """
    if rows.sessions is not None:
        return visit_codes(rows)
    times = known_times(rows)
    return None if times is None else rows.users.astype(np.int64) * 2**32 + times // (DAY * rows.per_second)


def orders(purchases: Interactions, found: Numbers) -> dict[str, float]:
    """Return how often people buy: one_order, the share of buyers with one, and orders_mean and orders_median."""
    counts = np.bincount(purchases.users[found.first])
    counts = counts[counts > 0]
    one = float((counts == 1).mean())
    return {"one_order": one, "orders_mean": float(counts.mean()), "orders_median": float(np.median(counts))}


def order_times(purchases: Interactions, found: Numbers) -> np.ndarray:
    """Return when each order was made, float64 (orders,), seconds since 1970; nothing where there are no times."""
    when = seconds(purchases)
    return np.empty(0) if when is None else when[found.first]


def numbered(purchases: Interactions) -> Numbers | None:
    """Return which orders the rows are of, as `order_codes` tells them apart; None: nothing tells.

    Where each session is of one user, sessions are orders, and nothing is sorted.
    """
    sessions = purchases.sessions
    first = None if sessions is None else _first_rows(purchases.users, sessions)
    if sessions is not None and first is not None:
        return Numbers(sessions, first[first >= 0])
    codes = order_codes(purchases)
    if codes is None:
        return None
    _, begins, of_row = np.unique(codes, return_index=True, return_inverse=True)
    return Numbers(of_row, begins)


def _first_rows(users: np.ndarray, sessions: np.ndarray) -> np.ndarray | None:
    """Return the first row of each session, int64, -1 of a code without one; None where one is of several users."""
    if not len(sessions) or int(sessions.min()) < 0 or int(sessions.max()) >= 8 * len(sessions):
        return None
    first = np.full(int(sessions.max()) + 1, -1, np.int64)
    first[sessions[::-1]] = np.arange(len(sessions) - 1, -1, -1)  # of equals the last that is set stays
    return first if (users[first[sessions]] == users).all() else None


def _n_orders(parts: Sequence[Interactions]) -> int | None:
    """Return how many orders the rows of all parts are, each counted once; None: nothing tells."""
    sessions = [part.sessions for part in parts if part.sessions is not None]
    if len(sessions) == len(parts):
        first = _first_rows(np.concatenate([part.users for part in parts]), np.concatenate(sessions))
        if first is not None:
            return int((first >= 0).sum())
    codes = [found for part in parts if (found := order_codes(part)) is not None]
    return len(distinct(np.concatenate(codes))) if len(codes) == len(parts) else None


def bought_again(purchases: Interactions, found: Numbers | None) -> float:
    """Return the share of purchases of an item that the same user bought in an earlier order; once an order.

    Where nothing tells orders apart (None), each row is one.
    """
    n_pairs, n_lines = count_distinct(purchases.pair_numbers, [] if found is None else [found.order])
    return 1 - n_pairs / (len(purchases) if found is None else n_lines)


def quantities(rows: Interactions) -> np.ndarray:
    """Return how many of the item each row is about, float64 (m,); 1 where values are ratings or absent."""
    return np.ones(len(rows)) if rows.explicit else np.where(np.isnan(rows.values), 1.0, np.abs(rows.values))


def prices(dataset: Dataset) -> np.ndarray | None:
    """Return the price of one item of each row, float64 (m,), NaN where unknown; None: nothing has prices.

    It is that of the row's context, or else that of the table of items.
    """
    rows = dataset.interactions
    for table, at in ((rows.context, None), (dataset.items, rows.items)):
        for column in table.values():
            if column.kind == "price":
                values = column.values.astype(np.float64)
                return values if at is None else values[at]
    return None


def revenue(dataset: Dataset) -> np.ndarray | None:
    """Return what each row is worth, float64 (m,), 0 where its price is unknown; None: nothing has prices."""
    each = prices(dataset)
    return None if each is None else np.nan_to_num(each) * quantities(dataset.interactions)


def top_buyers(purchases: Dataset) -> float:
    """Return the share of revenue that the top 20 % of buyers bring; NaN without prices."""
    amounts, users = revenue(purchases), purchases.interactions.users
    return float("nan") if amounts is None else top_share(np.bincount(users, amounts)[np.bincount(users) > 0], 0.2)


def returns(purchases: Dataset, returned: Dataset) -> dict[str, float]:
    """Return the share of orders that are returns, of orders and returns together, and returned value over value sold.

    Where a return names the order that it is of, that is the share of orders from which something came back.
    """
    found = {}
    parts = purchases.interactions, returned.interactions
    n_orders, n_returns = _n_orders(parts), _n_orders(parts[1:])
    if n_orders and n_returns:
        found["returned_orders"] = n_returns / n_orders
    earned, repaid = (revenue(part) for part in (purchases, returned))
    if earned is not None and repaid is not None and earned.any():
        found["returned_value"] = float(repaid.sum() / earned.sum())
    return found


def price_elasticity(purchases: Dataset) -> float:
    """Return by how many percent the quantity of a week rises where the price is one percent higher, within an item.

    Least squares of log quantity on log mean price of an item's week, both less the item's mean, over items sold in 20
    weeks or more. NaN where prices do not change, or nothing has times.
    """
    rows, each, times = purchases.interactions, prices(purchases), known_times(purchases.interactions)
    if each is None or times is None:
        return float("nan")
    amounts = quantities(rows)
    (sold,) = np.nonzero((each > 0) & (amounts > 0))
    weeks = times[sold] // (7 * DAY * rows.per_second)
    weeks -= weeks.min(initial=np.iinfo(np.int64).max)  # few numbers have few cells
    n_weeks = int(weeks.max(initial=0)) + 1
    cells = rows.items[sold].astype(np.int64) * n_weeks + weeks
    keys, at = _compact(cells)
    items = keys // n_weeks
    often = np.bincount(items)[items] >= LEAST_WEEKS
    price = np.log(np.bincount(at, each[sold]) / np.bincount(at))[often]
    quantity = np.log(np.bincount(at, amounts[sold]))[often]
    price, quantity = (_within(values, items[often]) for values in (price, quantity))
    spread = price @ price
    return float(price @ quantity / spread) if spread > 1e-12 else float("nan")


def _compact(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct of numbers from 0, int64 (m,), ascending, and which of them each is, int64 (m,)."""
    if int(cells.max(initial=0)) > 8 * len(cells):
        keys, at = np.unique(cells, return_inverse=True)
        return keys, at
    there = np.bincount(cells) > 0
    return np.flatnonzero(there), (np.cumsum(there) - 1)[cells]


def _within(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return float64 (m,) less the mean of its group."""
    return values - (np.bincount(groups, values) / np.maximum(np.bincount(groups), 1))[groups]
