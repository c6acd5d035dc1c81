"""All statistics that a log has the data for."""

import math
from collections.abc import Callable, Mapping

from recexp import threads
from recexp.data import Dataset
from recexp.data.event_kinds import Kind
from recexp.log_statistics.funnel import funnel
from recexp.log_statistics.kinds import by_kind
from recexp.log_statistics.orders import (
    bought_again,
    numbered,
    order_times,
    orders,
    price_elasticity,
    returns,
    top_buyers,
)
from recexp.log_statistics.popularity import popularity
from recexp.log_statistics.ratings import ratings
from recexp.log_statistics.times import busiest_hour, busiest_month
from recexp.log_statistics.visits import share_with, visits


def measure(dataset: Dataset) -> dict[str, float]:
    """Return the statistics of a log by name, those alone that its columns and kinds of rows allow.

    view_gini, view_top_20, view_slope : how views are spread over items; purchase_gini and so on, of purchases.
    cart_per_view, pair_cart_per_view ... : see `funnel`.
    visits_with_purchase, clicks_mean, repeats, gap_median ... : see `visits`; of views with sessions.
    busiest_hour, busiest_month : of views (without any: purchases), and of orders.
    one_order, orders_mean, orders_median, top_buyers, bought_again : of purchases; see `orders`.
    returned_orders, returned_value, price_elasticity : see `orders`.
    rating_mean, rating_5 ... : see `ratings`.
    """
    parts = by_kind(dataset)
    found = funnel(parts) | _of_views(parts) | _of_purchases(parts)
    if "rating" in parts:
        found |= ratings(parts["rating"].interactions)
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _of_views(parts: Mapping[Kind, Dataset]) -> dict[str, float]:
    if "view" not in parts:
        return {}
    views = parts["view"].interactions
    found = {f"view_{name}": value for name, value in popularity(views).items()}
    found["busiest_hour"] = busiest_hour(views)
    if views.sessions is not None:
        if "purchase" in parts:
            found["visits_with_purchase"] = share_with(views, parts["purchase"].interactions)
        found |= visits(views)
    return found


def _of_purchases(parts: Mapping[Kind, Dataset]) -> dict[str, float]:
    if "purchase" not in parts:
        return {}
    bought = parts["purchase"]
    rows = bought.interactions
    found = numbered(rows)
    measures: list[Callable[[], dict[str, float]]] = [
        lambda: {f"purchase_{name}": value for name, value in popularity(rows).items()},
        lambda: {} if found is None else orders(rows, found),
        lambda: {} if "view" in parts else {"busiest_hour": busiest_hour(rows)},
        lambda: {} if found is None else {"busiest_month": busiest_month(order_times(rows, found))},
        lambda: {"bought_again": bought_again(rows, found)},
        lambda: {"top_buyers": top_buyers(bought), "price_elasticity": price_elasticity(bought)},
        lambda: returns(bought, parts["return"]) if "return" in parts else {},
    ]
    return {name: value for part in threads.call_all(measures) for name, value in part.items()}
