"""What stands on a run's page."""

from recexp.evidence.description import Summary, describe_run
from recexp.evidence.evidence import Table


def summary(**changed: object) -> Summary:
    values = {
        "subject": "ease",
        "setting": "toy",
        "labels": {"split": "random"},
        "seed": 3,
        "final": "test",
        "tables": [
            Table(("data", "rows", "users", "items"), [("**test**", "100", "7", "12")]),
            Table(("leakage audit", "value"), [], ["no order of time is claimed"]),
        ],
        "metrics": {
            "test/ndcg_at_5": 0.5,
            "test/ndcg_at_10": 0.25,
            "test/gini_at_10": 0.75,
            "test/rmse": 1.5,
            "test/fallback_share": 0.125,
            "cost/fit_seconds": 1.234,
        },
        "intervals": {"test/ndcg_at_10": (0.2, 0.3)},
        "command": "recexp algorithm=ease seed=3",
        "warnings": ["12 % of targets are old"],
    }
    return Summary(**{**values, **changed})


def test_the_headline_comes_first() -> None:
    first = describe_run(summary()).splitlines()[0]
    assert "**ease** on **toy**, split random, seed 3" in first
    assert first.endswith(", seed 3: **test/ndcg_at_10 = 0.2500 (0.2000 to 0.3000)**")  # ** that Markdown can pair


def test_all_parts_are_there() -> None:
    text = describe_run(summary())
    for line in (
        "> **Warning:** 12 % of targets are old",
        "| test&emsp; | at 5&emsp; | at 10&emsp; | value |",
        "| ndcg&emsp; | 0.5000&emsp; | 0.2500 ±0.0500&emsp; |  |",
        "| gini&emsp; | &emsp; | 0.7500&emsp; |  |",
        "| rmse&emsp; | &emsp; | &emsp; | 1.5000 |",
        "| data&emsp; | rows&emsp; | users&emsp; | items |",
        "| **test**&emsp; | 100&emsp; | 7&emsp; | 12 |",
        "| fit_seconds&emsp; | 1.23 |",
        "no order of time is claimed",
        "recexp algorithm=ease seed=3",
    ):
        assert line in text.splitlines(), line


def test_without_tables_and_intervals_nothing_is_empty() -> None:
    text = describe_run(summary(tables=[], intervals={}, warnings=[]))
    assert "test/ndcg_at_10 = 0.2500**" in text
    assert "\n\n\n" not in text
