"""Metrics called on what people have in Python: arrays, lists, Series, and what cannot be measured."""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from recexp.errors import ConfigError, DataError
from recexp.metrics.base import Metric

pytestmark = pytest.mark.filterwarnings("error")
Build = Callable[[str], Metric]
TRAIN = {"u": ["a", "b"], "v": ["a"]}


@pytest.mark.parametrize("given", [list, tuple, set, iter, np.array, pd.Series, pd.Index, dict.fromkeys])
def test_a_catalogue_of_any_kind(build: Build, given: Callable) -> None:
    """Of a, b, c, d two are recommended, twice each: p = 1/2, 1/2, 0, 0; b, c and d are the tail beyond 50 %."""
    lists, found = [["a", "b"], ["b", "a"]], {}
    for name in ("catalog_coverage", "long_tail_coverage", "gini", "entropy", "personalization"):
        found[name] = build(name)(lists, train=TRAIN, catalogue=given(["a", "b", "c", "d"]))
    assert found["catalog_coverage"] == 1 / 2 and found["gini"] == pytest.approx(2 / 3)
    assert found["entropy"] == pytest.approx(1) and found["personalization"] == 0


def test_a_large_catalogue_takes_no_quadratic_time(build: Build) -> None:
    start, catalogue = time.process_time(), list(range(40_000))
    assert build("catalog_coverage")([[1, 2]], catalogue=catalogue) == 2 / 40_000
    assert time.process_time() - start < 1


def test_train_as_a_series(build: Build) -> None:
    assert build("novelty")(["a", "b"], train=pd.Series(TRAIN)) == (0 + 1) / 2  # all users, one of two
    long = pd.Series(["a", "b", "a"], index=["u", "u", "v"])
    with pytest.raises(ConfigError, match=r"train holds 'u' twice.*groupby"):
        build("novelty")(["a"], train=long)
    assert build("novelty")(["b"], train=long.groupby(level=0).agg(list)) == 1


@pytest.mark.parametrize("train", [[("u", "a")], np.eye(2), pd.DataFrame({"u": ["a"]}), {"u": 3}, "ab"], ids=repr)
def test_train_that_maps_nothing_is_refused(build: Build, train: object) -> None:
    with pytest.raises(ConfigError, match=r"train.* list"):
        build("novelty")(["a"], train=train)


@pytest.mark.parametrize("name", ["rmse", "mae"])
def test_ratings_that_are_none(build: Build, name: str) -> None:
    measure = build(name)
    assert np.isnan(measure([], []))
    for predicted, actual, where in (
        ([1.0, np.nan], [1, 2], "predicted: row 2 is nan"),
        ([1.0, 2.0], [None, 2], "actual: row 1 is nan"),
        (pd.Series([np.inf]), pd.Series([1]), "predicted: row 1 is inf"),
        (["good"], [1], "predicted: ratings must be finite numbers"),
        ([1], pd.Series([pd.NA]), "actual: ratings must be finite numbers"),
        ([[1, 2]], [[1, 2]], "predicted: ratings must be one per row"),
    ):
        with pytest.raises(DataError, match=where):
            measure(predicted, actual)


@pytest.mark.parametrize("k", [1.5, "2", 0, -1, True])
def test_a_cut_off_is_a_number_of_items(build: Build, k: object) -> None:
    with pytest.raises(ConfigError, match="k must be"):
        build("ndcg")(["a"], ["a"], k=k)


def test_a_cut_off_may_be_larger_than_any_list(build: Build) -> None:
    for name in ("ndcg", "map", "recall_capped"):
        assert build(name)(["b", "a"], ["a", "c"], k=10**12) == build(name)(["b", "a"], ["a", "c"], k=2)


