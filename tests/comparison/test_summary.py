"""The sentence that a manager reads."""

from typing import Any

import numpy as np
import pytest

from recexp.comparison.summary import summaries
from recexp.rng import generator


def values(level: float, name: str, scale: float = 0.01, u: int = 400) -> np.ndarray:
    noise = generator(11, name).normal(0, scale, u)
    return level + noise - noise.mean()


def run(shelf: Any, name: str, level: float, **more: Any) -> None:
    shelf.run(
        name, values(level, name), tags={"fallback": "popularity", "recexp.subject": "algorithm fallback"}, **more
    )


@pytest.mark.parametrize(
    ("levels", "says"),
    [
        ({"ease": 0.4, "popularity": 0.188}, "; popularity is significantly worse, 53% behind."),
        (
            {"ease": 0.4, "slim": 0.4 - 1e-5, "popularity": 0.188},
            "; slim is not significantly worse; popularity is 53% behind.",
        ),
        (
            {"ease": 0.4, "a": 0.4 - 1e-5, "b": 0.4 - 2e-5, "c": 0.4 - 3e-5, "popularity": 0.2, "random": 0.1},
            "; a and two others are not significantly worse; popularity is 50% behind.",
        ),
        ({"ease": 0.4, "slim": 0.3, "random": 0.1}, "; all others are significantly worse; random is 75% behind."),
        ({"popularity": 0.4, "ease": 0.398}, "; ease is significantly worse, 0.5% behind."),
        ({"ease": 0.4, "popularity": 0.4 - 1e-5}, "; popularity is not significantly worse."),
        ({"ease": 0.4}, "ease on toy: ndcg@10 0.4000; there is no other model to compare with."),
    ],
)
def test_who_is_best_who_is_as_good_and_how_far_popularity_is_behind(
    shelf: Any, levels: dict[str, float], says: str
) -> None:
    for name, level in levels.items():
        run(shelf, name, level)
    best = max(levels, key=levels.__getitem__)
    head = f"{best} is best on toy (ndcg@10 0.4000)" if len(levels) > 1 else ""
    assert summaries(shelf.compare()) == [head + says]


def test_with_a_baseline_the_sentence_is_about_it(shelf: Any) -> None:
    for name, level in {"ease": 0.4, "slim": 0.3, "base": 0.2, "popularity": 0.1}.items():
        run(shelf, name, level)
    said = "two of the three models are significantly better than base; base is 50% behind."
    assert summaries(shelf.compare(baseline="base")) == [f"ease is best on toy (ndcg@10 0.4000); {said}"]


def test_a_lower_value_may_be_the_better_one(shelf: Any) -> None:
    for name, level in {"uneven": 0.75, "even": 0.6}.items():
        shelf.run(name, metrics={"test/gini_at_10": level})
    (said,) = summaries(shelf.compare(metric="gini_at_10"))
    assert said == "even is best on toy (gini@10 0.6000); uneven is 25% behind."
