"""A runner of one's own, the bandit of docs/add_a_runner.md: run, swept, compared, tuned, reproduced, exported."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import recexp as library
from recexp import config
from recexp.config.experiments import experiment
from recexp.errors import ConfigError, DataError
from recexp.evidence.evidence import Evidence
from recexp.runners.objective import TRIAL_SEEDS

SMALL = ("runner.episodes=6", "runner.visits=40")


@pytest.fixture
def bandit(workplace: Path, page: Callable, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's files in an empty folder."""
    page("add_a_runner").write(workplace)
    monkeypatch.syspath_prepend(str(workplace))
    monkeypatch.delitem(sys.modules, "bandit", raising=False)
    return workplace


def test_the_commands_of_the_page_work(inside: Callable, bandit: Path, runs: Callable, page: Callable) -> None:
    sweep, compare, tune = page("add_a_runner").commands
    assert inside(*sweep, *SMALL).returncode == 0
    compared = inside(*compare, "--json", "compared.json")
    assert compared.returncode == 0, compared.stderr
    found = json.loads((bandit / "compared.json").read_text())
    rows = {row["model"]: row for row in found["models"]}
    assert [*rows] and {name: row["runs"] for name, row in rows.items()} == {
        "epsilon_greedy epsilon=0.05": 10,
        "epsilon_greedy epsilon=0.5": 10,
    }
    assert "excluded" not in compared.stdout and "resampling episodes" in compared.stdout
    (pair,) = found["pairs"]
    assert pair["users"] == 60, "an episode of a seed is a unit"
    means = {
        e: np.mean([r.data.metrics["episodes/reward"] for r in runs() if r.data.params["policy.epsilon"] == e])
        for e in ("0.05", "0.5")
    }
    for name, row in rows.items():
        assert row["mean"] == pytest.approx(means[name.rpartition("=")[2]])
    assert inside(*tune, *SMALL).returncode == 0
    tuned = [run for run in runs() if "tuning" in run.data.tags]
    assert [run.data.params["policy.epsilon"] for run in tuned] != ["0.9"]


