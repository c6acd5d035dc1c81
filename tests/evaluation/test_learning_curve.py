"""Learning curves of users: the same users and targets at each number of known interactions."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import recexp as library
from recexp import console, file_names
from recexp.data import Dataset, Split
from recexp.errors import ConfigError, DataError
from recexp.evidence.table import tables_of
from recexp.history.archive import Archive
from recexp.testing.examples import repeated_rows


@pytest.fixture
def words(shop: Path) -> tuple[str, ...]:
    given = ("split=user_holdout", "split.given=5", "split.test_ratio=0.5")
    return (
        "dataset=files",
        "dataset.interactions=ratings.csv",
        "filter=all_positive",
        *given,
        "tracking.log_model=false",
    )


def test_a_run_has_the_curve(words: tuple[str, ...]) -> None:
    curve = ("evaluation=learning_curve", "evaluation.known=[0,1,5]", "evaluation.metrics=[ndcg,recall]")
    found = {name: library.run(*words, *curve, f"algorithm={name}") for name in ("ease", "popularity")}
    ease, popularity = (found[name].metrics for name in ("ease", "popularity"))
    points = [f"after_{n}/ndcg_at_10" for n in (0, 1, 5)]
    assert [name for name in ease if name.startswith("after") and name.endswith("_10")] == points
    assert ease[points[0]] == popularity[points[0]], "of nobody known the fallback, popularity"
    assert ease[points[2]] == ease["test/ndcg_at_10"], "all that is shown"
    assert len({popularity[name] for name in points}) == 1, "the same users, targets and candidates at each point"
    assert len({ease[name] for name in points}) == 3
    low, high = found["ease"].intervals[points[1]]
    assert low < ease[points[1]] < high


def test_points_are_shown_and_compared_user_by_user(words: tuple[str, ...]) -> None:
    curve = ("evaluation=learning_curve", "evaluation.known=[0,1,5]", "evaluation.metrics=[ndcg]")
    found = {name: library.run(*words, *curve, f"algorithm={name}") for name in ("ease", "popularity")}
    heads, rows = console.metric_table(found["ease"].metrics, {}, "test")
    shown = {row[0]: row[heads.index("at 10")] for row in rows}
    assert [*shown] == ["test/ndcg", "after_0/ndcg", "after_1/ndcg", "after_5/ndcg"]
    assert shown["after_1/ndcg"] == f"{found['ease'].metrics['after_1/ndcg_at_10']:.4f}"
    compared = library.compare(metric="after_1/ndcg_at_10").comparison
    (board,) = compared.boards
    assert {row.row.label: row.mean for row in board.rows} == {
        name: run.metrics["after_1/ndcg_at_10"] for name, run in found.items()
    }
    (pair,) = board.pairs
    ease, popularity = (found[name].per_user()["after_1/ndcg_at_10"] for name in ("ease", "popularity"))
    assert abs(pair.difference) == pytest.approx(abs((ease - popularity).mean()))
    with pytest.raises(ConfigError, match=r"allowed: ndcg_at_10, .*after_0/ndcg_at_5"):
        library.compare(metric="after_3/ndcg_at_10")


def test_a_curve_over_listed_candidates_is_called_so(shop: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = ("dataset=files", "dataset.interactions=ratings.csv", "filter=all_positive", "tracking.log_model=false")
    curve = ("evaluation=learning_curve", "evaluation.known=[0,1]", "evaluation.metrics=[ndcg]")
    with caplog.at_level(logging.INFO, "recexp.runners.stages"):
        found = library.run(*data, "split=predefined", "split.test=test.csv", *curve, "algorithm=ease").metrics
    points = [f"after_{n}_candidates/ndcg_at_10" for n in (0, 1)]
    assert [name for name in found if name.startswith("after") and name.endswith("_10")] == points
    assert "come from the fallback" not in caplog.text, "of users of whom nothing is known this is no news"


def test_the_table_has_the_share_of_fallback_lists(words: tuple[str, ...]) -> None:
    known = ("evaluation=learning_curve", "evaluation.known=[0,5]", "evaluation.metrics=[ndcg]")
    run = library.run(*words, *known, "algorithm=ease")
    archive = Archive(None)
    tables = tables_of(archive.yaml(archive.run(run.run_id), file_names.SUMMARY))
    (curve,) = (table for table in tables if table.head[0] == "known interactions")
    assert [(row[0], row[-1]) for row in curve.rows] == [("0", "100.0%"), ("5", "0.0%")]


def test_the_oldest_rows_are_shown() -> None:
    (split,) = library.make("split=user_holdout", "split.given=4").split(repeated_rows())
    evaluation = library.make("evaluation=learning_curve", "evaluation.known=[0,3,4]")
    applied = evaluation.applied(split)
    times = applied.queries.log.timestamps
    for known, shown in evaluation.points(applied.queries):
        assert (shown.lengths == known).all()
        assert (shown.start == applied.queries.start).all()
    for q in range(len(applied.queries)):
        start, stop = applied.queries.start[q], applied.queries.stop[q]
        assert (np.diff(times[start:stop]) >= 0).all()


def test_users_with_fewer_rows_are_left_out_at_every_point() -> None:
    split = in_part(repeated_rows(m=200))
    lengths = split.queries.lengths
    middle = int(np.median(lengths))
    applied = library.make("evaluation=learning_curve", f"evaluation.known=[0,{middle}]").applied(split)
    assert applied.queries.users.tolist() == split.queries.users[lengths >= middle].tolist()
    assert 0 < len(applied.queries) < len(split.queries)
    assert (applied.target != split.target[lengths >= middle]).nnz == 0
    assert np.unique(applied.test.users).tolist() == applied.queries.users.tolist(), "ratings are of the same users"


def test_histories_without_some_of_the_known_rows_are_refused() -> None:
    """They would be shorter than the points say."""
    with pytest.raises(ConfigError, match=r"^evaluation\.history"):
        library.make("evaluation=learning_curve", "evaluation.history=train")


def test_a_point_that_nobody_reaches_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"^evaluation\.known: no test user is shown 900 interactions, at most \d+; choose"
    ):
        library.make("evaluation=learning_curve", "evaluation.known=[0,900]").applied(in_part(repeated_rows()))


def in_part(data: Dataset) -> Split:
    (split,) = library.make("split=user_holdout", "split.fold_in_ratio=0.5", "split.test_ratio=0.8").split(data)
    return replace(split, validation=None)
