"""What a person asks of a fitted model by original ids."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recexp
from recexp.algorithms.baselines.popularity import Popularity
from recexp.algorithms.linear.ease import EASE
from recexp.data import Column, Dataset, Interactions, Queries
from recexp.errors import DataError
from recexp.models.contexts import context_columns, seen
from recexp.models.fitted import FittedModel
from recexp.models.item_table import ItemTable, title_column
from recexp.params import params
from recexp.ranking import Lists, Ranking
from recexp.rerankers import Allowed, Reranker


@pytest.fixture(scope="module")
def model() -> FittedModel:
    """Three users, two items of five each; item 10 is popular."""
    codes = np.array([(0, 0), (0, 1), (1, 0), (1, 2), (2, 0), (2, 3)], np.int32).T.copy()
    log = Interactions(codes[0], codes[1], np.ones(6, np.float32), n_users=3, n_items=5)
    train = Dataset("three", log, np.array([1, 7, 196]), np.arange(10, 15))
    popular = Popularity(half_life_days=None).fit(train)
    ranking = Ranking(np.arange(5, dtype=np.int32), np.ones(5, bool))
    return FittedModel.of(EASE(l2=1.0).fit(train), popular, ranking, train, exclude_seen=True, block_mib=1)


def test_many_are_answered_as_each_is(model: FittedModel) -> None:
    users, histories = [1, "x", None, 196.0], [None, None, [10, 11], None]
    table = model.recommend_many(users, 2, histories)
    assert list(table.columns) == ["user_id", "rank", "item_id", "score", "fallback"]
    assert table["user_id"].tolist() == [1, 1, "x", "x", None, None, 196.0, 196.0]
    assert table["rank"].tolist() == [1, 2] * 4
    assert table["fallback"].tolist() == [False, False, True, True, False, False, False, False]
    alone = [model.recommend(user, 2, history) for user, history in zip(users, histories)]
    assert list(zip(table["item_id"], table["score"])) == [pair for pairs in alone for pair in pairs]


def test_columns_of_a_frame_are_answered(model: FittedModel) -> None:
    users = pd.Series([7, 1], index=[5, 9])
    assert model.recommend_many(users, 1)["user_id"].tolist() == [7, 1]
    assert model.recommend_many(users.to_numpy(), 1)["user_id"].dtype == np.int64
    assert model.recommend_many([], 1).empty
    assert len(model.recommend_many([1], 99)) == 3, "what a user has seen is not recommended"


def test_who_is_unknown_is_told_in_one_line(model: FittedModel, caplog: pytest.LogCaptureFixture) -> None:
    unknown = "x" * 50_000
    assert model.recommend(unknown, 2) == model.recommend(None, 2)
    (message,) = caplog.messages
    assert message.startswith("user 'xxx") and len(message) < 150
    caplog.clear()
    model.recommend_many([unknown, 1, "1_96"])
    assert caplog.messages[0].startswith("2 of 3 users are unknown, such as 'xxx")
    caplog.clear()
    model.predict("1_96", [10])
    assert caplog.messages[0].startswith("user '1_96' is unknown")
    caplog.clear()
    model.recommend("0196", 2, ["010"])
    model.recommend_many(["0196", "x", 7], 1)
    assert caplog.messages == [
        "1 of 1 items in histories are unknown, the first is '010' (did you mean 10?)",
        "user '0196' (did you mean 196?) is unknown: the fallback's list is used",
        "2 of 3 users are unknown, such as '0196' (did you mean 196?): the fallback's list is used",
    ]


def test_a_history_that_a_model_cannot_use_is_told(model: FittedModel, caplog: pytest.LogCaptureFixture) -> None:
    """BPR knows users by their own vectors alone, as GMF does."""
    train = Dataset("three", model.histories, model.user_ids, model.item_ids)
    bpr = replace(model, model=recexp.make("algorithm=bpr", "algorithm.factors=2", "algorithm.iterations=1").fit(train))
    assert bpr.recommend(None, 2, [10]) == replace(model, model=model.fallback).recommend(None, 2, [10])
    bpr.predict(None, [12], [10])
    alone = "the model cannot answer a history without an id: the fallback's list is used"
    assert caplog.messages == [alone, alone]
    caplog.clear()
    bpr.recommend_many([1, None, None, 196], 2, [None, [11], None, None])
    assert caplog.messages == [
        "the model cannot answer 1 of 4 users, such as a history without an id: the fallback's list is used"
    ]


def test_ids_of_numpy_are_told_as_they_are(model: FittedModel, caplog: pytest.LogCaptureFixture) -> None:
    model.recommend(np.int64(0), 2)
    model.recommend_many(np.array(["x", "y"]), 2)
    assert [message.partition(":")[0] for message in caplog.messages] == [
        "user 0 is unknown",
        "2 of 2 users are unknown, such as 'x'",
    ]


def test_values_of_items_are_by_the_ids_given(model: FittedModel) -> None:
    values = model.predict(1, [12, "13", 14.0, "1_2", True])
    assert [np.isnan(value) for value in values.values()] == [False, False, False, True, True]
    assert values[12] == model.predict("1", ["12"])["12"]


@pytest.mark.parametrize("n", [0, -1, 2.5, "2", None, True])
def test_a_wrong_number_of_items_is_refused(model: FittedModel, n: object) -> None:
    with pytest.raises(DataError, match=r"the number of items to recommend must be .*\(got"):
        model.recommend(1, n)


@pytest.mark.parametrize("given", ["17", b"17", 7, {1: [10]}, pd.DataFrame({1: [7]}), None], ids=str)
def test_ids_of_many_are_a_list(model: FittedModel, given: object) -> None:
    """The letters of a text, the keys of a mapping and the columns of a table would be other users."""
    with pytest.raises(DataError, match="user_ids must be a list of ids") as caught:
        model.recommend_many(given, 1)
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="item_ids must be a list of ids"):
        model.predict(1, given)
    assert model.predict(1, (item for item in [12, 13])) == model.predict(1, [12, 13])


@pytest.mark.parametrize("history", ["10", b"10", 10, {10: 1}])
def test_a_history_is_a_list(model: FittedModel, history: object) -> None:
    with pytest.raises(DataError, match="a history must be a list of ids"):
        model.recommend(1, 2, history)
    with pytest.raises(DataError, match="1 histories given for 2 users"):
        model.recommend_many([1, 7], 2, [[10]])


ITEMS = {
    "brand_name": Column.text(["Big A", "Big A", "Small B", "Small B", "Small B"]),
    "title": Column.text(["Red phone", "Blue phone", "Red case", "Blue case", "x" * 300]),
    "kind": Column.category(["phones", "phones", "cases", "cases", None]),
    "colors": Column.multi_category([["red"], ["blue"], ["red", "gold"], ["blue"], []]),
    "price": Column.numeric([100, 200, 5, 6, 7], "price"),
}


@pytest.fixture(scope="module")
def shop(model: FittedModel) -> FittedModel:
    """The same users and items, with a table of items."""
    return replace(model, item_table=ItemTable.of(ITEMS))


def test_titles_stand_beside_items_and_come_back_from_a_folder(shop: FittedModel, tmp_path: Path) -> None:
    shop.save(tmp_path / "shop")
    for one in (shop, FittedModel.load(tmp_path / "shop")):
        table = one.recommend_many([1, "x"], 5)
        assert list(table.columns) == ["user_id", "rank", "item_id", "title", "score", "fallback"]
        titles = dict(zip(range(10, 15), ITEMS["title"].values))
        assert table["title"].tolist() == [titles[item][:200] for item in table["item_id"]]


def test_lists_hold_some_categories_alone_and_are_as_long_as_can_be(shop: FittedModel, tmp_path: Path) -> None:
    """What is not listed takes no place: a user who has seen one of two cases is recommended the other."""
    shop.save(tmp_path / "shop")
    for one in (shop, FittedModel.load(tmp_path / "shop")):
        cases = one.only({"kind": "cases"}).recommend_many([1, 7, 196], 2).groupby("user_id")["item_id"].agg(set)
        assert cases.to_dict() == {1: {12, 13}, 7: {13}, 196: {12}}
        assert {item for item, _ in one.only({"colors": ["blue", "gold"]}).recommend(None, 5)} == {11, 12, 13}
        assert [item for item, _ in one.only({"kind": "cases", "colors": "red"}).recommend(1, 5)] == [12]
    whole = [item for item, _ in shop.recommend(1, 5)]
    assert [item for item, _ in shop.without([12, "14"]).recommend(1, 5)] == [item for item in whole if item == 13]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"color": "red"}, "no item category column 'color'; did you mean colors.? the columns are kind, colors"),
        ({"price": "5"}, "no item category column 'price'; the columns are kind, colors"),
        ({"kind": "phone"}, "no item has kind=phone; did you mean phones.? kind has cases, phones"),
        ({"kind": "phones", "colors": "gold"}, "no item has kind=phones and colors=gold"),
    ],
    ids=str,
)
def test_what_no_item_is_names_what_there_is(shop: FittedModel, wanted: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        shop.only(wanted)


def test_nothing_to_choose_from_is_said(
    model: FittedModel, shop: FittedModel, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(DataError, match="trained without an items table that has category columns"):
        model.only({"kind": "phones"})
    with pytest.raises(DataError, match="none of the 2 recommendable items"):
        shop.only({"kind": "phones"}).without([10, 11])
    shop.without([10, "nothing", "none"])
    assert caplog.messages == ["2 of 3 items to exclude are unknown, the first is 'nothing'"]


@pytest.mark.parametrize(
    ("columns", "title"),
    [
        ({"about": Column.text(["a b"]), "product_name": Column.text(["c d"])}, "product_name"),
        ({"kind": Column.category(["a"]), "description": Column.text(["c d"])}, "description"),
        ({"brand_name": Column.category(["a"]), "Name": Column.category(["b"])}, "Name"),
        ({"brand_name": Column.category(["a"]), "year": Column.numeric([1])}, None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_which_column_holds_titles(columns: dict, title: str | None) -> None:
    assert title_column(columns) == title


def test_titles_of_few_words_are_kept_too() -> None:
    table = ItemTable.of({"name": Column.category(["Hammer", None, "Axe"])})
    assert table.titles.tolist() == ["Hammer", "", "Axe"] and table.categories == {}


def test_similar_items_of_ease_are_those_of_its_weights(model: FittedModel) -> None:
    """Item 10 was taken with 11, 12 and 13, and never with 14: its row of the weights, by the closed form."""
    x = np.array([[1, 1, 0, 0, 0], [1, 0, 1, 0, 0], [1, 0, 0, 1, 0]], float)
    inverse = np.linalg.inv(x.T @ x + np.eye(5))
    weights = -inverse / np.diag(inverse)
    found = dict(model.similar(11, 5))
    assert found == pytest.approx({10: weights[1, 0]}, rel=1e-5), "others have no more weight than any"
    assert [item for item, _ in model.similar("10", 2)] == [item for item, _ in model.similar(10)][:2]
    assert {item for item, _ in model.similar(10)} == {11, 12, 13}
    assert model.similar(14) == []


def test_similar_items_of_factors_have_the_nearest_directions(model: FittedModel) -> None:
    als = recexp.make("algorithm=als", "algorithm.factors=2")
    als.items_ = np.array([[1, 0], [2, 0.1], [0, 3], [1, 1], [-1, 0]], np.float32)
    found = replace(model, model=als).similar(10, 3)
    assert [item for item, _ in found] == [11, 13, 12]
    assert [similarity for _, similarity in found] == pytest.approx([2 / np.hypot(2, 0.1), np.sqrt(0.5), 0], abs=1e-6)
    assert replace(model, model=als).similar(14) == [], "nobody had it: its vector is what it began with"
    within = replace(model, model=als, item_table=ItemTable.of(ITEMS)).only({"kind": "cases"})
    assert [item for item, _ in within.similar(10, 3)] == [13, 12]


@params
class WorstFirst(Reranker):
    """The best items but 12, the worst of them first."""

    def allowed(self, queries: Queries) -> Allowed:
        return Allowed(np.arange(5)[None] != 2, np.zeros(len(queries), int))

    def rerank(self, queries: Queries, candidates: Lists, k: int) -> Lists:
        lists = Lists.empty(len(queries), k)
        for row, items in enumerate(candidates.items):
            known = items[items >= 0][::-1]
            lists.items[row, : len(known)], lists.scores[row, : len(known)] = known, 0
        return lists


def test_similar_items_are_those_that_the_reranker_lists(model: FittedModel) -> None:
    als = recexp.make("algorithm=als", "algorithm.factors=2")
    als.items_ = np.array([[1, 0], [2, 0.1], [0, 3], [1, 1], [-1, 0]], np.float32)
    found = replace(model, model=als, reranker=WorstFirst()).similar(10, 2)
    assert [item for item, _ in found] == [13, 11], "11, 13 and 12 are the most similar"


def test_the_highest_scores_are_of_what_is_listed(model: FittedModel) -> None:
    log = model.histories
    asked = Queries(np.array([0, -1], np.int32), log, np.array([0, 0]), np.array([2, 0]))
    plain, turned = model.scores(asked, 3), replace(model, reranker=WorstFirst()).scores(asked, 3)
    for one, scores in ((model, plain), (replace(model, reranker=WorstFirst()), turned)):
        lists = one.ranking.top_k(scores, asked, 3)
        np.testing.assert_array_equal(lists.items, one.lists(asked, 3).items)
    assert np.isneginf(turned[:, 2]).all()
    others = np.array([0, 1, 3, 4])
    np.testing.assert_allclose(np.sort(turned[:, others]), np.sort(plain[:, others]), rtol=1e-5)


def test_similar_items_do_not_hang_on_biases(model: FittedModel) -> None:
    mf = recexp.make("algorithm=mf", "algorithm.factors=2")
    mf.items_ = np.array([[1, 0], [2, 0], [0, 3], [1, 1], [0, 1]], np.float32)
    mf.item_biases_ = np.array([9, -9, 9, 0, 0], np.float32)
    assert [item for item, _ in replace(model, model=mf).similar(10, 2)] == [11, 13]


def test_who_does_not_learn_what_is_similar_says_so(model: FittedModel) -> None:
    for name in ("popularity", "random"):
        other = recexp.make(f"algorithm={name}").fit(Dataset("three", model.histories, model.user_ids, model.item_ids))
        with pytest.raises(DataError, match="does not learn similar items; ease"):
            replace(model, model=other).similar(10)
    with pytest.raises(DataError, match="item 'x' is unknown; the model knows 5, such as 10, 11, 12"):
        model.similar("x")
    with pytest.raises(DataError, match=r"item '010' is unknown .did you mean 10..; the model knows 5"):
        model.similar("010")


@pytest.fixture(scope="module")
def by_day() -> FittedModel:
    """Of days off, item 1 is what all take, of other days item 2; the price is no category."""
    rows = [(user, 1 + item % 2, day) for user in range(20) for item, day in ((0, "off"), (1, "on"))]
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "day"]).assign(price=1.0)
    data = Dataset.from_frame(frame, context={"day": "category", "price": "numeric"}, explicit=False)
    words = ("algorithm.columns=[day]", "algorithm.min_rows=5", "algorithm@algorithm.base=popularity")
    model = recexp.make("algorithm=context_prefilter", *words).fit(data)
    ranking = Ranking(np.arange(2, dtype=np.int32), np.ones(2, bool))
    fallback = Popularity(half_life_days=None).fit(data)
    return FittedModel.of(model, fallback, ranking, data, exclude_seen=False, block_mib=1)


def test_a_user_asks_in_a_context(by_day: FittedModel, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    best = {day: by_day.recommend(3, 1, context={"day": day})[0][0] for day in ("off", "on")}
    assert best == {"off": 1, "on": 2} and not caplog.messages
    table = by_day.recommend_many(
        [3, 3, 4], 1, histories=[None, [2], None], contexts=[{"day": "on"}, {"day": "off"}, None]
    )
    assert table["item_id"].tolist()[:2] == [2, 1]
    by_day.recommend_many([3, 4], 1)
    assert caplog.messages.count("context: day counts as missing, as none is given") == 1


def test_a_saved_model_is_asked_in_a_context(by_day: FittedModel, tmp_path: Path) -> None:
    by_day.save(tmp_path / "model")
    loaded = FittedModel.load(tmp_path / "model")
    assert {name: (column.kind, column.categories) for name, column in loaded.context.items()} == {
        "day": ("category", ("off", "on")),
        "price": ("numeric", ()),
    }
    for day in ("off", "on"):
        assert loaded.recommend(3, 1, context={"day": day}) == by_day.recommend(3, 1, context={"day": day})


def test_contexts_that_no_model_reads_are_refused(by_day: FittedModel, model: FittedModel) -> None:
    with pytest.raises(DataError, match=r"^context\.price: unknown; allowed: day$"):
        by_day.recommend(3, 1, context={"price": 1.0})
    with pytest.raises(DataError, match=r"^1 contexts given for 2 users$"):
        by_day.recommend_many([3, 4], 1, contexts=[{"day": "on"}])


def test_a_model_without_context_says_so_and_answers(model: FittedModel, caplog: pytest.LogCaptureFixture) -> None:
    told = model.recommend_many([1, 7], 1, contexts=[{"day": "on"}, {"day": "off"}])
    assert caplog.messages == ["context: the model reads none, and day changes nothing"]
    pd.testing.assert_frame_equal(told, model.recommend_many([1, 7], 1))


def test_a_table_of_contexts_has_a_row_a_user(by_day: FittedModel) -> None:
    days = pd.DataFrame({"day": ["on", "off", None]}, index=[5, 6, 7])
    assert by_day.recommend_many([3, 4, 5], 1, contexts=days)["item_id"].tolist()[:2] == [2, 1]
    with pytest.raises(DataError, match=r"^3 contexts given for 2 users$"):
        by_day.recommend_many([3, 4], 1, contexts=days)


def test_a_value_that_train_did_not_have_counts_as_missing(
    by_day: FittedModel, caplog: pytest.LogCaptureFixture
) -> None:
    strange = by_day.recommend_many([3, 4], 2, contexts=[{"day": "feast"}, {"day": "feast"}])
    assert caplog.messages == ["context: 'day=feast' is not in train and counts as missing"]
    pd.testing.assert_frame_equal(strange, by_day.recommend_many([3, 4], 2))


def test_categories_without_a_train_row_are_not_seen() -> None:
    tags = Column.multi_category([["a"], ["b", "c"], []])
    assert seen(Column.category(["x", "y", None, "x"]).take(np.array([0, 2, 3]))).categories == ("x",)
    assert seen(tags.take(np.array([1, 2]))).categories == ("b", "c") and len(seen(tags)) == 0


def test_values_of_a_context_are_read_as_its_column_is() -> None:
    given = [{"hour": 13.0, "spent": 2, "tags": ["a", "b"]}, {"hour": "13"}, None, {"tags": "b", "spent": None}]
    known = {
        "hour": seen(Column.category(["12", "13"])),
        "spent": seen(Column.numeric([1.0], "price")),
        "tags": seen(Column.multi_category([["a", "b"]])),
    }
    found = context_columns(given, 4, known)
    assert found["hour"].categories == ("13",) and found["hour"].values.tolist() == [0, 0, -1, -1]
    assert found["spent"].values[0] == 2 and np.isnan(found["spent"].values[1:]).all()
    assert found["tags"].indicators().toarray().tolist() == [[1, 1], [0, 0], [0, 0], [0, 1]]
    with pytest.raises(DataError, match=r"^context: spent must be a number \(got 'much'\)$"):
        context_columns([{"spent": "much"}], 1, known)
    with pytest.raises(DataError, match=r"^context: hour must be one category \(got \['12', '13'\]\)$"):
        context_columns([{"hour": ["12", "13"]}], 1, known)
    assert context_columns([{"hour": float("nan")}], 1, known)["hour"].values.tolist() == [-1]