def test_a_tuning_uses_no_seed_of_a_final_run(bandit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import bandit as page

    seeds = []
    run = page.Bandit.run
    monkeypatch.setattr(page.Bandit, "run", lambda self, x, *more: seeds.append(x.seed) or run(self, x, *more))
    config.use_config_dirs([str(bandit / "conf")])
    tuned = experiment(config.compose(["runner=bandit", "seed=3", *SMALL]), tags={})
    objective = tuned.runner.objective(tuned)
    assert objective({"policy": page.EpsilonGreedy(epsilon=0.1)}) > 0
    assert len({*seeds}) == 3 and min(seeds) >= TRIAL_SEEDS


def test_a_run_says_how_it_is_read_and_keeps_its_units(inside: Callable, bandit: Path, runs: Callable) -> None:
    assert inside("--config-dir", "conf", "runner=bandit", *SMALL).returncode == 0
    (run,) = runs()
    assert run.info.run_name == "articles epsilon_greedy seed 1"
    assert {name: run.data.tags[f"recexp.{name}"] for name in ("final", "headline", "unit", "subject", "setting")} == {
        "final": "episodes",
        "headline": "reward",
        "unit": "episode",
        "subject": "policy",
        "setting": "environment",
    }
    table = pq.read_table(Path(run.info.artifact_uri.removeprefix("file://")) / "per_episode.parquet")
    assert table.column_names == ["episode_id", "reward"] and len(table) == 6
    assert run.data.metrics["episodes/reward"] == pytest.approx(np.mean(table["reward"].to_numpy()))
    from mlflow import MlflowClient

    state = MlflowClient(f"sqlite:///{bandit / 'mlflow.db'}").get_experiment(run.info.experiment_id).tags
    view = json.loads(state["mlflow.sharedViewState.recexp"])
    assert view["orderByKey"] == "metrics.`episodes/reward`" and "tags.`policy`" in view["selectedColumns"]
    again = inside("--config-dir", "conf", "reproduce", run.info.run_id)
    assert again.returncode == 0 and "bit-equal: 1 of 1 metrics bit-equal" in again.stdout
    assert inside("export", run.info.run_id, "run.zip").returncode == 0
    skipped = inside("--config-dir", "conf", "runner=bandit", *SMALL, "resume=true")
    assert "already done" in skipped.stderr or len(runs()) == 2


@pytest.mark.parametrize("word", ["dataset=electronics", "+dataset=electronics", "algorithm=ease"])
def test_a_component_that_a_runner_lacks_is_refused(inside: Callable, bandit: Path, runs: Callable, word: str) -> None:
    done = inside("--config-dir", "conf", "runner=bandit", word)
    name = word.lstrip("+").partition("=")[0]
    assert done.returncode == 2 and runs() == []
    assert done.stderr == f"recexp: {name}: runner=bandit has no {name}; it has environment, policy\n"


@pytest.mark.parametrize("words", [("runner=bandit",), ("tune", "runner=bandit", "policy.epsilon=0.1,0.9")])
def test_a_package_line_that_is_not_the_first_is_told_of(
    inside: Callable, bandit: Path, words: tuple[str, ...]
) -> None:
    path = bandit / "conf" / "runner" / "bandit.yaml"
    path.write_text(f"# bandit.yaml\n{path.read_text()}")
    done = inside("--config-dir", "conf", *words)
    assert done.returncode == 2 and done.stderr == (
        f'recexp: {path}: "# @package _global_" is on line 2; it only has an effect on the first line\n'
    )


def test_a_runner_without_the_package_line_is_told_of_it(inside: Callable, bandit: Path) -> None:
    path = bandit / "conf" / "runner" / "bandit.yaml"
    path.write_text("\n".join(path.read_text().splitlines()[1:]))
    done = inside("--config-dir", "conf", "runner=bandit")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "must begin with the line `# @package _global_`" in done.stderr


def test_offline_cannot_be_tuned_by_a_runner_without_objective(bandit: Path) -> None:
    import bandit as page

    class Untuned(page.Bandit):
        objective = page.Runner.objective

    config.use_config_dirs([str(bandit / "conf")])
    tuned = experiment(config.compose(["runner=bandit"]), tags={})
    with pytest.raises(ConfigError, match="Untuned cannot be tuned: it has no objective"):
        Untuned(threads=None, episodes=1, visits=1).objective(tuned)
    with pytest.raises(ConfigError, match="runner=bandit has no dataset"):
        library.run("runner=bandit", "dataset=electronics", config_dir=str(bandit / "conf"))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("run", lambda *_: {"reward": 1.0}, "Bandit.run must return Evidence (got dict)"),
        (
            "run",
            lambda *_: Evidence(metrics={"reward": 1.0}),
            "the metric reward does not name its part; call it epi",
        ),
        (
            "headline",
            lambda *_: ("rewrd", True),
            "the headline episodes/rewrd is not among the metrics episodes/reward",
        ),
    ],
)
def test_what_a_run_hands_over_is_checked(
    inside: Callable, bandit: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object, message: str
) -> None:
    import bandit as page

    monkeypatch.setattr(page.Bandit, name, value)
    done = inside("--config-dir", "conf", "runner=bandit", *SMALL)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("values", "ids", "message"),
    [
        ({"a": [1.0, 2.0], "b": [1.0]}, None, "all metrics need one value per unit"),
        ({"a": []}, None, "all metrics need one value per unit"),
        ({"a": ["much"]}, None, "values must be numbers"),
        ({"a": [1.0, 2.0]}, ["e1"], "1 ids for 2 values"),
    ],
)
def test_units_that_do_not_fit_are_refused(values: dict, ids: list | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Evidence.of_units("episodes", values, seed=1, ids=ids)


def test_ids_of_units_may_be_texts(tmp_path: Path) -> None:
    evidence = Evidence.of_units("episodes", {"a": [1.0, 2.0, 3.0]}, seed=1, ids=["x", "y", "x"])
    evidence.write(tmp_path, "episode", {})
    assert pq.read_table(tmp_path / "per_episode.parquet")["episode_id"].to_pylist() == ["x", "y", "x"]
    assert evidence.metrics == {"episodes/a": 2.0}
