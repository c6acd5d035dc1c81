"""The check for people's own runners names the promise that a runner breaks: here the bandit of the page does."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from recexp.errors import ConfigError
from recexp.runners import Evidence, Units
from recexp.testing import check_runner

RNG = np.random.default_rng(0)
REWARDS = np.array([0.5, 0.25])


@pytest.fixture
def bandit(workplace: Path, page: Callable, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    page("add_a_runner").write(workplace)
    monkeypatch.syspath_prepend(str(workplace))
    monkeypatch.delitem(sys.modules, "bandit", raising=False)
    import bandit

    return bandit


def check() -> None:
    check_runner("runner=bandit", "runner.episodes=3", "runner.visits=10", config_dir="conf")


def finds(evidence: Callable[[], Evidence]) -> dict[str, Any]:
    return {"run": lambda self, experiment, plan, context: evidence()}


def writes_beside() -> Evidence:
    Path("rewards.txt").touch()
    return Evidence.of_units("episodes", {"reward": REWARDS}, seed=1)


def test_the_runner_of_the_page_keeps_all_promises(bandit: ModuleType, page: Callable) -> None:
    exec("\n".join(page("add_a_runner").snippets), {})
    assert sorted(path.name for path in Path.cwd().iterdir() if path.name != "__pycache__") == [
        "bandit.py",
        "conf",
        "mlflow.db",
    ]


def test_so_does_ours() -> None:
    check_runner("dataset=electronics", "dataset.n_users=50", "dataset.n_visits=500", "algorithm=als")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"headline": lambda self, experiment: ("regret", False)}, "the headline episodes/regret is not among"),
        (
            finds(lambda: Evidence(metrics={"test/reward": 0.5})),
            "the headline episodes/reward is not among the metrics test/reward",
        ),
        (finds(lambda: None), r"run must return Evidence \(it returned NoneType\)"),
        (finds(lambda: Evidence(metrics={"episodes/reward": np.nan})), "the headline episodes/reward is nan"),
        (finds(lambda: Evidence(metrics={"episodes/reward": REWARDS})), "metrics must be numbers"),
        (
            finds(lambda: Evidence(metrics={"episodes/reward": 0.5}, intervals={"reward": (0, 1)})),
            "there is an interval of reward and no such metric",
        ),
        (
            finds(lambda: Evidence(metrics={"episodes/reward": 0.5}, intervals={"episodes/reward": (1, 0)})),
            r"the interval of episodes/reward is \(1, 0\)",
        ),
        (
            finds(
                lambda: Evidence(
                    metrics={"episodes/reward": 0.5}, units=Units(np.arange(2), {"reward": np.float32(REWARDS)})
                )
            ),
            r"reward of units is float32 \(2,\); float64 \(2,\) are one an id",
        ),
        (
            finds(lambda: Evidence.of_units("episodes", {"reward": RNG.random(3)}, seed=1)),
            "a second run with the same seed found another episodes/reward",
        ),
        (finds(writes_beside), "run left rewards.txt in the working directory"),
        ({"protocol": lambda self, experiment: {"seed": experiment.seed}}, "protocol holds the seed"),
        (
            {"protocol": lambda self, experiment: {"epsilon": experiment["policy"].epsilon}},
            "another policy.epsilon is another protocol",
        ),
        ({"content": lambda self, experiment: {}}, "another policy.epsilon is the same content"),
    ],
)
def test_a_runner_that_breaks_a_promise_is_told_which(
    bandit: ModuleType, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], message: str
) -> None:
    for name, value in changes.items():
        monkeypatch.setattr(bandit.Bandit, name, value)
    with pytest.raises(AssertionError, match=message):
        check()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "subject",
            "policy",
            r"subject must be a tuple of names of components, such as \('policy',\)",
        ),
        ("subject", (), r"subject must be a tuple of names of components, such as \('policy',\) \(got \(\)\)"),
        ("subject", ("model",), "subject: model is not a component; it has environment, policy"),
        ("labels", ["policy"], "labels must be a tuple"),
        ("final", "cost", r"final must be a single word, such as episodes or episode \(got 'cost'\)"),
        ("unit", "../episode", "unit must be a single word"),
        ("components", {"seed": object, "policy": object}, "components: seed is a name used by recexp"),
    ],
)
def test_names_that_are_none_are_refused_when_a_runner_is_built(
    bandit: ModuleType, monkeypatch: pytest.MonkeyPatch, name: str, value: Any, message: str
) -> None:
    monkeypatch.setattr(bandit.Bandit, name, value)
    with pytest.raises(ConfigError, match=rf"Bandit\.{message}"):
        check()
