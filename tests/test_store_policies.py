"""The study of policies in the store, on a small scale: the known truth behaves as it should."""

from collections.abc import Callable
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest

STUDY = Path(__file__).parent.parent / "experiments" / "store_policies" / "store_policies.py"
SMALL = {"n_users": 2000, "n_products": 1000, "n_visits": 16_000, "pages": 2, "days": 30, "reward": "click"}


@pytest.fixture(scope="module")
def study() -> dict[str, Callable[..., Any]]:
    return run_path(str(STUDY))


def test_truth_gets_most_clicks_and_random_the_fewest(study: dict[str, Callable[..., Any]]) -> None:
    shop = study["store"](**SMALL)
    found = study["units"](shop, study["usual"]("popularity", "ease"), 2000)
    measured = {name: study["means"](values)["click_through_rate"] for name, values in found.items()}
    for name in ("popularity", "ease"):
        assert measured["random"][2] < measured[name][1] and measured[name][2] < measured["truth"][1]
    orders = study["gained"](found, "truth", "random", "orders_per_1000_lists")
    assert orders[1] > 0


def test_features_are_worth_nothing_where_they_explain_nothing(study: dict[str, Callable[..., Any]]) -> None:
    gains = []
    for explained in (0.9, 0.0):
        shop = study["store"](**SMALL, explained=explained)
        policies = study["usual"]("content_based")
        del policies["truth"]
        found = study["units"](shop, policies, 2000)
        gains.append(study["gained"](found, "content_based", "random", "click_through_rate"))
    assert gains[0][1] > 0 > gains[1][1], "the lower end of the interval"


def test_where_liking_is_chance_no_model_beats_popularity(study: dict[str, Callable[..., Any]]) -> None:
    shop = study["store"](**SMALL, noise=50.0)
    found = study["units"](shop, study["learners"]("ease", "item_knn"), 2000)
    for name in ("ease", "item_knn"):
        assert study["gained"](found, name, "popular", "click_through_rate")[1] <= 0


def test_inverse_propensity_weighting_covers_a_policy_s_value(study: dict[str, Callable[..., Any]]) -> None:
    shop = study["store"](n_users=4000, n_products=60, n_visits=20_000, slate=1, pages=1, reward="click")
    logging = study["greedy"]("popularity", temperature=1.0, epsilon=0.3)
    target = study["greedy"]("ease", temperature=0.7, epsilon=0.1)
    held, _ = study["coverage"](shop, logging, target, 1000, 100)
    assert 90 <= held <= 99
