"""Policies in the store: run, compared, tuned on other visitors, reproduced, and read again as data."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from recexp.config import compose
from recexp.config.experiments import experiment, make
from recexp.runners.episodes import Episodes, linearized, simulate
from recexp.statistics.bootstrap import Means, intervals
from recexp.testing import check_runner

SMALL = (
    "runner=simulation",
    "runner.visitors=120",
    "runner.validation_visitors=60",
    "environment.n_users=200",
    "environment.n_products=120",
    "environment.n_visits=3000",
    "environment.slate=5",
    "environment.reward=click",
    "algorithm@policy.algorithm=popularity",
)


def test_it_keeps_what_every_runner_promises() -> None:
    check_runner(*SMALL, "policy.epsilon=0.2")


def test_policies_are_compared_visitor_by_visitor(inside: Callable, workplace: Path, runs: Callable) -> None:
    assert inside("-m", *SMALL, "policy.epsilon=0.0,1.0", "seed=1,2").returncode == 0
    assert inside(*SMALL[:-1], "policy=truth").returncode == 0
    done = inside("compare", "--json", "compared.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((workplace / "compared.json").read_text())
    rows = {row["model"]: row for row in found["models"]}
    assert {name: row["runs"] for name, row in rows.items()} == {
        "greedy_over epsilon=0.0": 2,
        "greedy_over epsilon=1.0": 2,
    }
    assert "visitors" in done.stdout and "left out" not in done.stdout
    (truth,) = [run for run in runs() if run.data.tags["policy"] == "truth"]
    assert truth.data.tags["mlflow.note.content"].startswith("**"), "a simulation has no lists to show first"
    earned = truth.data.metrics["episodes/reward"]
    assert earned > max(row["mean"] for row in rows.values())
    assert f"truth is an upper bound, reward {earned:.4f}; it knows what" in done.stdout
    assert done.stdout.startswith("greedy_over epsilon=0.0 is best") and "truth" not in done.stdout.splitlines()[0]
    against = inside("compare", "--baseline", "truth").stdout
    assert "significantly better than truth" in against.splitlines()[0] and "upper bound" not in against
    assert all(pair["users"] >= 120 for pair in found["pairs"]), "a visitor is a unit, in several seeds too"
    names = {name for run in runs() for name in run.data.metrics}
    assert {f"episodes/{name}" for name in ("reward", "click_through_rate", "conversion", "regret_truth")} < names
    assert {f"episodes/{name}_per_1000_lists" for name in ("orders", "revenue", "margin")} < names
    assert truth.data.metrics["episodes/regret_truth"] == 0
    again = inside("reproduce", truth.info.run_id)
    assert again.returncode == 0 and "metrics bit-equal" in again.stdout


def test_decisions_are_data(inside: Callable, workplace: Path, runs: Callable) -> None:
    assert inside(*SMALL, "policy.epsilon=0.5").returncode == 0
    (run,) = runs()
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    table = pq.read_table(folder / "decisions.parquet").to_pandas()
    visitors = pq.read_table(folder / "per_visitor.parquet").to_pandas()
    assert {*table.columns} == {
        *("user_id", "timestamp", "visit", "step", "position", "item_id", "propensity", "clicked", "cart"),
        *("purchased", "revenue", "margin", "hour", "weekday", "device", "city"),
    }
    clicks = table.groupby("user_id").clicked.sum()
    np.testing.assert_array_equal(clicks[visitors.visitor_id], visitors.reward)
    assert table.clicked.mean() == pytest.approx(run.data.metrics["episodes/click_through_rate"])
    lists = table.groupby(["user_id", "step"])
    assert (lists.size() == 5).all() and (lists.item_id.nunique() == 5).all()
    assert table.propensity.between(0.5 / 120, 1).all()
    words = ["dataset=decisions", f"dataset.interactions={folder / 'decisions.parquet'}", "filter=all_positive"]
    data = make(*words[:2]).load()
    assert len(data.interactions) == len(table) and {"clicked", "propensity", "position", "device"} < {
        *data.interactions.context
    }
    assert data.interactions.values.sum() == table.clicked.sum()


def test_tuning_sees_other_visitors(inside: Callable, workplace: Path, runs: Callable) -> None:
    one, two = (experiment(compose([*SMALL, f"seed={seed}"]), tags={}) for seed in (1, 2))
    runner = one.runner
    kept = {*runner.pool(one)[:60].tolist()}
    assert kept == {*runner.pool(two)[:60].tolist()}, "whatever the seed"
    for each in (one, two):
        assert not kept & {*runner.drawn(each).tolist()} and len({*runner.drawn(each).tolist()}) == 120
    objective = runner.objective(one)
    assert objective({"policy": one["policy"]}) > objective({"policy": make("policy=random")})
    done = inside("tune", *SMALL, "policy.epsilon=0.0,1.0", "tuning.trials=2")
    assert done.returncode == 0, done.stderr
    (tuned,) = [run for run in runs() if "tuning" in run.data.tags]
    assert tuned.data.params["policy.epsilon"] == "0.0"


def test_blocks_do_not_matter() -> None:
    built = experiment(compose([*SMALL, "policy.temperature=0.5"]), tags={})
    shop, policy = built["environment"], built["policy"]
    policy.fit(shop, 1)
    visitors = built.runner.drawn(built)
    found = [simulate(shop, policy, visitors, seed=1, block=block) for block in (7, 1000)]
    for name, values in found[0].units().items():
        np.testing.assert_allclose(values, found[1].units()[name], rtol=1e-12)


def test_a_ratio_s_units_have_its_mean_and_its_interval() -> None:
    """Against a bootstrap of the ratio itself."""
    rng = np.random.default_rng(1)
    counts = rng.integers(1, 20, 800).astype(float)
    values = rng.binomial(counts.astype(int), 0.1 + 0.02 * counts / 20).astype(float)
    units = linearized(values, counts)
    assert units.mean() == pytest.approx(values.sum() / counts.sum())
    means = [Means(np.arange(800), one[:, None], c[:, None]) for one, c in ((values, counts), (units, np.ones(800)))]
    ratio, mean = intervals(means, 800, resamples=2000, confidence=0.95, rng=rng)
    np.testing.assert_allclose(mean, ratio, rtol=0.02)


def test_metrics_are_those_of_hand() -> None:
    """Two visitors: three lists of two in two visits, the second 31 days later; one list."""
    day = 86_400
    zeros = np.zeros((4, 2))
    bought = np.array([[False, True], [False, False], [False, False], [True, False]])
    found = Episodes(
        visitors=np.array([4, 9], np.int32),
        who=np.array([0, 1, 0, 0], np.int32),
        steps=np.array([0, 0, 1, 2], np.int32),
        visits=np.array([0, 0, 0, 1], np.int32),
        timestamps=np.array([0, 5 * day, 60, 31 * day]),
        context={},
        items=np.zeros((4, 2), np.int32),
        propensities=zeros + 1,
        clicks=np.array([[True, True], [True, False], [False, False], [True, False]]),
        carts=bought,
        purchases=bought,
        revenue=10.0 * bought,
        margin=2.0 * bought,
        reward=np.array([10.0, 0.0, 0.0, 10.0]),
    )
    units = found.units()
    np.testing.assert_array_equal(units["reward"], [20, 0])
    np.testing.assert_array_equal(units["repeat_rate_30_days"], [1, 0])
    means = {name: values.mean() for name, values in units.items()}
    assert means["click_through_rate"] == pytest.approx(4 / 8)
    assert means["conversion"] == pytest.approx(2 / 3), "two of three visits"
    assert means["orders_per_1000_lists"] == pytest.approx(500)
    assert means["revenue_per_1000_lists"] == pytest.approx(5000)
    assert means["margin_per_1000_lists"] == pytest.approx(1000)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["runner.visitors=190"],
            "recexp: runner.visitors: 190 and runner.validation_visitors=60 are 250, more than the 200",
        ),
        (["environment.slate=60"], "recexp: environment.slate: 5 pages of 60 items are more than the 120 products"),
        (["policy.epsilon=1.5"], "recexp: policy.epsilon: must be less than or equal to 1 (got 1.5)"),
        (["policy.temperature=0.0"], "recexp: policy.temperature: must be greater than 0 (got 0.0)"),
        (
            ["algorithm@policy.algorithm=svdpp"],
            "recexp: policy.algorithm: SVDpp needs ratings, but electronics store has no",
        ),
        (["dataset=electronics"], "recexp: dataset: runner=simulation has no dataset; it has environment, policy"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(
    inside: Callable, workplace: Path, runs: Callable, words: list[str], message: str
) -> None:
    done = inside(*SMALL, *words)
    assert done.returncode == 2 and not [run for run in runs() if run.info.status == "FINISHED"]
    assert [line[: len(message)] for line in done.stderr.splitlines() if line.startswith("recexp: ")] == [message]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["algorithm@policy.algorithm=lists"], "recexp: algorithm.file: is missing; "),
        (["policy=saved_model", "policy.path=nowhere"], "recexp: policy.path: nowhere: there is no saved model; "),
    ],
)
def test_a_policy_that_lacks_its_files_leaves_no_run(
    inside: Callable, workplace: Path, runs: Callable, words: list[str], message: str
) -> None:
    done = inside(*[word for word in SMALL if "policy" not in word], *words)
    assert done.returncode == 2 and message in done.stderr
    assert runs() == []


def test_the_page_s_commands_and_snippets_work(
    inside: Callable, workplace: Path, runs: Callable, page: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = page("simulation")
    written.write(workplace)
    monkeypatch.syspath_prepend(str(workplace))
    for words in written.commands:
        small = [] if {"compare", "export", "--help"} & {*words} else SMALL[1:7]
        if "dataset=electronics" in words:  # the same store
            small = [word.replace("environment", "dataset") for word in SMALL[3:6]]
        if "dataset=decisions" in words:
            newest = Path(runs()[0].info.artifact_uri.removeprefix("file://"))
            shutil.copy(newest / "decisions.parquet", workplace)
            small = ["evaluation.resamples=20", "algorithm=popularity"]
        done = inside(*(runs()[0].info.run_id if word == "RUN" else word for word in words), *small)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        assert "it is a model of other people" not in done.stderr
    found = {run.data.tags["policy"] for run in runs() if "policy" in run.data.tags}
    assert found == {"random", "greedy_over", "truth", "within_budget", "saved_model"}
    exec("\n".join(written.snippets[:-1]), {})
    alone = subprocess.run([sys.executable, "-c", written.snippets[-1]], capture_output=True, text=True)
    assert alone.returncode == 0 and "'clicks'" in alone.stdout, alone.stderr  # what a fresh process knows of the store
