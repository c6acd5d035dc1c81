"""Functions with the options of the commands: short results, tables, DataFrames, what a run holds."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recexp
from recexp.errors import ConfigError, StoreError

WORDS = ("filter=none", "evaluation.resamples=20")


@pytest.fixture
def found(workplace: Path) -> Iterator[tuple]:
    """Runs of two models on a frame whose later items are rarer, the data, and a name that HTML must not swallow."""
    rng = np.random.default_rng(0)
    weights = np.arange(30, 0, -1) / 465
    rows = [(u, f"i{i}") for u in range(60) for i in rng.choice(30, 9, replace=False, p=weights)]
    data = recexp.Dataset.from_frame(pd.DataFrame(rows, columns=["user_id", "item_id"]), name="<b>shop</b>")
    yield (
        data,
        recexp.run("algorithm=popularity", *WORDS, dataset=data),
        recexp.run("algorithm=random", *WORDS, dataset=data),
    )


def test_a_run_shows_little_and_holds_all(found: tuple) -> None:
    _, run, _ = found
    value, (low, high) = run.metrics["test/ndcg_at_10"], run.intervals["test/ndcg_at_10"]
    assert f"ndcg@10 {value:.4f} [{low:.4f}, {high:.4f}]" in repr(run) and len(repr(run)) < 200
    html = run._repr_html_()
    assert len(html) < 3000 and f'<a href="{run.link}">' in html and f"{value:.4f} ±{(high - low) / 2:.4f}" in html
    assert "&lt;b&gt;shop" in html and "<b>shop" not in html
    frame = run.to_frame().set_index(["part", "metric", "k"])
    assert tuple(frame.loc[("test", "ndcg", 10)]) == (value, low, high)
    lists, users = run.lists(), run.per_user()
    hits = lists[lists["rank"] <= 10].groupby("user_id").hit.any().reindex(users.user_id, fill_value=False)
    assert hits.mean() == pytest.approx(run.metrics["test/hit_rate_at_10"])
    assert users.ndcg_at_10.mean() == pytest.approx(value)
    plots = run.plot()
    assert "scores" in repr(plots) and plots._repr_html_().count("<svg") == len(plots.pictures) > 1
    plots.save("drawn")
    assert {path.stem for path in Path("drawn").iterdir()} == {*plots.pictures}


def test_runs_are_loaded_and_listed_as_they_were_made(found: tuple) -> None:
    _, run, other = found
    loaded = recexp.load(run.run_id[:12])
    for name, value in run.metrics.items():
        assert loaded.metrics[name] == pytest.approx(value), name
    assert loaded.run_id == run.run_id and loaded.title == run.title and loaded.link == run.link
    assert {*loaded.intervals} == {*run.intervals}
    assert all(loaded.intervals[name] == pytest.approx(bounds) for name, bounds in run.intervals.items())
    assert loaded.model.recommend(3, n=4) == run.model.recommend(3, n=4)
    every = recexp.runs()
    assert [one.run_id for one in every] == [other.run_id, run.run_id]
    table = every.to_frame().set_index("run_id")
    assert table.loc[run.run_id, "test/ndcg_at_10"] == run.metrics["test/ndcg_at_10"]
    assert (
        repr(every).startswith("FinishedRuns(2 runs, the first: ") and f'<a href="{run.link}">' in every._repr_html_()
    )
    with pytest.raises(StoreError, match="there is no run nothing in"):
        recexp.load("nothing")
    with pytest.raises(StoreError, match="there is no elsewhere in"):
        recexp.runs("elsewhere")


def test_compare_gives_what_the_command_gives(found: tuple, inside: Callable) -> None:
    _, run, other = found
    compared = recexp.compare(baseline="random", metric="recall_at_10")
    assert inside("compare", "--baseline", "random", "--metric", "recall_at_10", "--csv", "table.csv").returncode == 0
    compared.save("again.csv")
    assert Path("again.csv").read_text() == Path("table.csv").read_text()
    frame = compared.to_frame().set_index("model")
    assert frame.loc["popularity", "mean"] == pytest.approx(run.metrics["test/recall_at_10"])
    (pair,) = compared.pairs().itertuples()
    assert pair.difference == pytest.approx(run.metrics["test/recall_at_10"] - other.metrics["test/recall_at_10"])
    assert len(repr(compared)) < 400 and "popularity" in repr(compared)
    html = compared._repr_html_()
    assert len(html) < 6000 and "<td>popularity</td>" in html and "<b>shop" not in html
    assert re.search(r"<td>(&lt;)?\.\d{3}</td>", html), "p"
    assert compared.plot()._repr_html_().count("<svg") == 1
    assert len(recexp.compare(runs=[run]).to_frame()) == 1
    for mistake, message in (
        ({"test": "coin"}, "test: must be one of"),
        ({"correction": "none at all"}, "correction: "),
    ):
        with pytest.raises(ConfigError, match=message):
            recexp.compare(**mistake)
    with pytest.raises(ConfigError, match=r"must end in one of \.csv"):
        compared.save("table.doc")


def test_values_are_tuned_on_data_in_memory(found: tuple) -> None:
    data, *_ = found
    tuned = recexp.tune(
        "algorithm=item_knn", "algorithm.k=2,20", "tuning.trials=2", "split.validation_ratio=0.3", *WORDS, dataset=data
    )
    trials = tuned.to_frame()
    assert len(trials) == 2 and trials["validation/ndcg_at_10"].max() == pytest.approx(tuned.value)
    best = trials.set_index("k")["validation/ndcg_at_10"].idxmax()
    assert tuned.best == {"k": best} and recexp.load(tuned.run.run_id).metrics == pytest.approx(tuned.run.metrics)
    assert len(repr(tuned)) < 300 and "best of 2 trials" in tuned._repr_html_()


def test_a_sweep_returns_its_runs(workplace: Path, capsys: pytest.CaptureFixture) -> None:
    rows = [(u, i) for u in range(40) for i in range(12) if (u * i + u) % 3]
    pd.DataFrame(rows, columns=["user_id", "item_id"]).to_csv("clicks.csv", index=False)
    words = ("dataset=files", "dataset.interactions=clicks.csv", *WORDS)
    swept = recexp.sweep(*words, "algorithm=popularity,random", "seed=1,2")
    assert [(run.about["algorithm"], run.about["seed"]) for run in swept] == [
        *(("popularity", "1"), ("popularity", "2"), ("random", "1"), ("random", "2"))
    ]
    assert capsys.readouterr().out == ""
    assert len(recexp.compare().to_frame()) == 2
    with pytest.raises(ConfigError, match="algorithm: unknown option nothing"):
        recexp.sweep(*words, "algorithm=nothing,random")
