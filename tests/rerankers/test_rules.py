"""Rules for what may be listed: what they leave, whom they are for, and that a model has them wherever it goes."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import recexp
from recexp.algorithms.baselines.popularity import Popularity
from recexp.algorithms.linear.ease import EASE
from recexp.data import Dataset
from recexp.errors import ConfigError, DataError, IncompatibleError, RecexpError
from recexp.history.archive import Archive
from recexp.models.fitted import FittedModel
from recexp.ranking import Ranking

ITEMS = pd.DataFrame(
    {
        "item_id": ["a", "b", "c", "d", "e", "f"],
        "price": [10.0, 20.0, 30.0, 40.0, 50.0, None],
        "stock": [3.0, 0.0, None, -1.0, 5.0, 9.0],
        "brand": ["x", "x", "y", "y", "y", "x"],
    }
)
USERS = pd.DataFrame({"user_id": ["ann", "bob", "cid", "dan"], "segment": ["budget", "premium", "premium", None]})
ROWS = [("ann", "a"), ("ann", "b"), ("bob", "d"), ("bob", "e"), ("cid", "c"), ("cid", "e"), ("dan", "a"), ("dan", "f")]


@pytest.fixture(scope="module")
def store() -> Dataset:
    """Ann (budget) pays 10, 20; Bob and Cid (premium) 30, 40, 50, 50; Dan, of no segment, 10 and an unknown price."""
    rows = pd.DataFrame(ROWS, columns=["user_id", "item_id"])
    kinds = {"price": "price", "stock": "numeric", "brand": "category"}
    return Dataset.from_frame(rows, items=ITEMS, users=USERS, item_features=kinds, name="store")


def fitted(store: Dataset, *overrides: str) -> FittedModel:
    """Popularity, by which a and e come first, then the others in their order, with a reranker; seen items too."""
    reranker = recexp.make(*overrides).fit(store)
    popular = Popularity(half_life_days=None).fit(store)
    ranking = Ranking(np.arange(6, dtype=np.int32), np.ones(6, bool))
    return FittedModel.of(popular, popular, ranking, store, exclude_seen=False, block_mib=1, reranker=reranker)


def listed(model: FittedModel, user: str | None, n: int = 6) -> str:
    return "".join(str(item) for item, _ in model.recommend(user, n))


def test_what_is_sold_out_takes_no_place(store: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    """b and d are out of stock; c's stock is not known."""
    caplog.set_level(logging.INFO)
    model = fitted(store, "reranker=in_stock")
    assert "in_stock: 2 of 6 items are not in stock and in no list" in caplog.text
    assert listed(model, "ann") == listed(model, None) == "aecf"
    assert listed(model, "ann", 3) == "aec", "the list is filled up"


def test_the_fallback_keeps_the_rules_too(store: Dataset) -> None:
    model = replace(fitted(store, "reranker=in_stock"), model=EASE(l2=1.0).fit(store))
    assert listed(model, "nobody") == "aecf"


def test_one_range_is_of_the_prices_that_are_paid(store: Dataset) -> None:
    """Paid are 10, 10, 20, 30, 40, 50, 50: the upper half is from 30 on."""
    model = fitted(store, "reranker=price_range", "reranker.quantiles=[0.5,1]")
    assert listed(model, "ann") == "ecd", "f, without a price, is in no range"


def test_each_group_has_a_range_and_others_have_that_of_everyone(store: Dataset) -> None:
    model = fitted(store, "reranker=price_range", "reranker.by=segment", "reranker.quantiles=[0,1]")
    assert listed(model, "ann") == "ab"
    assert listed(model, "bob") == listed(model, "cid") == "ecd"
    assert listed(model, "dan") == listed(model, None) == "aebcd"
    table = model.recommend_many(["ann", None, "bob"], 2)
    assert table.groupby("user_id", dropna=False, sort=False)["item_id"].agg("".join).tolist() == ["ab", "ae", "ec"]


