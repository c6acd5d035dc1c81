"""Random lists with everything that a metric may read, small enough for loops in plain Python."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
import yaml

from recexp.data import Column, Dataset, Interactions, Queries
from recexp.metrics.base import JudgedLists, Metric
from recexp.ranking import Lists

CONF = Path(__file__).parents[2] / "conf" / "metric"


@pytest.fixture
def build():
    """Return a function that builds a metric as its yaml says."""

    def make(name: str) -> Metric:
        fields = yaml.safe_load((CONF / f"{name}.yaml").read_text())
        module, _, cls = fields.pop("_target_").rpartition(".")
        return getattr(importlib.import_module(module), cls)(**fields)

    return make


class World:
    """Lists, relevant items, train and features as plain Python, and the same as JudgedLists."""

    def __init__(self, seed: int, *, queries: int = 40, padded: bool = True) -> None:
        n_items, length = 30, 10
        rng = np.random.default_rng(seed)
        self.n_items, self.length = n_items, length
        self.lists = [rng.permutation(n_items)[:length].tolist() for _ in range(queries)]
        if padded:
            self.lists = [ranked[: rng.integers(0, length + 1)] for ranked in self.lists]
        self.relevant = [set(rng.permutation(n_items)[: rng.integers(1, 16)].tolist()) for _ in range(queries)]
        weights = rng.random(n_items - 2) ** 3  # the last two items are never seen
        sizes = [8, 5, 5, 3, 1, 1, 8, 4, 6, 2, 7, 9]
        weights /= weights.sum()
        self.train = {u: rng.choice(n_items - 2, s, replace=False, p=weights).tolist() for u, s in enumerate(sizes)}
        self.features = {i: [f"c{c}" for c in rng.permutation(6)[: rng.integers(0, 4)]] for i in range(n_items)}
        self.brands = [f"b{c}" if c else None for c in rng.integers(0, 4, n_items)]

    def judged(self, order=None) -> JudgedLists:
        order = range(len(self.lists)) if order is None else order
        items = np.full((len(self.lists), self.length), -1, np.int32)
        target = sp.lil_array((len(self.lists), self.n_items), dtype=np.float32)
        for row, q in enumerate(order):
            items[row, : len(self.lists[q])] = self.lists[q]
            target[row, sorted(self.relevant[q])] = 1
        pairs = [(u, i) for u, seen in self.train.items() for i in [*seen, seen[0]]]  # with repeats
        users, items_seen = np.array(pairs, np.int32).T.copy()
        n_users = len(self.train) + 1  # one user without rows
        log = Interactions(users, items_seen, np.ones(len(pairs), np.float32), n_users, self.n_items)
        table = {
            "genres": Column.multi_category([self.features[i] for i in range(self.n_items)]),
            "brand": Column.category(self.brands),
            "year": Column.numeric(np.arange(self.n_items)),
        }
        data = Dataset("world", log, np.arange(n_users), np.arange(self.n_items), items=table)
        lists = Lists(items, np.zeros(items.shape, np.float32))
        queries = Queries.of_users(np.arange(len(items), dtype=np.int32) % n_users, log, exclude_seen=False)
        return JudgedLists.of(lists, target.tocsr(), queries, data, np.ones(self.n_items, bool))


@pytest.fixture(params=[0, 1, 2])
def world(request) -> World:
    return World(request.param)


@pytest.fixture
def full_world() -> World:
    """Lists without padding."""
    return World(7, queries=60, padded=False)
