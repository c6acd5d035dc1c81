"""Names of metrics are taken apart the same way everywhere."""

import pytest

from recexp.metric_names import bare, cutoff, headlines, is_final, metric_at, natural_key, parsed, pretty


@pytest.mark.parametrize(
    ("name", "found", "shown"),
    [
        ("test/ndcg_at_10", ("test", "ndcg", 10), "ndcg@10"),
        ("test_candidates/hit_rate_at_5", ("test_candidates", "hit_rate", 5), "hit_rate@5"),
        ("validation/rmse", ("validation", "rmse", None), "rmse"),
        ("recall_capped_at_100", ("", "recall_capped", 100), "recall_capped@100"),
    ],
)
def test_names_are_taken_apart(name: str, found: tuple[str, str, int | None], shown: str) -> None:
    assert parsed(name) == found and (bare(name), cutoff(name)) == found[1:] and pretty(name) == shown
    part, metric, k = found
    assert name == (f"{part}/" if part else "") + (metric if k is None else metric_at(metric, k))


def test_only_what_judges_on_the_final_part_is_of_it() -> None:
    names = ["test/ndcg_at_5", "test_candidates/mrr_at_5", "test/fallback_share", "validation/ndcg_at_5", "cost/test"]
    assert [name for name in names if is_final(name, "test")] == names[:2]
    assert is_final("episodes/reward", "episodes") and not is_final("tests/reward", "test")


def test_numbers_in_names_are_sorted_as_numbers() -> None:
    names = ["10", "after_0/x_at_5", "after_0/x_at_10", "after_0/x_at_20", "after_1/x", "after_2/x", "after_10/x", "x"]
    assert sorted(reversed(names), key=natural_key) == names


def test_headlines_share_one_cutoff() -> None:
    names = ["validation/ndcg_at_5", "test/ndcg_at_5", "test/ndcg_at_20", "test/ndcg_at_50", "test/rmse", "cost/x"]
    assert headlines(names, "test") == ["test/ndcg_at_20", "test/rmse"]
    assert headlines(["validation/ndcg_at_5"], "test") == ["validation/ndcg_at_5"]
    assert headlines(["test_candidates/hit_rate_at_10"], "test") == ["test_candidates/hit_rate_at_10"]