def test_ranges_can_be_given(store: Dataset) -> None:
    ranges = "reranker.ranges={budget: [null, 10], everyone: [20, 30]}"
    model = fitted(store, "reranker=price_range", "reranker.by=segment", "reranker.quantiles=[0,1]", ranges)
    assert [listed(model, user) for user in ("ann", "bob", "dan", None)] == ["a", "ecd", "bc", "bc"]


def test_rules_in_a_chain_hold_together_and_with_what_is_asked(store: Dataset) -> None:
    model = fitted(store, "reranker=chain", "reranker.parts.price.by=segment", "reranker.parts.price.quantiles=[0,1]")
    assert [listed(model, user) for user in ("ann", "bob", None)] == ["a", "ec", "aec"]
    assert listed(model.only({"brand": "y"}), "bob") == "ec"
    assert listed(model.priced(30, 30), "bob") == "c" and listed(model.without(["e"]), None, 1) == "a"
    assert [listed(model.priced(*bounds), None) for bounds in ((None, 30), (30, None))] == ["ac", "ec"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ("reranker=in_stock reranker.column=brand", "reranker.column: brand is a category column of store; it must"),
        ("reranker=price_range reranker.ranges={vip:[1,2]} reranker.by=segment", "no group vip .*: budget, premium"),
        ("reranker=price_range reranker.ranges={budget:[1,2]}", "no group budget of users; there are: everyone"),
        ("reranker=price_range reranker.ranges={everyone:[60,70]}", "no item of store has a price from 60 to 70"),
        ("reranker=price_range reranker.ranges={everyone:[7,6]}", r"reranker\.ranges\.everyone: the lowest comes"),
        ("reranker=price_range reranker.quantiles=[0.9,0.1]", r"reranker\.quantiles: the lowest comes first"),
        ("reranker=price_range reranker.quantiles=[0.9]", r"reranker\.quantiles: List should have at least 2"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told_in_one_line(store: Dataset, overrides: str, message: str) -> None:
    with pytest.raises((ConfigError, DataError), match=message) as caught:
        recexp.make(*overrides.split()).fit(store)
    assert "\n" not in str(caught.value)


def test_a_store_without_stock_or_without_prices(store: Dataset) -> None:
    empty = replace(
        store, items={**store.items, "stock": replace(store.items["stock"], values=np.zeros(6, np.float32))}
    )
    with pytest.raises(DataError, match="reranker: stock is 0 for all 6 items of store"):
        recexp.make("reranker=in_stock").fit(empty)
    unknown = np.full(6, np.nan, np.float32)
    unpriced = replace(store, items={**store.items, "price": replace(store.items["price"], values=unknown)})
    with pytest.raises(DataError, match=r"reranker\.column: price is empty for all 6 items of store"):
        recexp.make("reranker=price_range").fit(unpriced)
    below = replace(store.items["price"], values=np.array([10, -20, 30, -40, 50, 60], np.float32))
    with pytest.raises(DataError, match=r"price is negative for 2 of 6 items of store, the first is b \(-20\)"):
        recexp.make("reranker=price_range").fit(replace(store, items={**store.items, "price": below}))
    bare = fitted(replace(store, items={}), "reranker=none")
    with pytest.raises(DataError, match=r"a range of prices needs a price column .* the model was given none"):
        bare.priced(1, 2)
    with pytest.raises(DataError, match="none of the 6 recommendable items is priced from 50 up to 20"):
        fitted(store, "reranker=none").priced(50, 20)


def test_of_several_columns_of_prices_that_called_price_is_meant(store: Dataset) -> None:
    margins = replace(store.items["price"], values=np.array([9, 8, 7, 6, 5, 4], np.float32))
    model = fitted(replace(store, items={**store.items, "margin": margins}), "reranker=none")
    assert {item for item, _ in model.priced(30, 30).recommend(None)} == {"c"}
    assert {item for item, _ in model.priced(8, column="margin").recommend(None)} == {"a", "b"}
    with pytest.raises(DataError, match="there is no price column cost; the price columns are price, margin"):
        model.priced(8, column="cost")
    nets = {f"{name}_net": column for name, column in model.item_table.prices.items()}
    unnamed = replace(model, item_table=replace(model.item_table, prices=nets))
    with pytest.raises(DataError, match=r"^the price columns are price_net, margin_net; name one of them$"):
        unnamed.priced(30)


def test_where_all_is_masked_there_is_one_line(store: Dataset) -> None:
    """No item of brand x has a price from 30 to 50."""
    model = fitted(store, "reranker=price_range", "reranker.ranges={everyone: [30, 50]}").only({"brand": "x"})
    with pytest.raises(DataError, match="nothing may be recommended: PriceRange allows none of the 3 items"):
        model.recommend("bob")


@pytest.fixture(scope="module")
def rated() -> Dataset:
    """40 users and 30 items in three price classes, of which every fifth is sold out."""
    rng = np.random.default_rng(2)
    rows = [(u, i) for u in range(40) for i in rng.permutation(30)[:8]]
    items = pd.DataFrame(
        {"item_id": range(30), "price": [5.0 + i for i in range(30)], "stock": [i % 5 for i in range(30)]}
    )
    users = pd.DataFrame({"user_id": range(40), "segment": [("budget", "premium")[u % 2] for u in range(40)]})
    return Dataset.from_frame(pd.DataFrame(rows, columns=["user_id", "item_id"]), items=items, users=users)


QUICK = ("evaluation.resamples=20", "evaluation.cutoffs=[5]", "runner.threads=1")


def run(rated: Dataset, *overrides: str) -> Any:
    return recexp.run(*QUICK, *overrides, dataset=rated)


def test_a_run_keeps_its_reranker_and_is_another_model(
    workplace: Path, rated: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same protocol and split; another identity, name and row; evaluated, saved and served with it."""
    plain, stocked = run(rated), run(rated, "reranker=in_stock")
    with Archive(None) as archive:
        before, after = (archive.run(result.run_id) for result in (plain, stocked))
        identity = archive.yaml(before, "identity.yaml")
        lists = pd.read_parquet(archive.file(after, "lists.parquet"))
    same, other = ("recexp.protocol", "recexp.split", "recexp.test"), "recexp.config"
    assert all(before.tags[tag] == after.tags[tag] for tag in same) and before.tags[other] != after.tags[other]
    assert "reranker" not in identity, "as runs from before there were rerankers"
    assert (before.name, after.name) == ("frame ease seed 1", "frame ease in_stock seed 1")
    assert after.tags["reranker"] == "in_stock" and before.tags["reranker"] == "none"
    sold_out = {item for item in range(30) if item % 5 == 0}
    assert not {*lists["item_id"]} & sold_out
    for model in (stocked.model, FittedModel.load(save(stocked.model, workplace))):
        assert not {item for item, _ in model.recommend(None, n=30)} & sold_out
        assert len(model.recommend(None, n=30)) == 24
    compared = recexp.compare().to_frame()
    assert sorted(compared["model"]) == ["ease", "ease reranker=in_stock"]


def save(model: FittedModel, folder: Path) -> Path:
    model.save(folder / "saved")
    return folder / "saved"


def test_its_values_are_tuned(workplace: Path, rated: Dataset) -> None:
    words = "reranker=price_range", "reranker.by=null,segment", "split.validation_ratio=0.25"
    found = recexp.tune(*QUICK, *words, dataset=rated)
    assert [*found.best] == ["reranker.by"] and len(found.to_frame()) == 2
    assert found.run.about["reranker"] == "price_range"


def test_data_without_the_column_are_incompatible(workplace: Path, rated: Dataset) -> None:
    with pytest.raises(
        IncompatibleError, match=r"reranker: InStock needs items\.units, .* there are: items\.price, item"
    ):
        run(rated, "reranker=in_stock", "reranker.column=units")
    with pytest.raises(RecexpError, match="reranker: unknown option stock; did you mean in_stock"):
        run(rated, "reranker=stock")
