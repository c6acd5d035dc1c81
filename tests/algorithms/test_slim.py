"""SLIM by hand, against scikit-learn's elastic net, and against the conditions of an optimum."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from recexp.algorithms.kernels.slim import FIRST
from recexp.algorithms.linear import gram
from recexp.algorithms.linear.ease import EASE
from recexp.algorithms.linear.slim import SLIM
from recexp.data import Dataset, Interactions, Queries

Ask, Tiny = Callable[..., Queries], Callable[..., Dataset]
SETTINGS = {"alpha": 0.02, "l1_ratio": 0.3, "positive": True, "k": None, "iterations": 1000, "tolerance": 1e-7}


def fitted(data: Dataset, **changed: object) -> SLIM:
    return SLIM(**{**SETTINGS, **changed}).fit(data)


def some(users: int = 60, items: int = 14) -> np.ndarray:
    x = (np.random.default_rng(3).random((users, items)) < np.linspace(0.1, 0.5, items)).astype(float)
    x[:, 2], x[4], x[:, 6] = x[:, 1], 0, 0
    return x


def check_by_hand(model: SLIM, ask: Ask) -> None:
    """X^T X = [[3, 1], [1, 2]], n_users = 4, l1 = l2 = 1/2: W_10 = (1 - 1/2) / (2 + 1/2), W_01 = (1 - 1/2) / 3.5."""
    np.testing.assert_allclose(model.score(ask([[1, 0], [0, 1]])), [[0, 1 / 7], [1 / 5, 0]], atol=1e-6)


def test_two_items_by_hand(tiny: Tiny, ask: Ask) -> None:
    check_by_hand(fitted(tiny([[1, 1], [1, 0], [1, 0], [0, 1]]), alpha=0.25, l1_ratio=0.5), ask)


@pytest.mark.parametrize("mutate", [lambda w: w.T.tocsr(), np.negative], ids=["transposed", "negated"])
def test_wrong_weights_would_be_noticed(mutate: Callable, tiny: Tiny, ask: Ask) -> None:
    model = fitted(tiny([[1, 1], [1, 0], [1, 0], [0, 1]]), alpha=0.25, l1_ratio=0.5)
    model.weights_ = mutate(model.weights_)
    with pytest.raises(AssertionError):
        check_by_hand(model, ask)


@pytest.mark.parametrize("as_rows", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("l1_ratio", [0.01, 0.5, 1.0])
def test_agrees_with_scikit_learn(
    l1_ratio: float, positive: bool, as_rows: bool, tiny: Tiny, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn.linear_model import ElasticNet

    monkeypatch.setattr(gram, "is_sparse", lambda x: as_rows)
    x = some()
    net = ElasticNet(alpha=0.02, l1_ratio=l1_ratio, positive=positive, fit_intercept=False, max_iter=10**5, tol=1e-12)
    expected = np.zeros((14, 14))
    for j in range(14):
        others = x.copy()
        others[:, j] = 0
        expected[:, j] = net.fit(others, x[:, j]).coef_
    model = fitted(tiny(x), l1_ratio=l1_ratio, positive=positive)
    if l1_ratio < 1:
        np.testing.assert_allclose(model.weights_.toarray(), expected, atol=2e-6)
    np.testing.assert_allclose(model.score(ask(x)), x @ expected, atol=2e-5)
    assert (expected < -0.01).any() != positive


def test_more_items_than_the_search_begins_with(tiny: Tiny) -> None:
    """The optimum's conditions: the gradient is l1 where a weight is not 0, and no larger elsewhere."""
    rng = np.random.default_rng(7)
    x = (rng.random((300, 6)) @ rng.random((6, 400)) * 0.1 > rng.random((300, 400))).astype(float)
    model = fitted(tiny(x), alpha=1.0, l1_ratio=0.0002, positive=False)
    w, g = model.weights_.toarray().astype(float), x.T @ x
    assert np.median((w != 0).sum(axis=0)) > 2 * FIRST
    assert (w.diagonal() == 0).all()
    l1, l2 = 0.0002 * 300, 0.9998 * 300
    gradient = g - g @ w - l2 * w
    np.fill_diagonal(gradient, 0)
    assert (abs(gradient) <= l1 + 1e-3).all()
    np.testing.assert_allclose(gradient[w != 0], l1 * np.sign(w[w != 0]), atol=1e-3)


def test_a_ridge_is_ease(tiny: Tiny) -> None:
    x = some()
    model = fitted(tiny(x), alpha=0.05, l1_ratio=0.0, positive=False)
    ease = EASE(l2=0.05 * 60).fit(tiny(x))
    np.testing.assert_allclose(model.weights_.toarray(), ease.weights_, atol=2e-6)


@pytest.mark.parametrize("positive", [True, False])
def test_k_keeps_the_largest_weights_of_each_column(positive: bool, tiny: Tiny) -> None:
    x = some()
    whole = fitted(tiny(x), l1_ratio=0.01, positive=positive).weights_.toarray()
    kept = fitted(tiny(x), l1_ratio=0.01, positive=positive, k=3).weights_.toarray()
    least = np.sort(abs(whole), axis=0)[-3]
    np.testing.assert_array_equal(kept, np.where(abs(whole) >= least, whole, 0))
    assert (kept != 0).sum(axis=0).max() == 3
    np.testing.assert_array_equal(fitted(tiny(x), l1_ratio=0.01, positive=positive, k=99).weights_.toarray(), whole)


def test_both_forms_of_the_gram_matrix(tiny: Tiny) -> None:
    x = some()
    rows = tiny(x).interactions.csr(values=False)
    np.testing.assert_array_equal(gram.dense(rows), x.T @ x)
    indptr, indices, data = gram.sparse(rows)
    found = np.zeros((14, 14))
    found[np.repeat(np.arange(14), np.diff(indptr)), indices] = data
    np.testing.assert_array_equal(found, x.T @ x)
    assert len(data) == ((x.T @ x) > 0).sum()
    assert not gram.is_sparse(rows)
    assert gram.is_sparse(tiny(np.eye(9)).interactions.csr(values=False))


def test_little_data(tiny: Tiny, ask: Ask) -> None:
    assert fitted(tiny([[1], [1]])).score(ask([[1]])) == 0
    assert (fitted(tiny([[1, 1, 0]]), l1_ratio=1.0, alpha=2.0).score(ask([[1, 0, 0]])) == 0).all()
    nothing = Interactions(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32), 3, 2)
    empty = dataclasses.replace(tiny([[1, 0], [0, 1], [1, 1]]), interactions=nothing)
    np.testing.assert_array_equal(fitted(empty).score(ask([[1, 0]])), [[0, 0]])


def test_sweeps_that_run_out_are_told(tiny: Tiny, caplog: pytest.LogCaptureFixture) -> None:
    data = tiny(some())
    fitted(data)
    assert not [record for record in caplog.records if record.levelname == "WARNING"]
    fitted(data, iterations=1)
    assert "slim: " in caplog.text and "after 1 sweeps; raise algorithm.iterations" in caplog.text