@pytest.mark.parametrize("given", [list, tuple, iter, np.array, pd.Series, pd.Index, lambda ids: (one for one in ids)])
def test_lists_of_any_kind(build: Build, given: Callable) -> None:
    ranked, relevant = given(["a", "b"]), given(["b", "c"])
    assert build("precision")(ranked, relevant) == build("recall")(given(["a", "b"]), relevant={"b", "c"}) == 1 / 2
    assert (
        build("personalization")(
            given([["a", "b"], ["a", "c"]]) if given is not np.array else np.array([[1, 2], [1, 3]])
        )
        == 1 / 2
    )


@pytest.mark.parametrize(
    ("ranked", "relevant", "told"),
    [
        ("abc", ["b"], "ranked must be a list of ids, best first .got str"),
        (["a"], "b1", "relevant must be a list of ids .got str"),  # its letters are no ids
        ({"a": 0.1, "b": 0.9}, ["b"], "ranked .* best first .got dict"),  # a run of scores, in whatever order
        ({"a", "b"}, ["b"], "ranked .* best first .got set"),
        (np.array([["a"]]), ["a"], "ranked .*got ndarray"),
        ([["a"]], [["a"]], "ranked must be a list of ids .got list as number 1"),
        (["a"], pd.DataFrame({"b": ["a"]}), "relevant .*got DataFrame"),
        (None, ["a"], "ranked .*got NoneType"),
        (["a", None], ["a"], "ranked: number 2 is None, which is not an id"),  # what pads a table's rows
        ([1.0, np.nan], [1], "ranked: number 2 is nan, which is not an id"),
    ],
)
def test_what_is_no_list_of_ids_is_refused(build: Build, ranked: object, relevant: object, told: str) -> None:
    with pytest.raises((ConfigError, DataError), match=told):
        build("ndcg")(ranked, relevant)


@pytest.mark.parametrize(
    ("lists", "told"),
    [
        ({"u": ["a"], "v": ["b"]}, "lists must be a list of lists of ids, one per user .got dict"),
        (pd.DataFrame([["a", "b"]]), "lists .*got DataFrame"),
        (["ab", "ac"], r"lists\[0\] must be a list of ids, best first .got str"),
        ([["a"], None], r"lists\[1\] .*got NoneType"),
        (3, "lists .*got int"),
    ],
    ids=["dict", "frame", "text", "none", "number"],
)
def test_what_are_no_lists_of_ids_is_refused(build: Build, lists: object, told: str) -> None:
    for name in ("gini", "catalog_coverage", "personalization"):
        with pytest.raises(ConfigError, match=told):
            build(name)(lists)


def test_names_of_categories_may_be_numbers_and_are_no_letters(build: Build) -> None:
    same = build("intra_list_diversity")(["a", "b"], features={"a": [1], "b": ["x", 1]})
    assert same == pytest.approx(1 - 1 / np.sqrt(2))
    with pytest.raises(ConfigError, match=r"features\['a'\] must be a list of ids .got str"):
        build("intra_list_diversity")(["a", "b"], features={"a": "drama", "b": "dream"})


def test_short_and_empty_lists_give_what_the_help_says(build: Build) -> None:
    hit = {name: build(name)(["a"], ["a", "b"], k=4) for name in ("precision", "recall", "recall_capped", "f1")}
    assert hit == {"precision": 1 / 4, "recall": 1 / 2, "recall_capped": 1 / 2, "f1": pytest.approx(1 / 3)}
    for name in ("precision", "recall", "recall_capped", "f1", "ndcg", "map", "mrr", "hit_rate"):
        assert build(name)([], ["a"], k=4) == 0 and np.isnan(build(name)(["a"], [], k=4)), name
        assert "empty" in (type(build(name)).__doc__ or "")
    for name in ("gini", "entropy"):
        assert np.isnan(build(name)([[], []], k=2, catalogue=["a", "b"]))
    assert build("catalog_coverage")([[], []], k=2, catalogue=["a", "b"]) == 0
    assert np.isnan(build("catalog_coverage")([]))
    assert np.isnan(build("novelty")([], k=2, train=TRAIN)) and np.isnan(build("average_popularity")([], train=TRAIN))
