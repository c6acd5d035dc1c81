"""Revenue, margin, conversion and click-through rate, by hand and in an evaluation of a shop's rows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recexp
from recexp.data import Column, Dataset, Queries, Split
from recexp.errors import ConfigError, DataError
from recexp.evaluation.evaluation import Evaluation, EvaluationResult
from recexp.metrics.base import Metric
from recexp.metrics.ranked_lists import JudgedLists
from recexp.ranking import Lists

NAMES = ("revenue", "margin", "conversion")
ITEMS = pd.DataFrame({"item_id": list("abcde"), "price": [10.0, 20, 30, 40, 50], "margin": [4.0, -1, 3, 40, 0]})
HELD_OUT = [("ann", "b", "purchase"), ("ann", "c", "view"), ("ann", "d", "purchase"), ("bob", "a", "view")]
LISTS = {"ann": "bcad", "bob": "aecd"}


def shop(events: bool = True, **columns: list) -> Dataset:
    """Ann and Bob have seen e; who has events has views and purchases."""
    rows = [("ann", "e", "view"), ("bob", "b", "purchase"), *HELD_OUT]
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "event"] if events else ["user_id", "item_id", "x"])
    kinds = {"price": "price", "margin": "numeric"}
    return Dataset.from_frame(frame, items=ITEMS.assign(**columns), item_features=kinds, name="shop")


def divided(data: Dataset) -> Split:
    """The first two rows are train, the others held out."""
    rows = data.interactions
    train, test = data.take(np.arange(2)), rows.take(np.arange(2, len(rows)))
    target = test.csr(values=False)
    queries = Queries.of_users(np.arange(2, dtype=np.int32), train.interactions, exclude_seen=False)
    return Split(train, queries, target, test)


def evaluated(split: Split, *names: str, cutoffs: tuple[int, ...] = (2, 4)) -> EvaluationResult:
    metrics: dict[str, Metric] = {name: recexp.make(f"metric={name}") for name in names}
    evaluation = replace(recexp.make("evaluation=ranking"), metrics=metrics, cutoffs=[*cutoffs], resamples=20)
    return judged(evaluation, split)


def judged(evaluation: Evaluation, split: Split) -> EvaluationResult:
    code = {item: number for number, item in enumerate(split.train.item_ids)}
    items = np.array([[code[item] for item in LISTS[user]] for user in split.train.user_ids], np.int32)
    evaluation.check(split.train)
    return evaluation.evaluate(split, Lists(items, np.zeros(items.shape, np.float32)), seed=1)


def test_what_lists_sell_is_worth_by_hand() -> None:
    """Ann buys b (20, margin -1) at rank 1 and d (40, margin 40) at rank 4; c is viewed alone. Bob buys nothing."""
    found = evaluated(divided(shop()), *NAMES).metrics
    assert found == {
        "revenue_at_2": (20 + 0) / 2,
        "revenue_at_4": (60 + 0) / 2,
        "margin_at_2": (-1 + 0) / 2,
        "margin_at_4": (39 + 0) / 2,
        "conversion_at_2": 1 / 2,
        "conversion_at_4": 1 / 2,
    }


def test_without_events_all_rows_are_orders() -> None:
    """Ann's b, c, d and Bob's a: 20 + 30 and 10 within two places."""
    found = evaluated(divided(shop(events=False)), *NAMES).metrics
    assert (found["revenue_at_2"], found["revenue_at_4"]) == ((50 + 10) / 2, (90 + 10) / 2)
    assert (found["margin_at_2"], found["conversion_at_2"]) == ((2 + 4) / 2, 1)


def test_intervals_are_over_users() -> None:
    result = evaluated(divided(shop()), "revenue")
    assert result.per_query["revenue_at_4"].tolist() == [60, 0]
    assert result.intervals["revenue_at_4"] == (0, 60)


def test_a_list_of_plain_ids() -> None:
    prices = {"a": 10, "b": 20, "c": 30}
    revenue, margin = recexp.make("metric=revenue"), recexp.make("metric=margin")
    assert revenue(["b", "x", "c"], {"c", "b"}, 2, worth=prices) == 20
    assert revenue(["b", "x", "c"], {"c", "b"}, worth=prices) == 50
    assert margin(["b"], {"b"}, worth={"b": -3}) == -3
    assert revenue(["b"], {"a"}, worth=prices) == 0 and np.isnan(revenue(["b"], worth=prices))
    assert recexp.make("metric=conversion")(["b", "a"], {"a"}, k=2) == 1
    with pytest.raises(DataError, match="worth has no value for 'x', which was bought"):
        revenue(["x"], {"x"}, worth=prices)


ABOVE = "of 5 items of shop have a margin above their price, the first is d"


@pytest.mark.parametrize(
    ("name", "columns", "message"),
    [
        ("revenue", {"price": [10, 20, None, 40, 50]}, "1 of 5 items of shop have no price, the first is c (empty)"),
        ("revenue", {"price": [10, -2, 3, -4, 50]}, "2 of 5 items of shop have a negative price, the first is b (-2)"),
        ("margin", {"price": [10, -2, 3, -4, 50]}, "2 of 5 items of shop have a negative price, the first is b (-2)"),
        ("margin", {"margin": [1, 2, 3, 41, 51]}, f"2 {ABOVE} (41 for a price of 40)"),
        ("margin", {"margin": [1, None, 3, 4, 5]}, "1 of 5 items of shop have no margin, the first is b (empty)"),
    ],
)  # fmt: skip
def test_prices_that_cannot_be_are_refused(name: str, columns: dict, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        evaluated(divided(shop(**columns)), name)
    assert str(caught.value) == f"evaluation.metrics: {name} cannot be computed: {message}"


def test_data_without_prices_or_purchases_are_refused() -> None:
    bare = divided(replace(shop(), items={}))
    with pytest.raises(ConfigError, match=r"revenue needs items\.price, and shop has none"):
        evaluated(bare, "revenue")
    net = divided(replace(shop(), items={"net_price": shop().items["price"]}))
    with pytest.raises(ConfigError, match=r"its price columns are net_price: .* as in column: net_price$"):
        evaluated(net, "revenue")
    views = divided(shop().take(np.array([0, 3, 5, 3, 5])))
    with pytest.raises(ConfigError, match="conversion cannot be computed: shop has no purchase rows, but view"):
        evaluated(views, "conversion")
    with pytest.raises(ConfigError, match="shop has neither events nor prices of items"):
        evaluated(divided(replace(shop(events=False), items={})), "conversion")
    words = divided(replace(shop(), items={**shop().items, "price": Column.category(list("abcde"))}))
    with pytest.raises(ConfigError, match=r"items\.price of shop is a category column; it must hold numbers"):
        evaluated(words, "revenue")


SHOWN = [("ann", "b", 1), ("ann", "c", 0), ("ann", "c", 1), ("ann", "e", 1), ("bob", "c", 0), ("bob", "c", 0)]


def impressions(column: str = "clicked", **more: object) -> Dataset:
    """A log of shown items: what Ann and Bob saw, and before it a row of each."""
    rows = [("ann", "a", 1), ("bob", "d", 0), *SHOWN]
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", column])
    return Dataset.from_frame(frame, context={column: "numeric"}, duplicates="keep", **more)


@pytest.mark.parametrize("column", ["clicked", "click"])
def test_clicks_are_counted_where_the_log_showed_what_is_listed(column: str) -> None:
    """Ann's list is b c a d, Bob's a e c d. Two places: b, c, c of Ann, two clicks. Four: two more of Bob's, none.

    Bob's user has none at two places, and no value is drawn from him.
    """
    result = evaluated(divided(impressions(column)), "click_through_rate", "ndcg")
    assert result.metrics["click_through_rate_at_2"] == pytest.approx(2 / 3)
    assert result.metrics["click_through_rate_at_4"] == pytest.approx(2 / 5)
    low, high = result.intervals["click_through_rate_at_4"]
    assert (low, high) == (0, pytest.approx(2 / 3))


def test_if_all_is_listed_it_is_the_rate_of_the_log() -> None:
    split = divided(impressions())
    everything = np.tile(np.arange(5, dtype=np.int32), (2, 1))
    evaluation = replace(
        recexp.make("evaluation=ranking"),
        metrics={"click_through_rate": recexp.make("metric=click_through_rate")},
        cutoffs=[5],
    )
    found = evaluation.evaluate(split, Lists(everything, np.zeros((2, 5), np.float32)), seed=1)
    assert found.metrics["click_through_rate_at_5"] == pytest.approx(3 / 6)


def test_a_log_without_impressions_and_clicks_that_are_none() -> None:
    with pytest.raises(ConfigError, match="click_through_rate needs impressions, and shop has none"):
        evaluated(divided(shop()), "click_through_rate")
    wrong = impressions()
    counts = replace(wrong.interactions, context={"clicked": Column.numeric(np.arange(8, 0, -1))})
    with pytest.raises(ConfigError, match="the context column clicked must be numeric: 1 where an item was clicked"):
        evaluated(divided(replace(wrong, interactions=counts)), "click_through_rate")


def test_a_run_has_them_and_they_can_be_added_later(workplace: Path) -> None:
    """Bought are items of which each of 30 users takes six of 20, at 1 to 20; two are held out."""
    rng = np.random.default_rng(4)
    rows = [(f"u{u}", int(i), "purchase") for u in range(30) for i in rng.permutation(20)[:6]]
    items = pd.DataFrame({"item_id": range(20), "price": range(1, 21), "margin": [p / 4 for p in range(1, 21)]})
    (workplace / "rows.csv").write_text(pd.DataFrame(rows, columns=["user_id", "item_id", "event"]).to_csv(index=False))
    items.to_csv("items.csv", index=False)
    words = ["dataset=files", "dataset.interactions=rows.csv", "dataset.items=items.csv", "evaluation.resamples=20"]
    few = "evaluation.metrics=[revenue,ndcg]", "evaluation.cutoffs=[20]", "filter=purchases"
    run = recexp.run(*words, *few, "algorithm=popularity")
    assert run.metrics["test/revenue_at_20"] > 10, "all that is bought is listed"
    from recexp import cli

    assert cli.run(["evaluate", "metric=margin,conversion"]) == 0
    again = recexp.load(run.run_id)
    assert again.metrics["test/margin_at_20"] == pytest.approx(run.metrics["test/revenue_at_20"] / 4)
    assert again.metrics["test/conversion_at_20"] == 1


def test_lists_without_held_out_rows_have_no_clicks() -> None:
    lists = JudgedLists.of_ids([["a"]], [["a"]], {}, {}, None)
    from recexp.metrics.base import Answers

    assert recexp.make("metric=click_through_rate").measure(Answers(lists), [1]) is None
