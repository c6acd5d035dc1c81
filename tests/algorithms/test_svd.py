"""SVD against plain numpy."""

from collections.abc import Callable

import numpy as np
import pytest

from recexp.algorithms import FitContext
from recexp.algorithms.factorization.svd import SVD
from recexp.data import Dataset, Queries
from recexp.errors import DataError

Ask, Tiny = Callable[..., Queries], Callable[..., Dataset]


def svd(data: Dataset, factors: int = 1, weighting: str = "none") -> SVD:
    return SVD(factors=factors, weighting=weighting).fit(data, FitContext(rng=np.random.default_rng(0)))


def check_svd(model: SVD, ask: Ask) -> None:
    """Three users have items 0 and 1, one has 2: the first direction is (1, 1, 0) / sqrt(2); 0 calls for 1 by half."""
    np.testing.assert_allclose(model.score(ask([[1, 0, 0], [0, 0, 1]])), [[0.5, 0.5, 0], [0, 0, 0]], atol=1e-6)


def test_one_direction_by_hand(tiny: Tiny, ask: Ask) -> None:
    check_svd(svd(tiny([[1, 1, 0]] * 3 + [[0, 0, 1]])), ask)


@pytest.mark.parametrize("mutate", [np.flipud, np.ones_like, np.zeros_like], ids=["turned", "untrained", "lost"])
def test_wrong_vectors_would_be_noticed(mutate: Callable, tiny: Tiny, ask: Ask) -> None:
    model = svd(tiny([[1, 1, 0]] * 3 + [[0, 0, 1]]))
    model.vectors_ = np.ascontiguousarray(mutate(model.vectors_))
    with pytest.raises(AssertionError):
        check_svd(model, ask)


@pytest.mark.parametrize("factors", [1, 3, 5])
def test_svd_agrees_with_numpy(factors: int, x: np.ndarray, tiny: Tiny, ask: Ask) -> None:
    model = svd(tiny(x), factors)
    v = np.linalg.svd(x)[2][:factors].T
    np.testing.assert_allclose(np.abs(model.vectors_), np.abs(v), atol=1e-5)
    np.testing.assert_allclose(model.score(ask(x)), x @ v @ v.T, atol=1e-5)


def test_weights_stand_in_for_the_matrix(x: np.ndarray, tiny: Tiny, ask: Ask) -> None:
    idf = np.log(np.maximum(1, x.shape[1] / (1 + x.sum(axis=1, keepdims=True))))
    v = np.linalg.svd(x * idf)[2][:3].T
    np.testing.assert_allclose(svd(tiny(x), 3, "tfidf").score(ask(x)), x * idf @ v @ v.T, atol=1e-5)


def test_more_factors_than_the_rank_reproduce_the_matrix(x: np.ndarray, tiny: Tiny, ask: Ask) -> None:
    model = svd(tiny(x), 100)
    assert model.vectors_.shape[1] == np.linalg.matrix_rank(x)
    np.testing.assert_allclose(model.score(ask(x)), x, atol=1e-5)


def test_missing_values_are_refused(tiny: Tiny) -> None:
    from dataclasses import replace

    data = tiny([[1, 1], [1, 0]])
    holes = replace(data.interactions, values=np.array([1, np.nan, 1], np.float32))
    with pytest.raises(DataError, match=r"svd .* 1 of 3 are missing or infinite"):
        svd(replace(data, interactions=holes))
