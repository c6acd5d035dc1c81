"""P3alpha and RP3beta by hand and against dense matrices."""

from collections.abc import Callable

import numpy as np
import pytest

from recexp.algorithms.neighbors.p3alpha import P3alpha
from recexp.algorithms.neighbors.rp3beta import RP3beta
from recexp.data import Dataset, Queries

Ask, Tiny = Callable[..., Queries], Callable[..., Dataset]
X = [[1, 1, 0], [1, 0, 1], [1, 1, 1]]
"""Items have 3, 2 and 2 users; users have 2, 2 and 3 items."""


def p3alpha(data: Dataset, alpha: float = 1.0, k: int = 9, normalize: bool = False) -> P3alpha:
    return P3alpha(alpha=alpha, k=k, normalize=normalize).fit(data)


def rp3beta(data: Dataset, alpha: float = 1.0, beta: float = 2.0, k: int = 9, normalize: bool = False) -> RP3beta:
    return RP3beta(alpha=alpha, beta=beta, k=k, normalize=normalize).fit(data)


def check_by_hand(p3: P3alpha, rp3: RP3beta, ask: Ask) -> None:
    """From item 0 (1/3 each) to 1: by user 0 (1/2) and by user 2 (1/3), 5/18; from 1 (1/2 each) to 0: 5/12."""
    walks = np.array([[0, 5 / 18, 5 / 18], [5 / 12, 0, 1 / 6], [5 / 12, 1 / 6, 0]])
    np.testing.assert_allclose(p3.score(ask(np.eye(3))), walks, atol=1e-6)
    np.testing.assert_allclose(rp3.score(ask(np.eye(3))), walks / [9, 4, 4], atol=1e-6)


def test_three_items_by_hand(tiny: Tiny, ask: Ask) -> None:
    check_by_hand(p3alpha(tiny(X)), rp3beta(tiny(X)), ask)


@pytest.mark.parametrize("mutate", [lambda w: w.T.tocsr(), lambda w: -w], ids=["transposed", "negated"])
def test_wrong_weights_would_be_noticed(mutate: Callable, tiny: Tiny, ask: Ask) -> None:
    for wrong in (0, 1):
        models = p3alpha(tiny(X)), rp3beta(tiny(X))
        models[wrong].weights_ = mutate(models[wrong].weights_)
        with pytest.raises(AssertionError):
            check_by_hand(*models, ask)


def naive(x: np.ndarray, alpha: float, beta: float, k: int, normalize: bool) -> np.ndarray:
    users, items = x.sum(axis=1), x.sum(axis=0)
    step = x / np.maximum(1, users)[:, None]
    w = (x / np.maximum(1, items)).T ** alpha @ step**alpha / np.maximum(1, items) ** beta
    np.fill_diagonal(w, 0)
    w = best_of_rows(w, k)
    if normalize:
        sums = w.sum(axis=1, keepdims=True)
        w /= np.where(sums > 0, sums, 1)
    return best_of_rows(w.T, k).T


def best_of_rows(w: np.ndarray, k: int) -> np.ndarray:
    out = np.zeros_like(w)
    for row, values in enumerate(w):
        kept = sorted(range(len(values)), key=lambda j: (-values[j], j))[:k]
        out[row, kept] = values[kept]
    return out


@pytest.mark.parametrize("k", [1, 4, 50])
@pytest.mark.parametrize(
    "alpha, beta, normalize", [(1.0, 0.0, False), (0.7, 0.0, True), (1.3, 0.6, True), (1.0, 1.2, False)]
)
def test_agrees_with_dense_matrices(alpha: float, beta: float, normalize: bool, k: int, tiny: Tiny, ask: Ask) -> None:
    x = (np.random.default_rng(4).random((60, 15)) < np.linspace(0.1, 0.6, 15)).astype(float)
    x[:, 9], x[3] = 0, 0
    expected = naive(x, alpha, beta, k, normalize)
    data = tiny(x)
    model = rp3beta(data, alpha, beta, k, normalize) if beta else p3alpha(data, alpha, k, normalize)
    np.testing.assert_allclose(model.weights_.toarray(), expected, atol=1e-6)
    np.testing.assert_allclose(model.score(ask(x)), x @ expected, atol=1e-5)


def test_one_item_leads_nowhere(tiny: Tiny, ask: Ask) -> None:
    for matrix in ([[1], [1]], [[0]]):
        assert p3alpha(tiny(matrix)).score(ask([[1]])) == 0
        assert rp3beta(tiny(matrix)).score(ask([[1]])) == 0
