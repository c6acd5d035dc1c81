"""EASE against its formula, by hand and in plain numpy."""

from collections.abc import Callable

import numpy as np
import pytest

from recexp.algorithms.linear import ease
from recexp.algorithms.linear.ease import EASE
from recexp.data import Dataset, Queries
from recexp.errors import ConfigError

Ask, Tiny = Callable[..., Queries], Callable[..., Dataset]


def fitted(data: Dataset, l2: float) -> EASE:
    return EASE(l2=l2).fit(data, rng=np.random.default_rng(0))


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
    monkeypatch.setattr(ease, "STRIP", strip)
    x = (np.random.default_rng(3).random((30, 11)) < 0.3).astype(float)
    x[4], x[:, 6] = 0, 0
    p = np.linalg.inv(x.T @ x + l2 * np.eye(11))
    b = -p / np.diag(p)
    np.fill_diagonal(b, 0)
    model = fitted(tiny(x), l2)
    np.testing.assert_allclose(model.weights_, b, atol=1e-6)
    np.testing.assert_allclose(model.score(ask(x)), x @ b, atol=1e-5)
    assert (model.score(ask(x))[:, 6] == 0).all()


def test_more_columns_than_a_strip_of_the_product(tiny: Tiny, ask: Ask) -> None:
    x = (np.random.default_rng(4).random((20, 600)) < 0.05).astype(float)
    model = fitted(tiny(x), 5.0)
    np.testing.assert_allclose(model.score(ask(x)), x @ model.weights_.astype(float), atol=1e-5)


def test_one_item(tiny: Tiny, ask: Ask) -> None:
    assert fitted(tiny([[1], [1]]), 1.0).score(ask([[1]])) == 0


def test_a_penalty_too_small_for_the_data_is_named(tiny: Tiny) -> None:
    with pytest.raises(ConfigError, match=r"algorithm\.l2: 1e-300 is too small"):
        fitted(tiny([[1, 1]]), 1e-300)
