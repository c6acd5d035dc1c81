"""What a person asks of a fitted model by original ids."""

import numpy as np
import pandas as pd
import pytest

from recexp.algorithms.baselines.popularity import Popularity
from recexp.algorithms.linear.ease import EASE
from recexp.data import Dataset, Interactions
from recexp.errors import DataError
from recexp.models.fitted import FittedModel
from recexp.ranking import Ranking


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
    assert caplog.messages[0].startswith("2 of 3 users, the first is 'xxx")
    caplog.clear()
    model.predict("1_96", [10])
    assert caplog.messages[0].startswith("user '1_96' is unknown")


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
    with pytest.raises(DataError, match="1 histories are given for 2 users"):
        model.recommend_many([1, 7], 2, [[10]])
