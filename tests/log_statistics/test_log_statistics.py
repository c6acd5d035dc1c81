"""Statistics of logs: small ones by hand, a larger one by pandas."""

import numpy as np
import pandas as pd
import pytest

from recexp.data import Dataset
from recexp.log_statistics import busiest_hour, by_kind, in_words, measure
from recexp.log_statistics.orders import _compact
from recexp.log_statistics.popularity import slope
from recexp.log_statistics.times import busiest_month

DAY = 86_400
JANUARY = 1_704_067_200  # 2024-01-01 00:00 UTC


def dataset(frame: pd.DataFrame, **more: object) -> Dataset:
    return Dataset.from_frame(frame, duplicates="keep", **more)


def rows(*cells: tuple, columns: str) -> Dataset:
    frame = pd.DataFrame(list(cells), columns=columns.split())
    context = {"price": "price"} if "price" in frame else None
    return dataset(frame, context=context, explicit=False)


@pytest.fixture(scope="module")
def shop() -> pd.DataFrame:
    """30 users, 40 items, a year of visits of 1 to 6 clicks, some of which lead to the cart and on."""
    rng = np.random.default_rng(1)
    lengths = rng.integers(1, 7, 900)
    session = np.repeat(np.arange(900), lengths)
    n = len(session)
    item = np.minimum(rng.geometric(0.1, n), 40)
    begin = JANUARY + rng.integers(0, 366 * DAY, 900)
    views = pd.DataFrame(
        {
            "user_id": rng.integers(0, 30, 900)[session],
            "item_id": item,
            "session_id": session,
            "timestamp": begin[session] + rng.integers(1, 60, n).cumsum() - np.repeat(np.cumsum(lengths) * 30, lengths),
            "event": "view",
            "price": np.round((10 + item) * rng.choice([0.8, 1.0], n), 2),
        }
    )
    carts = views.sample(frac=0.5, random_state=1).assign(event="addtocart")
    bought = carts.sample(frac=0.8, random_state=2).assign(event="transaction")
    back = bought.sample(frac=0.1, random_state=3).assign(event="return")
    return pd.concat([views, carts, bought, back], ignore_index=True)


def test_a_funnel_by_hand() -> None:
    """Ann has 10 rows and is active, ben has 3 and is not."""
    views = [("ann", item, "view") for item in (1, 1, 2, 3, 4)] + [("ben", 1, "view"), ("ben", 2, "view")]
    carts = [("ann", item, "add_to_cart") for item in (1, 2, 5)] + [("ben", 1, "add_to_cart")]
    bought = [("ann", 1, "buy"), ("ann", 5, "buy")]
    found = measure(rows(*views, *carts, *bought, ("ann", 1, "wishlist"), columns="user_id item_id event"))
    events = {"cart_per_view": 4 / 7, "purchase_per_view": 2 / 7, "purchase_per_cart": 2 / 4}
    pairs = {"pair_cart_per_view": 2 / 4, "pair_purchase_per_view": 1 / 4, "pair_purchase_per_cart": 2 / 3}
    assert {name: found[name] for name in events | pairs} == pytest.approx(events | pairs)


