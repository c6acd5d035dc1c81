"""Demographic models: shares and regressions worked out by hand, and who gets what everybody gets."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import recexp
from recexp.algorithms.cold_start.demographic import Demographic
from recexp.data import Column, Dataset, Interactions, Queries
from recexp.errors import ConfigError, DataError

PEOPLE = {
    "gender": Column.category(["f", "f", "m", "m", "f", None, None]),
    "age": Column.numeric([20, 20, 30, 20, 20, np.nan, 30]),
}
"""Four people of train, then new ones: one as the first two, one of whom nothing is known, one with an age alone."""
HAVE = [[1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]]
P = np.array([0.5, 0.5, 0.25])


def people(users: dict[str, Column] | None = None, have: list[list[int]] = HAVE) -> Dataset:
    users = PEOPLE if users is None else users
    n = len(next(iter(users.values()))) if users else len(have)
    x = sp.coo_array(np.array(have))
    rows = Interactions(x.row.astype(np.int32), x.col.astype(np.int32), np.ones(x.nnz, np.float32), n, x.shape[1])
    return Dataset("people", rows, np.arange(n), np.arange(x.shape[1]), users=users)


def ask(data: Dataset, *users: int) -> Queries:
    none = np.zeros(len(users), np.int64)
    return Queries(np.array(users, np.int32), data.interactions, none, none)


def scores(data: Dataset, *users: int, **fields) -> np.ndarray:
    model = Demographic(**{"method": "groups", "columns": None, "shrinkage": 2.0, **fields})
    return model.fit(data).score(ask(data, *users))


def test_groups_by_hand() -> None:
    """Two women of 20: both have item 0, one has item 1; with two people at (.5, .5, .25), of four in all."""
    found = scores(people(), 0, 4, 2, 5, 6, -1)
    np.testing.assert_allclose(found[:2], [[3 / 4, 2 / 4, 0.5 / 4]] * 2)
    np.testing.assert_allclose(found[2], [1 / 3, 1 / 3, 1.5 / 3], rtol=1e-6)
    np.testing.assert_allclose(found[3:], [P] * 3, err_msg="nothing known, a combination of nobody, nobody known")


def test_columns_are_those_named() -> None:
    """By gender alone the fourth is with the third: each has one item, 2 and 1."""
    found = scores(people(), 3, columns=["gender"])
    np.testing.assert_allclose(found, [[1 / 4, 2 / 4, 1.5 / 4]])


def test_ridge_is_the_regression_about_the_mean() -> None:
    f = np.array([[1, 0, 1, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 1, 1, 0]], float)  # f, m, 20, 30
    x = np.array(HAVE, float)
    large = np.vstack([f, np.sqrt(2) * np.eye(4)]), np.vstack([x - P, np.zeros((4, 3))])
    w = np.linalg.lstsq(*large, rcond=None)[0]  # least squares on rows that stand for the penalty
    found = scores(people(), 0, 3, 4, 5, 6, method="ridge")
    new = np.array([[1, 0, 1, 0], [0, 1, 1, 0], [1, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]])
    np.testing.assert_allclose(found, P + new @ w, atol=1e-6)


def test_ridge_of_one_column_is_its_groups() -> None:
    one = {"columns": ["gender"], "shrinkage": 3.0}
    np.testing.assert_allclose(
        scores(people(), 0, 2, 5, method="ridge", **one), scores(people(), 0, 2, 5, method="groups", **one), atol=1e-7
    )


@pytest.mark.parametrize("method", ["groups", "ridge"])
def test_new_users_do_not_count(method: str) -> None:
    """Users without rows are no part of their group, nor of all."""
    few = {name: column.take(np.arange(4)) for name, column in PEOPLE.items()}
    np.testing.assert_allclose(
        scores(people(few), 0, 1, 2, 3, method=method), scores(people(), 0, 1, 2, 3, method=method)
    )


def test_many_numbers_are_cut_into_tenths() -> None:
    """Ages 0 to 39: users of 36 to 39 are the last tenth, and all have item 1."""
    ages = {"age": Column.numeric([*range(40), 100])}
    found = scores(people(ages, [[1, 0]] * 36 + [[1, 1]] * 4), 35, 36, 40, 39, shrinkage=1.0)
    np.testing.assert_allclose(found[:, 1], [0.1 / 5, 4.1 / 5, 4.1 / 5, 4.1 / 5], rtol=1e-6)


def test_lists_of_categories_count_each_once() -> None:
    """Item 0's three owners like rock, one of them twice; with a penalty of 1, w = sum of (x - p) / (3 + 1)."""
    likes = {"likes": Column.multi_category([["rock", "rock"], ["rock"], ["rock"], []])}
    data = people(likes, [[1, 0], [1, 0], [1, 0], [0, 1]])
    np.testing.assert_allclose(scores(data, 0, 3, method="ridge", shrinkage=1.0)[:, 0], [0.75 + 0.75 / 4, 0.75])
    with pytest.raises(DataError, match=r"^demographic needs a user column of numbers or categories; people has none$"):
        scores(data, 0)


def test_users_of_whom_nothing_helps_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        scores(people(), 0)
    assert [r.getMessage() for r in caplog.records] == ["demographic: 2 of 7 users share no value with a train user"]


def test_wrong_columns_are_named() -> None:
    data = people({**PEOPLE, "about": Column.text(["x"] * 7)})
    for wrong, what in (("about", "is a text column"), ("sex", "is no user column")):
        with pytest.raises(ConfigError) as caught:
            scores(data, 0, columns=["age", wrong])
        assert str(caught.value) == f"algorithm.columns: {wrong} {what}; method groups can use: age, gender"


def test_interactions_are_binary() -> None:
    data = people()
    twice = data.interactions.take(np.append(np.arange(len(data.interactions)), 0))
    np.testing.assert_array_equal(scores(replace(data, interactions=twice), 0, 2), scores(data, 0, 2))


@pytest.mark.parametrize("validation", ["0", "0.2"])
def test_people_of_the_users_table_without_a_row_are_answered_by_what_they_are(
    validation: str, workplace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of two cities, each with films of its own, a newcomer gets those of hers; also from a saved model."""
    rng = np.random.default_rng(1)
    people = [f"u{n}" for n in range(60)]
    rows = [(user, f"{'ab'[n % 2]}{film}") for n, user in enumerate(people) for film in rng.permutation(12)[:6]]
    log = pd.DataFrame(rows, columns=["user_id", "item_id"])
    table = pd.DataFrame({"user_id": [*people, "ann", "ben"], "city": [*("xy" * 30), "x", "y"]})
    data = Dataset.from_frame(log, users=table)
    words = f"split.validation_ratio={validation}", "runner.refit=false", "evaluation.resamples=20"
    recexp.run("algorithm=demographic", "split=random", *words, dataset=data).model.save("saved")
    model = recexp.FittedModel.load("saved")
    caplog.clear()
    for user, films in (("ann", "a"), ("ben", "b")):
        assert {item[0] for item, _ in model.recommend(user, 10)} == {films}
    assert not model.recommend_many(["ann", "ben"])["fallback"].any() and not caplog.messages
    model.recommend_many(["zoe", "ann"])
    assert caplog.messages == ["1 of 2 users are unknown, such as 'zoe': the fallback's list is used"]
    behind = recexp.run("algorithm=ease", "algorithm@fallback=demographic", "split=random", *words, dataset=data).model
    assert {item[0] for item, _ in behind.recommend("ann", 10)} == {"a"}
