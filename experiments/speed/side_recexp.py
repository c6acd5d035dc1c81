"""recexp's side of the comparison, the way a run does it; see side.py.

NAME is an algorithm with its settings: `ease,l2=250`.
"""

import importlib
import pkgutil
import sys
import time
from typing import Any

import numpy as np
from side import Given, Side, run

import recexp
from recexp.algorithms import FitContext, Recommender, kernels
from recexp.data import Dataset, Interactions, Queries, Split
from recexp.models.fitted import FittedModel
from recexp.ranking import Lists
from recexp.rng import generator

begin = time.perf_counter()
importlib.import_module("recexp.kernels")
for module in pkgutil.iter_modules(kernels.__path__, f"{kernels.__name__}."):
    importlib.import_module(module.name)
importlib.import_module("numba").njit(lambda: None)()  # which imports half of itself, 129 modules, at first use
START = time.perf_counter() - begin


def prepare(given: Given) -> tuple[Recommender, Recommender, Any, Dataset]:
    """Return the unfitted algorithm, fallback and rules of evaluation, as composed from conf/, and the rows."""
    name, *settings = sys.argv[1].split(",")
    model = recexp.make(f"algorithm={name}", *(f"algorithm.{setting}" for setting in settings))
    sizes = given.n_users, given.n_items
    rows = Interactions(given.users, given.items, given.values, *sizes, explicit=given.explicit)
    train = Dataset("speed", rows, *map(np.arange, sizes))
    return model, recexp.make("algorithm=popularity"), recexp.make("evaluation=ranking"), train


def fit(given: Given) -> Recommender:
    model, _, _, train = given.prepared
    return model.fit(train, FitContext(rng=generator(given.seed, "fit")))


def wrapped(model: Recommender, given: Given) -> tuple[FittedModel, Queries]:
    """Return what serves the lists of a run, and a query of everyone who is asked."""
    _, fallback, evaluation, train = given.prepared
    ranking = evaluation.ranking(train, seed=given.seed)
    fallback.fit(train, FitContext(rng=generator(given.seed, "fallback")))
    queries = Queries.of_users(given.asked, train.interactions, exclude_seen=True)
    return FittedModel.of(model, fallback, ranking, train, exclude_seen=True, block_mib=32), queries


def recommend(model: Recommender, given: Given) -> np.ndarray:
    served, queries = wrapped(model, given)
    return served.lists(queries, given.k).items


def evaluate(lists: np.ndarray, given: Given) -> None:
    """Judge lists of 20 by all that a run reports."""
    _, _, evaluation, train = given.prepared
    of_asked = np.isin(given.test_users, given.asked)
    held = given.test_users[of_asked], given.test_items[of_asked], np.ones(of_asked.sum(), np.float32)
    test = Interactions(*held, given.n_users, given.n_items)
    users = np.unique(test.users)
    queries = Queries.of_users(users, train.interactions, exclude_seen=True)
    split = Split(train, queries, test.csr(values=True)[users], test)
    evaluation.evaluate(split, Lists(lists[np.searchsorted(given.asked, users)], np.zeros(0)), seed=given.seed)


def predict(model: Recommender, given: Given) -> np.ndarray:
    served, queries = wrapped(model, given)
    values = np.zeros(len(given.test_users), np.float32)
    rows = Interactions(given.test_users, given.test_items, values, given.n_users, given.n_items)
    return served.estimate(rows, queries)


def answer(model: Recommender, given: Given) -> np.ndarray:
    return predict(model, given) if given.explicit else recommend(model, given)


if __name__ == "__main__":
    run({sys.argv[1]: Side(fit, answer, prepare, evaluate, START)})