def test_a_visit_by_hand() -> None:
    """One of 4 clicks, one of 2 and one of 1, which does not count; the user's code is part of a session's."""
    at = [(1, item, 7, JANUARY + second) for item, second in ((5, 0), (5, 10), (6, 40), (5, 100))]
    data = rows(
        *at,
        (2, 5, 7, JANUARY),
        (1, 6, 8, JANUARY + 9),
        (1, 5, 8, JANUARY + 4),
        columns="user_id item_id session_id timestamp",
    )
    found = measure(data)
    expected = {
        **{"clicks_mean": 3, "clicks_median": 3, "repeats": (2 / 4 + 0) / 2, "repeats_last": (1 / 4 + 0) / 2},
        **{"gap_median": (10 + 30) / 2, "length_median": (100 + 5) / 2},
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert "visits_with_purchase" not in found


def test_orders_and_returns_by_hand() -> None:
    """Ann: orders A and B, tea in both, one thing sent back; ben: order C, with tea in two lines."""
    lines = [
        *(("ann", "tea", 2, "A", 5.0), ("ann", "cup", 1, "A", 10.0), ("ann", "tea", 1, "B", 5.0)),
        *(("ben", "tea", 1, "C", 5.0), ("ben", "tea", 3, "C", 4.0), ("ann", "cup", -1, "D", 10.0)),
    ]
    data = rows(*lines, columns="user_id item_id rating session_id price")
    found = measure(data)
    expected = {
        **{"one_order": 1 / 2, "orders_mean": 1.5, "orders_median": 1.5, "bought_again": 1 - 3 / 4},
        **{"returned_orders": 1 / 4, "returned_value": 10 / 42, "top_buyers": 25 / 42},
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_an_order_is_what_one_user_buys_in_one_session() -> None:
    """Ann and Ben share session 1 and are two orders of it; without Ben, sessions are orders."""
    lines = [("ann", "x", 2, 1), ("ann", "y", 2, 1), ("ben", "x", 2, 1), ("ann", "x", 2, 3)]
    for cells, expected in ((lines, (0.5, 1.5, 0.25)), ([lines[0], lines[1], lines[3]], (0.0, 2.0, 1 / 3))):
        found = measure(
            rows(*((*cell, JANUARY) for cell in cells), columns="user_id item_id rating session_id timestamp")
        )
        assert (found["one_order"], found["orders_mean"], found["bought_again"]) == pytest.approx(expected)


@pytest.mark.parametrize("large", [7, 10**12])
def test_numbers_are_made_compact_however_far_apart_they_are(large: int) -> None:
    keys, at = _compact(np.array([5, large, 0, 5]))
    assert (keys.tolist(), at.tolist()) == ([0, 5, large], [1, 2, 0, 1])


def test_counts_that_follow_a_power_have_it_as_their_slope() -> None:
    counts = 1e6 * np.arange(1, 500, dtype=float) ** -0.8
    assert slope(np.concatenate([np.full(9, 1e9), counts[9:], np.full(1000, 4.0)])) == pytest.approx(0.8)
    assert np.isnan(slope(counts[:10]))


def test_months_that_the_log_cuts_off_do_not_count() -> None:
    """From 3 January to 30 April: of whole months, February has 2 orders and March 5."""
    days = [2, 40, 59, *(61, 62, 63, 64, 90), *range(100, 120)]
    assert busiest_month(JANUARY + DAY * np.array(days, float)) == 5 / 2
    assert busiest_month(JANUARY + DAY * np.array([0.0, *days, 120])) == 21 / 2, "January and April are whole now"
    assert np.isnan(busiest_month(JANUARY + DAY * np.array([2.0, 3, 40])))


def test_row_numbers_and_dates_are_no_hours() -> None:
    cells = [(user, user, time) for user in range(24) for time in (user, user + 24)]
    numbered = rows(*cells, columns="user_id item_id timestamp")
    assert np.isnan(busiest_hour(numbered.interactions))
    dates = rows(
        *((user, item, JANUARY + DAY * time) for user, item, time in cells), columns="user_id item_id timestamp"
    )
    assert np.isnan(busiest_hour(dates.interactions))
    hourly = rows(
        *((user, item, JANUARY + 3600 * time) for user, item, time in (*cells, (0, 0, 5))),
        columns="user_id item_id timestamp",
    )
    assert busiest_hour(hourly.interactions) == 3 / 2


@pytest.mark.parametrize(
    ("frame", "explicit", "kinds"),
    [
        ({"rating": [5.0, 3.0]}, True, {"rating"}),
        ({"rating": [5.0, -3.0]}, False, {"purchase", "return"}),
        ({}, True, {"view"}),
        ({"price": [2.0, 3.0]}, True, {"purchase"}),
        ({"event": ["page_view", "shopping_cart"]}, True, {"view", "cart"}),
        ({"event": ["review", "impression"]}, True, {"rating"}),
    ],
)
def test_kinds_of_rows_are_known_by_their_columns(frame: dict, explicit: bool, kinds: set[str]) -> None:
    context = {"price": "price"} if "price" in frame else None
    made = pd.DataFrame({"user_id": [1, 2], "item_id": [1, 2], **frame})
    assert by_kind(dataset(made, explicit=explicit, context=context)).keys() == kinds


def test_ratings_have_their_shares() -> None:
    found = measure(dataset(pd.DataFrame({"user_id": range(5), "item_id": 1, "rating": [5.0, 5, 5, 4, 1]})))
    assert found == pytest.approx({"rating_mean": 4, "rating_1": 0.2, "rating_4": 0.2, "rating_5": 0.6})


def test_a_log_has_the_statistics_that_pandas_finds(shop: pd.DataFrame) -> None:
    found = measure(dataset(shop, context={"price": "price"}))
    views, bought, back = (shop[shop["event"] == event] for event in ("view", "transaction", "return"))
    clicks = views.groupby("session_id").size()
    clicks = clicks[clicks > 1]
    several = views[views["session_id"].isin(clicks.index)].sort_values(["session_id", "timestamp"], kind="stable")
    by_visit = several.groupby("session_id")
    again = several.duplicated(["session_id", "item_id"]).groupby(several["session_id"]).mean()
    last = (by_visit["item_id"].shift() == several["item_id"]).groupby(several["session_id"]).mean()
    gaps = by_visit["timestamp"].diff().dropna()
    orders = bought.groupby("user_id")["session_id"].nunique()
    lines = bought.drop_duplicates(["user_id", "item_id", "session_id"])
    revenue = bought.groupby("user_id")["price"].sum().sort_values(ascending=False)
    hours = pd.to_datetime(views["timestamp"], unit="s").dt.hour.value_counts()
    months = pd.to_datetime(bought.drop_duplicates("session_id")["timestamp"], unit="s").dt.month.value_counts()
    assert found == pytest.approx(
        found
        | {
            "visits_with_purchase": bought["session_id"].nunique() / views["session_id"].nunique(),
            "clicks_mean": clicks.mean(),
            "clicks_p90": clicks.quantile(0.9),
            "repeats": again.mean(),
            "repeats_last": last.mean(),
            "gap_p90": gaps.quantile(0.9),
            "length_median": (by_visit["timestamp"].max() - by_visit["timestamp"].min()).median(),
            "one_order": (orders == 1).mean(),
            "orders_mean": orders.mean(),
            "bought_again": lines.duplicated(["user_id", "item_id"]).mean(),
            "top_buyers": revenue.head(6).sum() / revenue.sum(),
            "busiest_hour": hours.max() / hours.min(),
            "busiest_month": months.max() / months.min(),
            "returned_orders": back["session_id"].nunique() / bought["session_id"].nunique(),
            "returned_value": back["price"].sum() / bought["price"].sum(),
            "view_top_20": views["item_id"].value_counts().head(8).sum() / len(views),
        }
    )


def test_the_elasticity_is_that_of_a_regression_with_a_dummy_an_item(shop: pd.DataFrame) -> None:
    bought = shop[shop["event"] == "transaction"]
    week = (bought["timestamp"] // DAY) // 7
    cells = bought.assign(week=week).groupby(["item_id", "week"]).agg(n=("price", "size"), price=("price", "mean"))
    cells = cells.reset_index()
    cells = cells[cells.groupby("item_id")["week"].transform("size") >= 20]
    assert 0 < cells["item_id"].nunique() < 40
    dummies = pd.get_dummies(cells["item_id"], dtype=float).to_numpy()
    design = np.column_stack([np.log(cells["price"]), dummies])
    expected = np.linalg.lstsq(design, np.log(cells["n"]), rcond=None)[0][0]
    found = measure(dataset(shop, context={"price": "price"}))
    assert found["price_elasticity"] == pytest.approx(expected, abs=1e-4)
    assert "price_elasticity" not in measure(dataset(shop))
    assert dict(in_words({"price_elasticity": -0.4312}))["prices"].endswith("1% higher, 0.43% fewer are sold")
    assert dict(in_words({"price_elasticity": 0.2}))["prices"].endswith("1% higher, 0.20% more are sold")
