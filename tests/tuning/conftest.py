"""Data in which every row can be told by its time and its rating, and models that look for the rows of the test."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import recexp as library
from recexp.config import compose
from recexp.config.experiments import experiment

MODELS = '''
import gc
import json
import os
import sys
import types
from pathlib import Path

import numpy as np

from recexp.algorithms import Capabilities, Recommender
from recexp.datasets.base import Source
from recexp.params import params
from recexp.runners import sealed
from recexp.runners.base import Runner
from recexp.runners.base import Experiment
from recexp.runners import offline
from recexp.splits.base import Splitter

if os.environ.get("LEAKY"):
    call = sealed.SealedObjective.__call__

    def leaky(self, subject, log_step):
        given = lambda step, values, experiment=EXPERIMENTS[-1]: log_step(step, values)
        return call(self, subject, given)

    made = sealed.seal

    def seal(experiment, stages, **options):
        EXPERIMENTS.append(experiment)
        return made(experiment, stages, **options)

    EXPERIMENTS = []
    sealed.SealedObjective.__call__ = leaky
    offline.seal = seal

if os.environ.get("UNSEALED"):
    sealed.unsealed = lambda split: split


def holds(array, secret):
    """Whether an array, or what it is a view of, holds a time or a rating of the test."""
    while isinstance(array, np.ndarray):
        if array.dtype.kind in "if" and np.isin(array.ravel(), secret[array.dtype.kind]).any():
            return True
        array = array.base
    return False


def reached(roots):
    """Yield what can be reached from `roots`, by attributes, containers and closures, not by modules and classes."""
    queue, seen = list(roots), set()
    while queue:
        thing = queue.pop()
        if id(thing) in seen or isinstance(thing, types.ModuleType | type):
            continue
        seen.add(id(thing))
        yield thing
        if isinstance(thing, types.FunctionType):
            queue += [*(thing.__closure__ or ()), thing.__defaults__, thing.__kwdefaults__, thing.__dict__]
        else:
            queue += gc.get_referents(thing)


def everything(secret):
    """Yield what there is in this process: what the collector knows, what that refers to, and what frames hold."""
    gc.collect()
    own = {id(value) for value in secret.values()} | {id(secret)}
    frame = sys._getframe(1)
    while frame is not None:
        yield from (value for value in frame.f_locals.values() if id(value) not in own)
        frame = frame.f_back
    for thing in gc.get_objects():
        yield from (value for value in gc.get_referents(thing) if id(value) not in own)


@params
class Spy(Recommender):
    """Looks for rows of the test in all it gets, and on demand in all that its process holds."""

    capabilities = Capabilities(needs_history=False)
    turn: int

    def fit(self, train, context=None):
        rows = json.loads(Path("secret.json").read_text())
        secret = {"i": np.array(rows["times"]), "f": np.array(rows["ratings"], np.float32)}
        given = [thing for thing in reached([train, context]) if isinstance(thing, np.ndarray)]
        found = {
            "arrays": len(given),
            "given": sum(holds(array, secret) for array in given),
            "process": sum(holds(thing, secret) for thing in everything(secret)
                           if issubclass(type(thing), np.ndarray)) if os.environ.get("WHOLE_PROCESS") else None,
            "makers": sum(issubclass(type(thing), Source | Splitter | Experiment | Runner)
                          for thing in reached([train, context])),
            "validated": context.validate is not None,
        }
        with open("found.jsonl", "a") as file:
            file.write(json.dumps(found) + "\\n")
        self.scores_ = context.rng.random(train.n_items).astype(np.float32)
        if context.validate is not None:
            context.validate(self)
        return self

    def score(self, queries):
        return np.tile(self.scores_, (len(queries), 1))


@params
class Guess(Recommender):
    """Scores that depend on nothing but a number."""

    capabilities = Capabilities(needs_history=False)
    salt: int

    def fit(self, train, context=None):
        self.size_ = [train.n_users, train.n_items]
        return self

    def score(self, queries):
        scores = np.random.default_rng(self.salt).random(self.size_, np.float32)
        return scores[queries.users]


@params
class Steps(Recommender):
    """Reports a validation value in each of ten steps; the larger `quality`, the better from the first one on."""

    capabilities = Capabilities(needs_history=False)
    quality: float

    def fit(self, train, context=None):
        counts = np.bincount(train.interactions.items, minlength=train.n_items)
        noise = context.rng.random(train.n_items) * counts.max()
        self.scores_ = (self.quality * counts + (1 - self.quality) * noise).astype(np.float32)
        for step in range(10 if context.validate else 0):
            context.log_step(step, {"validation": context.validate(self)})
        return self

    def score(self, queries):
        return np.tile(self.scores_, (len(queries), 1))
'''
FIELDS = {"spy": "turn: 0", "guess": "salt: 0", "steps": "quality: 0.5"}
SPACES = {
    "spy": "turn: {_target_: recexp.tuning.Integer, low: 0, high: 1000, log: false}",
    "guess": "salt: {_target_: recexp.tuning.Integer, low: 0, high: 1000000, log: false}",
    "steps": "quality: {_target_: recexp.tuning.Real, low: 0.0, high: 1.0, log: false}",
}


def table(users: int = 40, items: int = 30, each: int = 14, seed: int = 0) -> str:
    """Ratings at random, no two rows with the same time or rating."""
    rng = np.random.default_rng(seed)
    pairs = [(u, i) for u in range(users) for i in rng.choice(items, each, replace=False)]
    order = rng.permutation(len(pairs))
    rows = [f"{u},{i},{0.5 + at / 4096},{1_000_000_007 + 13 * at}" for (u, i), at in zip(pairs, order)]
    return "\n".join(["user_id,item_id,rating,timestamp", *rows]) + "\n"


@pytest.fixture
def shop(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Make data, models and search spaces in the working directory; returns the words that use them."""

    def words(*more: str, **size: int) -> list[str]:
        (workplace / "ratings.csv").write_text(table(**size))
        (workplace / "mine.py").write_text(MODELS)
        for group, options in (("algorithm", FIELDS), ("search", SPACES)):
            (workplace / "conf" / group).mkdir(parents=True, exist_ok=True)
            for name, text in options.items():
                target = f"_target_: mine.{name.title()}\n" if group == "algorithm" else ""
                (workplace / "conf" / group / f"{name}.yaml").write_text(f"# mine\n{target}{text}\n")
        monkeypatch.syspath_prepend(str(workplace))
        monkeypatch.delitem(sys.modules, "mine", raising=False)
        monkeypatch.setenv("RECEXP_CONFIG_DIR", str(workplace / "conf"))
        monkeypatch.setenv("RECEXP_TRUST", "mine")
        library.config.use_config_dirs([str(workplace / "conf")])
        return ["dataset=files", "dataset.interactions=ratings.csv", "filter=none", *more]

    yield words
    library.config.use_config_dirs([])


@pytest.fixture
def secret(workplace: Path) -> Callable[..., None]:
    """Write down which rows are the test's, for the models to look for."""

    def write(*words: str) -> None:
        x = experiment(compose(words), tags={})
        dataset, _ = x["filter"].apply(x["dataset"].load(), seed=x.seed)
        rows = next(iter(x["split"].split(dataset))).test
        secrets = {"times": rows.timestamps.tolist(), "ratings": rows.values.tolist()}
        (workplace / "secret.json").write_text(json.dumps(secrets))

    yield write


@pytest.fixture
def found(workplace: Path) -> Callable[[], list[dict]]:
    """What each fit of the spy has found."""
    return lambda: [json.loads(line) for line in (workplace / "found.jsonl").read_text().splitlines()]
