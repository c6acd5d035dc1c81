"""ADMM SLIM against naive numpy, and against the optimum that others find."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from recexp.algorithms.linear.ease import EASE
from recexp.algorithms.linear.slim import SLIM
from recexp.algorithms.linear.slim_admm import SLIMADMM
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import ConfigError, DataError

Ask, Tiny = Callable[..., Queries], Callable[..., Dataset]


def fitted(data: Dataset, **changed: object) -> SLIMADMM:
    settings = {"l1": 0.3, "l2": 2.0, "alpha": 0.5, "positive": True, "rho": 5.0, "iterations": 30, **changed}
    return SLIMADMM(**settings).fit(data)


def some(users: int = 40, items: int = 12) -> np.ndarray:
    x = (np.random.default_rng(3).random((users, items)) < np.linspace(0.1, 0.6, items)).astype(float)
    x[4], x[:, 6] = 0, 0
    return x


def published(x: np.ndarray, l1: float, l2: float, alpha: float, rho: float, iterations: int, positive: bool):
    """The updates as the paper and RecBole write them, in float64."""
    gram, n = x.T @ x, x.shape[1]
    p = np.linalg.inv(gram + l2 * np.diag(x.mean(axis=0) ** alpha) + rho * np.eye(n))
    c, gamma = np.zeros((n, n)), np.zeros((n, n))
    for _ in range(iterations):
        free = p @ gram + p @ (rho * c - gamma)
        b = free - p * (np.diag(free) / np.diag(p))
        c = b + gamma / rho
        c = np.sign(c) * np.maximum(abs(c) - l1 / rho, 0)
        c = np.maximum(c, 0) if positive else c
        gamma += rho * (b - c)
    return c


def check_published(model: SLIMADMM, x: np.ndarray, ask: Ask) -> None:
    """Weights and scores are those of the published updates."""
    c = published(x, model.l1, model.l2, model.alpha, model.rho, model.iterations, model.positive)
    assert (c > 0.01).any() and (c < -0.01).any() != model.positive
    np.testing.assert_allclose(model.weights_.toarray(), c, atol=2e-6)
    np.testing.assert_allclose(model.score(ask(x)), x @ c, atol=1e-5)


@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize("iterations", [1, 2, 25])
def test_agrees_with_the_published_updates(positive: bool, alpha: float, iterations: int, tiny: Tiny, ask: Ask) -> None:
    x = some()
    model = fitted(tiny(x), positive=positive, alpha=alpha, iterations=iterations, l1=0.4, l2=3.0, rho=6.0)
    check_published(model, x, ask)


@pytest.mark.parametrize("mutate", [lambda w: w.T.tocsr(), lambda w: -w], ids=["transposed", "negated"])
def test_wrong_weights_would_be_noticed(mutate: Callable, tiny: Tiny, ask: Ask) -> None:
    x = some()
    model = fitted(tiny(x))
    check_published(model, x, ask)
    model.weights_ = mutate(model.weights_)
    with pytest.raises(AssertionError):
        check_published(model, x, ask)


@pytest.mark.parametrize("positive", [True, False])
def test_converges_to_the_optimum_of_coordinate_descent(positive: bool, tiny: Tiny) -> None:
    x = some()
    model = fitted(tiny(x), l1=1.0, l2=4.0, alpha=0.0, positive=positive, iterations=300)
    slim = SLIM(alpha=5.0 / 40, l1_ratio=0.2, positive=positive, k=None, iterations=1000, tolerance=1e-7)
    slim.fit(tiny(x))
    np.testing.assert_allclose(model.weights_.toarray(), slim.weights_.toarray(), atol=2e-5)


def test_without_an_l1_term_it_converges_to_ease(tiny: Tiny) -> None:
    x = some()
    model = fitted(tiny(x), l1=0.0, l2=3.0, alpha=0.0, positive=False, iterations=300)
    ease = EASE(l2=3.0).fit(tiny(x))
    np.testing.assert_allclose(model.weights_.toarray(), ease.weights_, atol=2e-5)


@pytest.mark.parametrize(
    ("x", "l2", "rho", "why"),
    [
        ([[1, 1]], 0.0, 1e-17, "no Cholesky factor"),
        ([[1, 0], [1, 0]], 0.0, 1e-300, "the inverse of .* is too large"),
        ([[1, 1], [1, 1]], 1.0, 1e-300, r"the threshold l1 / rho is too large, with algorithm\.l1: 0\.3"),
    ],
)
def test_a_rho_too_small_for_the_data_is_named(x: list, l2: float, rho: float, why: str, tiny: Tiny) -> None:
    named = rf"algorithm\.rho: {rho} is too small here, with algorithm\.l2: {l2}; .*{why}"
    with pytest.raises(ConfigError, match=named):
        fitted(tiny(x), l2=l2, rho=rho)


def test_weights_that_are_not_finite_are_refused(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SLIMADMM, "_thresholded", lambda self, values: values * np.nan)
    with pytest.raises(ConfigError, match="some weights are not finite"):
        fitted(tiny([[1, 1], [1, 0]]))


def test_no_items(tiny: Tiny) -> None:
    with pytest.raises(DataError, match="train has no items"):
        fitted(tiny(np.zeros((2, 0))))


def test_little_data(tiny: Tiny, ask: Ask) -> None:
    assert fitted(tiny([[1], [1]])).score(ask([[1]])) == 0
    nothing = Interactions(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32), 3, 2)
    empty = dataclasses.replace(tiny([[1, 0], [0, 1], [1, 1]]), interactions=nothing)
    np.testing.assert_array_equal(fitted(empty, l2=0.0, alpha=0.0).score(ask([[1, 0]])), [[0, 0]])
