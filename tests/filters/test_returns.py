"""Returns netted against purchases: by hand, and as pandas works it out of a real shop's lines."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recexp
from recexp.data import Dataset, Split
from recexp.errors import DataError
from recexp.prepared import Preparation
from recexp.prepared.preparation import Loaded

ROWS = [  # user, item, quantity, day
    ("ann", "tea", 3, 1),
    ("ann", "tea", -1, 2),
    ("ann", "mug", 1, 2),
    ("ben", "mug", 2, 3),
    ("ben", "mug", -2, 4),
    ("ben", "tea", 1, 4),
    ("ben", "pot", -1, 5),
    ("ann", "mug", -1, 11),
    ("ann", "pot", 5, 12),
    ("ann", "pot", -2, 13),
    ("ben", "mug", 1, 14),
]
BY_HAND = {("ann", "tea"): 2, ("ann", "pot"): 3, ("ben", "tea"): 1, ("ben", "mug"): 1}
TRAIN_BY_HAND = {("ann", "tea"): 2, ("ann", "mug"): 1, ("ben", "tea"): 1}
TEST_BY_HAND = {("ann", "pot"): 3, ("ben", "mug"): 1}
TEMPORAL = ("split=temporal", "split.test_ratio=null")


def frame(rows: list[tuple] = ROWS) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "n", "day"])
    return table.assign(timestamp=pd.Timestamp("2024-05-01") + pd.to_timedelta(table.pop("day"), "D"))


def prepared(*words: str) -> tuple[Loaded, Split]:
    source, filters, split = (
        recexp.make(next(w for w in words if w.startswith(group)), *(w for w in words if w.startswith(f"{group}.")))
        for group in ("dataset", "filter", "split")
    )
    with Preparation(source, filters, split, seed=1, cache=False) as preparation:
        loaded = preparation.load()
        return loaded, next(preparation.splits(loaded))


def pairs(data: Dataset, rows=None) -> dict[tuple, float]:
    rows = data.interactions if rows is None else rows
    found = zip(data.user_ids[rows.users].tolist(), data.item_ids[rows.items].tolist(), rows.values.tolist())
    return {(user, item): value for user, item, value in found}


def own_file(folder: Path, rows: list[tuple] = ROWS) -> tuple[str, ...]:
    frame(rows).to_csv(folder / "orders.csv", index=False)
    return "dataset=files", f"dataset.interactions={folder / 'orders.csv'}", "dataset.columns.quantity=n"


def test_what_is_left_of_each_pair_is_its_sum_at_its_last_purchase() -> None:
    data = Dataset.from_frame(frame(), columns={"quantity": "n"})
    made, _ = recexp.make("filter=shop").apply(data, seed=1)
    assert pairs(made) == BY_HAND and not made.interactions.explicit
    days = pd.to_datetime(made.interactions.timestamps, unit="s").day.tolist()
    assert days == [2, 5, 13, 15], "of ann's tea, ben's tea, ann's pot and ben's mug the purchases, not the returns"


@pytest.mark.parametrize("name", ["shop", "counts"])
def test_each_part_of_a_split_by_time_is_netted_for_itself(name: str, tmp_path: Path) -> None:
    _, split = prepared(*own_file(tmp_path), f"filter={name}", *TEMPORAL, "split.test_from='2024-05-08'")
    assert pairs(split.train) == TRAIN_BY_HAND
    assert pairs(split.train, split.test) == TEST_BY_HAND


def test_counts_adds_quantities_up_and_counts_rows_where_there_are_none() -> None:
    counts = recexp.make("filter=counts")
    made, _ = counts.apply(Dataset.from_frame(frame(), columns={"quantity": "n"}), seed=1)
    assert pairs(made) == BY_HAND and not made.interactions.explicit
    made, _ = counts.apply(Dataset.from_frame(frame().drop(columns="n")), seed=1)
    assert pairs(made) == Counter((user, item) for user, item, *_ in ROWS)


def test_ratings_are_no_quantities(tmp_path: Path) -> None:
    frame().rename(columns={"n": "rating"}).to_csv(tmp_path / "ratings.csv", index=False)
    words = ("dataset=files", f"dataset.interactions={tmp_path / 'ratings.csv'}", "filter=shop", "split=random")
    with pytest.raises(DataError, match=r"needs quantities, but ratings has ratings; .* dataset.columns.quantity"):
        prepared(*words)


def test_views_are_no_purchases(caplog: pytest.LogCaptureFixture) -> None:
    """Data whose rows of all events have a quantity of 1 are refused, and not counted as bought."""
    shop, events = recexp.make("filter=shop"), ["buy", "refund", "buy", "buy", "refund", "view", *["buy"] * 5]
    columns = {"quantity": "n"}
    with pytest.raises(DataError, match=r"has the events view \(1 rows\); filter=purchases keeps purchases"):
        shop.apply(Dataset.from_frame(frame().assign(event=events), columns=columns), seed=1)
    told = frame().assign(event=["sold" if event == "view" else event for event in events])
    made, _ = shop.apply(Dataset.from_frame(told, columns=columns), seed=1)
    assert pairs(made) == BY_HAND and "rows of the events sold count as purchases" in caplog.text


def test_quantities_are_no_ratings(tmp_path: Path) -> None:
    """Filters of ratings leave what was bought once, however little, and what was given back is no like."""
    loaded, _ = prepared(*own_file(tmp_path), "filter=positive", "split=random_rows")
    assert set(pairs(loaded.dataset)) == set(BY_HAND)
    loaded, _ = prepared(*own_file(tmp_path), "filter=ratings", "split=random_rows")
    assert not loaded.dataset.interactions.explicit


def test_an_empty_part_says_which_step_took_how_much(tmp_path: Path) -> None:
    rows = [("ann", f"i{n}", 1, n % 9) for n in range(60)] + [("ann", f"i{n}", -1, 9) for n in range(58)]
    words = own_file(tmp_path, rows)
    with pytest.raises(DataError) as caught:
        prepared(*words, "filter=shop", "split=random", "split.test_ratio=0.3")
    assert "no rows go to test" in str(caught.value)
    assert "before that, NetReturns removed 98.3% of the rows (118 -> 2); loosen filter.steps" in str(caught.value)
    with pytest.raises(DataError, match=r"train rows.*NetReturns removed 100% of the rows \(58 -> 0\)"):
        prepared(*words, "filter=shop", *TEMPORAL, "split.test_from='2024-05-10'")


SHOP = {"user": "CustomerID", "item": "StockCode", "rating": None, "quantity": "Quantity", "timestamp": "InvoiceDate"}


def test_netted_counts_of_a_real_shop_are_those_of_pandas(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = recexp.make("dataset=online_retail")
    if source.location() is None:
        pytest.skip("RECEXP_DATA has no online-retail")
    columns = ",".join(f"{role}:{name or 'null'}" for role, name in SHOP.items())
    words = ["dataset=files", f"dataset.interactions={source.location()}", f"dataset.columns={{{columns}}}"]
    words += ["dataset.missing_user=drop", "dataset.duplicates=keep"]
    _, split = prepared(*words, "filter=shop", *TEMPORAL, "split.test_from='2011-10-01'")
    assert "135080 of 541909 rows have no user and are dropped" in caplog.text
    lines = pd.read_parquet(source.location()).dropna(subset="CustomerID")
    lines["StockCode"] = lines["StockCode"].astype(str).str.strip()
    late = lines["InvoiceDate"] >= "2011-10-01"
    for part, rows in ((lines[~late], split.train.interactions), (lines[late], split.test)):
        sums = part.groupby(["CustomerID", "StockCode"])["Quantity"].sum()
        sums = sums[sums >= 1]
        found = pd.Series(
            rows.values,
            pd.MultiIndex.from_arrays(
                [split.train.user_ids[rows.users].astype(np.int64), split.train.item_ids[rows.items]]
            ),
        ).sort_index()
        assert len(found) == len(sums) and (found.index == sums.sort_index().index).all()
        np.testing.assert_array_equal(found.to_numpy(), sums.sort_index().to_numpy(np.float32))
