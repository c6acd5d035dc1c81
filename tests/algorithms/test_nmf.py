"""NMF by hand, against plain multiplicative updates, and at its limits."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from recexp.algorithms import FitContext
from recexp.algorithms.factorization.nmf import NMF
from recexp.data import Dataset, Queries
from recexp.errors import DataError

Ask, Tiny = Callable[..., Queries], Callable[..., Dataset]
TASTES = np.kron(np.eye(2, dtype=int), np.ones((4, 3), int))
"""Users 0-3 take items 0-2, users 4-7 items 3-5."""
LOSSES = ["frobenius", "kullback_leibler"]


def fitted(data: Dataset, loss: str = "frobenius", **fields) -> NMF:
    values = {"factors": 2, "iterations": 200, "regularization": 0.0, "l1_ratio": 0.0, **fields}
    return NMF(loss=loss, **values).fit(data, FitContext(rng=np.random.default_rng(0)))


def check_tastes(model: NMF, ask: Ask) -> None:
    """Two parts reproduce the two tastes; of a history of two items of a taste both losses restore the third.

    Least squares with one direction (1, 1, 1): 2/3 of each. Kullback-Leibler keeps the sum: 2/3 of each as well.
    """
    np.testing.assert_allclose(model.score(ask([[1, 1, 1, 0, 0, 0]])), [[1, 1, 1, 0, 0, 0]], atol=1e-3)
    np.testing.assert_allclose(model.score(ask([[0, 0, 0, 1, 1, 0]])), [[0, 0, 0, 2 / 3, 2 / 3, 2 / 3]], atol=1e-3)


@pytest.mark.parametrize("loss", LOSSES)
def test_two_tastes_by_hand(loss: str, tiny: Tiny, ask: Ask) -> None:
    check_tastes(fitted(tiny(TASTES), loss), ask)


@pytest.mark.parametrize(
    "mutate", [np.flipud, np.ones_like, lambda items: items[:, :1]], ids=["turned", "untrained", "one part"]
)
def test_wrong_parts_would_be_noticed(mutate: Callable, tiny: Tiny, ask: Ask) -> None:
    uneven = np.kron(np.eye(2, dtype=int), np.ones((4, 3), int))[:, [0, 1, 3, 4, 5, 2]]
    model = fitted(tiny(uneven))
    model.items_ = np.ascontiguousarray(mutate(model.items_))
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(model.score(ask(uneven)), uneven, atol=1e-2)


@pytest.mark.parametrize("regularization, l1_ratio", [(0.0, 0.0), (0.01, 0.0), (0.01, 1.0)])
def test_frobenius_finds_a_stationary_point(regularization: float, l1_ratio: float, tiny: Tiny, ask: Ask) -> None:
    """The conditions of Karush, Kuhn and Tucker for the users, given the parts: gradient 0 inside, >= 0 at 0."""
    x = (np.random.default_rng(3).random((30, 12)) < 0.3).astype(float)
    model = fitted(tiny(x), factors=4, regularization=regularization, l1_ratio=l1_ratio)
    h = model.items_.T.astype(float)
    users = np.linalg.lstsq(h.T, model.score(ask(x)).T.astype(float), rcond=None)[0].T
    penalty = regularization * 12 * (l1_ratio + (1 - l1_ratio) * users)
    gradient = (users @ h - x) @ h.T + penalty
    assert users.min() > -1e-4
    assert gradient.min() > -2e-3
    assert abs(gradient[users > 1e-3]).max() < 2e-3


def test_kullback_leibler_does_as_well_as_plain_updates(tiny: Tiny, ask: Ask) -> None:
    """Local minima differ with the start: ours must lie among those that ten starts lead to."""
    rng = np.random.default_rng(4)
    x = (rng.random((20, 10)) < 0.4).astype(float)
    x[:, 0] = 1

    def loss(y: np.ndarray) -> float:
        return (np.where(x > 0, np.log(1 / np.maximum(y, 1e-9)), 0) - x + y).sum()

    naive = []
    for _ in range(10):
        w, h = rng.random((20, 3)), rng.random((3, 10))
        for _ in range(500):
            w *= (x / (w @ h + 1e-12)) @ h.T / h.sum(axis=1)
            h *= w.T @ (x / (w @ h + 1e-12)) / w.sum(axis=0)[:, None]
        naive.append(loss(w @ h))
    ours = loss(fitted(tiny(x), "kullback_leibler", factors=3, iterations=500).score(ask(x)).astype(float))
    assert 0.99 * min(naive) < ours < 1.01 * max(naive)
    assert max(naive) < 0.8 * loss(np.tile(x.mean(axis=0), (20, 1))), "a model without parts is far worse"


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_values_it_cannot_learn_from_are_counted(wrong: float, tiny: Tiny) -> None:
    data = tiny([[1, 1], [1, 0]])
    holes = replace(data.interactions, values=np.array([1, wrong, wrong], np.float32))
    with pytest.raises(DataError, match=rf"2 of 3 are negative or missing or infinite \({wrong:g}\); filter="):
        fitted(replace(data, interactions=holes))


@pytest.mark.parametrize("loss", LOSSES)
def test_values_of_0_alone_are_refused_and_score_0(loss: str, tiny: Tiny) -> None:
    data = tiny([[1, 1], [1, 0]])
    zeros = replace(data.interactions, values=np.zeros(3, np.float32))
    with pytest.raises(DataError, match="all values of train are 0"):
        fitted(replace(data, interactions=zeros), loss)
    queries = Queries.of_users(np.arange(2, dtype=np.int32), zeros, exclude_seen=False)
    np.testing.assert_allclose(fitted(data, loss).score(queries), 0, atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_history_alone_scores_as_among_others(loss: str, tiny: Tiny, ask: Ask) -> None:
    x = (np.random.default_rng(5).random((25, 9)) < 0.4).astype(int)
    x[:, 0] = 1
    model = fitted(tiny(x), loss, factors=3, iterations=100)
    np.testing.assert_allclose(model.score(ask(x[4:5])), model.score(ask(x))[4:5], atol=1e-5)


def test_more_parts_than_items(tiny: Tiny, ask: Ask) -> None:
    assert np.isfinite(fitted(tiny(TASTES), factors=50, iterations=20).score(ask(TASTES))).all()
