"""Turbo-CF against its formula in dense float64 (Park, Shin and Shin, SIGIR 2024)."""

from dataclasses import replace

import numpy as np
import pytest

import recexp
from recexp.algorithms.neighbors import turbo_cf
from recexp.data import Dataset, Queries
from recexp.ranking import Ranking


@pytest.mark.parametrize("kind", ["sparse", "dense"])
@pytest.mark.parametrize(("alpha", "power", "order"), [(0.5, 1.0, 1), (0.6, 0.7, 1), (0.6, 1.0, 2), (0.0, 1.5, 2)])
def test_scores_are_those_of_the_formula(
    kind: str, alpha: float, power: float, order: int, store: Dataset, queries: Queries, ranking: Ranking
) -> None:
    model = recexp.make(
        "algorithm=turbo_cf", f"algorithm.alpha={alpha}", f"algorithm.power={power}", f"algorithm.order={order}"
    ).fit(store)
    assert isinstance(model.weights_, np.ndarray)
    if kind == "sparse":
        model.weights_ = turbo_cf.compact(turbo_cf.sp.csr_array(model.weights_))
    x = store.interactions.csr(values=False).toarray().astype(np.float64)
    of_users, of_items = np.maximum(x.sum(1), 1), np.maximum(x.sum(0), 1)
    normalized = x / of_users[:, None] ** alpha / of_items ** (1 - alpha)
    p = (normalized.T @ normalized) ** power
    expected = (x @ (p if order == 1 else 2 * p - p @ p))[queries.users]
    assert model.score(queries) == pytest.approx(expected, rel=1e-4, abs=1e-5)
    lists = model.recommend(replace(queries, exclude=None), 3, ranking)
    assert lists.scores[:, 0] == pytest.approx(expected.max(axis=1), rel=1e-4)
