"""Sweeps: what they pass over, what they show, and presets that are sweeps."""

import re
from collections.abc import Callable
from pathlib import Path

from small_store import SMALL


def test_a_pair_that_does_not_go_together_is_passed_over(inside: Callable, runs: Callable) -> None:
    done = inside("-m", *SMALL, "algorithm=popularity,bias")
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("incompatible")]
    assert "algorithm=bias" in line
    needs = "Bias needs ratings, but electronics has none after filtering; filter=ratings keeps them"
    assert f"{needs}, if the data have a rating column" in line
    assert len(runs()) == 1


def test_alone_it_is_an_error(inside: Callable, runs: Callable) -> None:
    for words in (["algorithm=bias"], ["-m", "algorithm=bias,mf"]):
        done = inside(*words, *SMALL)
        assert done.returncode == 2
        assert "Bias needs ratings" in done.stderr
    assert runs() == []


def test_a_preset_can_be_a_sweep(inside: Callable, runs: Callable, workplace: Path) -> None:
    folder = workplace / "mine" / "experiment"
    folder.mkdir(parents=True)
    (folder / "both.yaml").write_text(
        "# @package _global_\n# two baselines\ndefaults: [override /dataset: electronics]\n"
        "hydra: {mode: MULTIRUN, sweeper: {params: {algorithm: 'popularity,random'}}}\n"
    )
    done = inside("--config-dir", "mine", "+experiment=both", "seed=4")
    assert done.returncode == 0, done.stderr
    assert {run.data.tags["algorithm"] for run in runs()} == {"popularity", "random"}
    assert len({run.data.tags["sweep"] for run in runs()}) == 1
    assert "algorithm=random" in done.stdout.partition("leaderboard")[0], "they stand side by side"


def test_recommendations_for_one_user_are_shown_by_name(inside: Callable) -> None:
    done = inside(*SMALL, "algorithm=popularity", "show=5")
    assert done.returncode == 0, done.stderr
    shown = done.stdout.partition("recommendations for the user set by show:\n")[2].splitlines()[:5]
    assert all(re.fullmatch(r"  [A-Z]\w+ \w+ [\w -]+ \(\d+\): \d.*", line) for line in shown), shown
    done = inside(*SMALL, "algorithm=popularity", "show=nobody")
    assert done.returncode == 2
    assert "show: there is no user nobody in electronics after filtering" in done.stderr


def test_algorithms_that_are_swept_share_a_setting_that_the_default_lacks(inside: Callable, runs: Callable) -> None:
    done = inside("-m", *SMALL, "algorithm=item_knn,user_knn", "algorithm.k=7")
    assert done.returncode == 0, done.stderr
    assert [run.data.params["algorithm.k"] for run in runs()] == ["7", "7"]
