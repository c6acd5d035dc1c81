"""EASE against its formula, by hand and in plain numpy."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse as sp

from recexp.algorithms.linear import ease, gram
from recexp.algorithms.linear.ease import EASE
from recexp.algorithms.sparse_products import rows_times, times
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import ConfigError, DataError

Ask, Tiny = Callable[..., Queries], Callable[..., Dataset]


def fitted(data: Dataset, l2: float) -> EASE:
    return EASE(l2=l2).fit(data)


def check_by_hand(model: EASE, ask: Ask) -> None:
    """X^T X + I = [[3, 1], [1, 2]], P = [[2, -1], [-1, 3]] / 5, so B_01 = 1/3 and B_10 = 1/2."""
    np.testing.assert_allclose(model.score(ask([[1, 0], [0, 1]])), [[0, 1 / 3], [1 / 2, 0]], atol=1e-6)


def test_two_items_by_hand(tiny: Tiny, ask: Ask) -> None:
    check_by_hand(fitted(tiny([[1, 1], [1, 0]]), 1.0), ask)


@pytest.mark.parametrize("mutate", [np.transpose, np.negative], ids=["transposed", "negated"])
def test_wrong_weights_would_be_noticed(mutate: Callable, tiny: Tiny, ask: Ask) -> None:
    model = fitted(tiny([[1, 1], [1, 0]]), 1.0)
    model.weights_ = mutate(model.weights_)
    with pytest.raises(AssertionError):
        check_by_hand(model, ask)


@pytest.mark.parametrize("strip", [1, 4, 512])
@pytest.mark.parametrize("l2", [0.5, 20.0])
def test_agrees_with_plain_numpy(strip: int, l2: float, tiny: Tiny, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gram, "STRIP", strip)
    x = (np.random.default_rng(3).random((30, 11)) < 0.3).astype(float)
    x[4], x[:, 6] = 0, 0
    p = np.linalg.inv(x.T @ x + l2 * np.eye(11))
    b = -p / np.diag(p)
    np.fill_diagonal(b, 0)
    model = fitted(tiny(x), l2)
    np.testing.assert_allclose(model.weights_, b, atol=1e-6)
    np.testing.assert_allclose(model.score(ask(x)), x @ b, atol=1e-5)
    assert (model.score(ask(x))[:, 6] == 0).all()


@pytest.mark.parametrize("columns", [1, 600, 4200])
def test_products_of_narrow_and_wide_matrices(columns: int) -> None:
    rng = np.random.default_rng(4)
    left = sp.csr_array((rng.random((20, 31)) * (rng.random((20, 31)) < 0.3)).astype(np.float32))
    right = rng.random((31, columns)).astype(np.float32)
    np.testing.assert_allclose(times(left, right), left.toarray() @ right, rtol=1e-5)
    for given in (right, sp.csr_array(right * (right < 0.5))):
        product = times(left, given)
        np.testing.assert_array_equal(rows_times(left, given)(3, 9), product[3:9])
    np.testing.assert_allclose(product, left.toarray() @ given.toarray(), rtol=1e-5)


def test_little_data(tiny: Tiny, ask: Ask) -> None:
    assert fitted(tiny([[1], [1]]), 1.0).score(ask([[1]])) == 0
    nothing = Interactions(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32), 3, 2)
    empty = dataclasses.replace(tiny([[1, 0], [0, 1], [1, 1]]), interactions=nothing)
    np.testing.assert_array_equal(fitted(empty, 1.0).score(ask([[1, 0]])), [[0, 0]])


@pytest.mark.parametrize("strip", [4, 512])
def test_many_items_are_worked_out_in_single_precision_and_in_place(
    strip: int, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = (np.random.default_rng(5).random((300, 90)) < 0.2).astype(float)
    double = fitted(tiny(x), 20.0).weights_
    monkeypatch.setattr(gram, "STRIP", strip)
    monkeypatch.setattr(ease, "LARGE", 89)
    single = fitted(tiny(x), 20.0).weights_
    assert double.dtype == single.dtype == np.float32
    assert 0 < abs(single - double).max() < 1e-5 < abs(double).max() / 1000
    triangle = gram.lower(sp.csr_array(x.astype(np.float32)), np.float32)
    np.testing.assert_array_equal(triangle, np.tril(x.T @ x))
    inverse = gram.inverted(triangle, 20.0)
    assert np.shares_memory(gram.mirrored(inverse, np.ones(90)), triangle)
    np.testing.assert_allclose(triangle, np.linalg.inv(x.T @ x + 20 * np.eye(90)), atol=1e-7)


@pytest.mark.parametrize("block", [7, 30, 45, 89, 90])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-14), (np.float32, 1e-7)])
def test_of_very_many_items_blocks_are_inverted(
    block: int, dtype: type, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = (np.random.default_rng(5).random((300, 90)) < 0.2).astype(dtype)
    added = np.linspace(10, 40, 90)
    monkeypatch.setattr(gram, "AT_ONCE", 89)
    monkeypatch.setattr(gram, "BLOCK", block)
    triangle = np.tril(x.T @ x)
    assert gram.inverted(triangle, added) is triangle
    expected = np.linalg.inv(x.T @ x + np.diag(added))
    np.testing.assert_allclose(np.tril(triangle), np.tril(expected), atol=tolerance)
    singular = np.ones((90, 90), dtype)
    with pytest.raises(np.linalg.LinAlgError, match="no Cholesky factor"):
        gram.inverted(singular, -2.0)


def test_no_items_are_no_fault_of_the_penalty(tiny: Tiny) -> None:
    with pytest.raises(DataError, match="nothing to learn from: train has no items"):
        fitted(tiny(np.zeros((2, 0))), 1.0)


def test_a_penalty_too_small_for_the_data_is_named(tiny: Tiny) -> None:
    with pytest.raises(ConfigError, match=r"algorithm\.l2: 1e-300 is too small"):
        fitted(tiny([[1, 1]]), 1e-300)
