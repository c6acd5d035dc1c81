"""A class of a person's own that breaks its base's contract is refused when it is built, before any data is read."""

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from recexp.algorithms.base import Recommender
from recexp.config import compose
from recexp.config.building import build
from recexp.config.experiments import experiment
from recexp.datasets.base import Source
from recexp.errors import ConfigError
from recexp.filters.base import Filter, Filters
from recexp.metrics.base import Metric
from recexp.runners.base import Runner
from recexp.splits.base import Splitter

MINE = '''
import numpy as np
from recexp.algorithms.base import Recommender
from recexp.datasets.base import Source
from recexp.filters.base import Filter
from recexp.metrics.base import ListMetric, Metric, RunMetric
from recexp.params import params
from recexp.runners.base import Runner
from recexp.splits.base import RowSplitter, Splitter

class Plain(Recommender):
    def fit(self, train, context=None): return self
    def score(self, queries): return None

@params
class Decorated(Plain):
    """Nothing is wrong with it: positions may have other names, more may be taken, and `_helper` is its own."""
    size: int
    def score(self, asked, scale=1.0): return None
    def serves(self, *args): return None
    def _helper(self): return None

class Derived(Decorated): pass

@params
class Scoreless(Recommender):
    def fit(self, train, context=None): return self

@params
class OldFit(Plain):
    def fit(self, train, *, rng, report=None, validate=None): return self

@params
class OldFlags(Plain):
    needs_history = False
    needs = frozenset({"ratings"})

@params
class OldScore(Plain):
    def score(self, users: np.ndarray, items: np.ndarray) -> np.ndarray: return None

@params
class NoScore(Plain):
    score = None

@params
class Keyworded(Plain):
    def recommend(self, queries, *, k, ranking): return None

@params
class Accuracy(ListMetric):
    def values(self, judged): return None

@params
class Kindless(Metric):
    def measure(self, answers, cutoffs): return None

@params
class Share(RunMetric):
    def values(self, judged, k): return None

@params
class Half(Splitter):
    def split(self, dataset, rng): yield None

@params
class Rows(RowSplitter):
    def assign(self, interactions): return None

@params
class Quiet(Filter):
    def apply(self, dataset): return dataset

def by_function(dataset): return dataset

@params
class Shop(Source):
    def load(self): return None

@params
class Bandit(Runner):
    components, subject, final, unit = {}, ("policy",), "episodes", "episode"
    def headline(self, experiment): return "reward", True
    def run(self, experiment): return None
'''


@pytest.fixture(autouse=True)
def mine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    module = ModuleType("mine")
    exec(MINE, vars(module))
    monkeypatch.setitem(sys.modules, "mine", module)
    monkeypatch.setenv("RECEXP_TRUST", "mine")
    yield


def refusal(target: str, base: type, where: str, **fields: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        build({"_target_": target, **fields}, base, where)
    return str(caught.value)


def test_a_class_that_keeps_the_contract_is_built() -> None:
    assert build({"_target_": "mine.Decorated", "size": 3}, Recommender, "algorithm").size == 3


@pytest.mark.parametrize(
    ("target", "base", "where", "message"),
    [
        ("Plain", Recommender, "algorithm", "Plain must be decorated with @params (from recexp.params import params)"),
        (
            "Derived",
            Recommender,
            "algorithm",
            "Derived must be decorated with @params (from recexp.params import params)",
        ),
        ("Scoreless", Recommender, "algorithm", "Scoreless must implement score(self, queries)"),
        (
            "OldFit",
            Recommender,
            "algorithm",
            "OldFit.fit(self, train, *, rng, report, validate) must take (self, train, context)",
        ),
        ("OldScore", Recommender, "algorithm", "OldScore.score(self, users, items) must take (self, queries)"),
        (
            "NoScore",
            Recommender,
            "algorithm",
            "NoScore.score must be a method, score(self, queries), and is a NoneType",
        ),
        (
            "Keyworded",
            Recommender,
            "fallback",
            "Keyworded.recommend(self, queries, *, k, ranking) must take (self, queries, k, ranking)",
        ),
        ("Accuracy", Metric, "metric", "Accuracy.values(self, judged) must take (self, judged, k)"),
        (
            "Kindless",
            Metric,
            "metric",
            "Kindless must have the class attribute unit; the docstring of Metric says what it is",
        ),
        ("Share", Metric, "metric", "Share must implement value(self, judged, k)"),
        ("Half", Splitter, "split", "Half.split(self, dataset, rng) must take (self, dataset)"),
        ("Rows", Splitter, "split", "Rows.assign(self, interactions) must take (self, interactions, *, rng)"),
        ("Quiet", Filter, "filter.steps[0]", "Quiet.apply(self, dataset) must take (self, dataset, *, rng)"),
        ("Shop", Source, "dataset", "Shop must implement check(self)"),
        ("Bandit", Runner, "runner", "Bandit.run(self, experiment) must take (self, experiment, plan, context)"),
    ],
)
def test_what_breaks_it_is_refused_in_one_line(target: str, base: type, where: str, message: str) -> None:
    assert refusal(f"mine.{target}", base, where) == f"{where}._target_: mine.{message}"


def test_what_capabilities_hold_is_not_read_from_elsewhere() -> None:
    lines = refusal("mine.OldFlags", Recommender, "algorithm").splitlines()
    start = "algorithm._target_: mine.OldFlags"
    assert lines == [
        f"{start}.needs is not read; write capabilities = Capabilities(needs=frozenset({{'ratings'}}))",
        f"{start}.needs_history is not read; write capabilities = Capabilities(needs_history=False)",
    ]


def test_components_in_components_are_looked_at_too() -> None:
    steps = [{"_target_": "mine.Quiet"}]
    expected = "filter.steps[0]._target_: mine.Quiet.apply(self, dataset) must take (self, dataset, *, rng)"
    assert refusal("recexp.filters.base.Filters", Filters, "filter", steps=steps) == expected
    steps = [{"_target_": "mine.by_function"}]
    expected = "filter.steps[0]._target_: mine.by_function is not a class"
    assert refusal("recexp.filters.base.Filters", Filters, "filter", steps=steps) == expected


def test_it_is_seen_before_data_are_read() -> None:
    words = ["algorithm=random", "algorithm._target_=mine.Scoreless", "dataset.root=/nowhere/at/all"]
    with pytest.raises(ConfigError, match=r"^algorithm\._target_: mine\.Scoreless must implement score"):
        experiment(compose(words), tags={})
