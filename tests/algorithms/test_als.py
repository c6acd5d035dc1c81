"""ALS against dense normal equations in float64, and against what can be worked out by hand."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from recexp.algorithms import FitContext
from recexp.algorithms.factorization.als import ALS
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import DataError

Ask, Tiny = Callable[..., Queries], Callable[..., Dataset]
EXACT = 100


def als(**fields: float) -> ALS:
    given = {
        "factors": 3,
        "iterations": 2,
        "regularization": 0.1,
        "alpha": 3.0,
        "frequency_scaling": 1.0,
        "cg_steps": EXACT,
    }
    return ALS(**{**given, **fields})


def fitted(data: Dataset, **fields: float) -> ALS:
    return als(**fields).fit(data, FitContext(rng=np.random.default_rng(0)))


def weighed(tiny: Tiny, x: np.ndarray) -> Dataset:
    """The dataset of a matrix of values, 0 where there is no interaction."""
    data = tiny((x > 0).astype(int))
    rows = data.interactions
    return replace(data, interactions=replace(rows, values=x[rows.users, rows.items].astype(np.float32)))


def histories(data: Dataset) -> Queries:
    return Queries.of_users(np.arange(data.n_users, dtype=np.int32), data.interactions, exclude_seen=True)


def ridges(model: ALS, x: np.ndarray) -> np.ndarray:
    return model.regularization * (model.alpha * (x > 0).sum(axis=1) + x.shape[1]) ** model.frequency_scaling


def half(model: ALS, x: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """Solve (V^T C_r V + ridge_r I) w = V^T C_r p_r for each row r of x, C_r written out in full."""
    out = np.zeros((len(x), fixed.shape[1]))
    for r, ridge in enumerate(ridges(model, x)):
        c = np.diag(1 + model.alpha * x[r])
        out[r] = np.linalg.solve(fixed.T @ c @ fixed + ridge * np.eye(fixed.shape[1]), fixed.T @ c @ (x[r] > 0))
    return out


def naive(model: ALS, x: np.ndarray) -> np.ndarray:
    """Return the item factors after all iterations, from the same first ones."""
    first = np.random.default_rng(0).standard_normal((x.shape[1], model.factors), np.float32)
    items = first * 0.1 / np.sqrt(model.factors) * (x.sum(axis=0) > 0)[:, None]
    for _ in range(model.iterations):
        items = half(model, x.T, half(model, x, items))
    return items


def some_values() -> np.ndarray:
    """30 users x 13 items, a third of them with values from .2 to 5; user 4 and item 6 have none."""
    rng = np.random.default_rng(3)
    x = (rng.random((30, 13)) < 0.35) * rng.uniform(0.2, 5, (30, 13)).astype(np.float32)
    x[4], x[:, 6] = 0, 0
    return x


@pytest.mark.parametrize("iterations", [1, 6])
@pytest.mark.parametrize(
    "factors, alpha, frequency_scaling", [(1, 2.0, 1.0), (3, 0.5, 0.0), (16, 4.0, 0.5), (21, 1.0, 1.0)]
)
def test_agrees_with_dense_normal_equations(
    iterations: int, factors: int, alpha: float, frequency_scaling: float, tiny: Tiny
) -> None:
    x = some_values()
    data = weighed(tiny, x)
    model = fitted(
        data,
        factors=factors,
        iterations=iterations,
        alpha=alpha,
        frequency_scaling=frequency_scaling,
        regularization=0.05,
    )
    items = naive(model, x)
    np.testing.assert_allclose(model.items_, items, atol=2e-4 * abs(items).max())
    np.testing.assert_allclose(model.score(histories(data)), half(model, x, items) @ items.T, atol=2e-4)
    assert (model.items_[6] == 0).all()


def test_three_steps_come_to_the_same(tiny: Tiny) -> None:
    data = weighed(tiny, some_values())
    exact, quick = (fitted(data, iterations=60, cg_steps=steps).score(histories(data)) for steps in (EXACT, 3))
    np.testing.assert_allclose(quick, exact, atol=1e-3)


def check_two_tastes(scores: np.ndarray) -> None:
    """8 users and 8 items in two tastes: the best two vectors are at right angles, w = h within a taste, |w|^2 = s.

    A taste costs 16 (1 + alpha) (1 - s)^2 + 8 ridge s with ridge = .1 (4 alpha + 8), so s = 1 - .1 (alpha + 2) /
    (alpha + 1) = .875 for alpha = 3.
    """
    taste = np.arange(8)[:, None] % 2 == np.arange(8) % 2
    np.testing.assert_allclose(scores, 0.875 * taste, atol=1e-4)


def tastes() -> list[list[int]]:
    return (np.arange(8)[:, None] % 2 == np.arange(8) % 2).astype(int).tolist()


@pytest.mark.parametrize("factors", [2, 8, 20], ids=["as many as tastes", "as many as items", "more than items"])
def test_two_tastes_by_hand(factors: int, tiny: Tiny, ask: Ask) -> None:
    model = fitted(tiny(tastes()), factors=factors, iterations=60)
    check_two_tastes(model.score(ask(tastes())))


MUTATIONS = {
    "transposed": lambda items: items.T.copy(),
    "negated": lambda items: np.where(np.arange(len(items))[:, None] < 4, -items, items),
    "untrained": lambda items: np.random.default_rng(0).normal(0, 0.1, items.shape).astype(np.float32),
}


@pytest.mark.parametrize("mutate", MUTATIONS.values(), ids=MUTATIONS)
def test_wrong_factors_would_be_noticed(mutate: Callable, tiny: Tiny, ask: Ask) -> None:
    """Negating all items negates users too, and changes nothing; so half of them are."""
    model = fitted(tiny(tastes()), factors=8, iterations=60)
    model.items_ = mutate(model.items_)
    with pytest.raises(AssertionError):
        check_two_tastes(model.score(ask(tastes())))


def test_withheld_items_of_ones_taste_come_first(tiny: Tiny, ask: Ask) -> None:
    liked = np.array(tastes())
    seen = liked - np.eye(8, dtype=int)
    scores = fitted(tiny(seen), factors=2, iterations=20, regularization=0.01).score(ask(seen))
    scores[seen > 0] = -np.inf
    np.testing.assert_array_equal(scores.argmax(axis=1), np.arange(8))


def test_a_newcomer_is_answered_exactly(tiny: Tiny, ask: Ask) -> None:
    model = fitted(weighed(tiny, some_values()), factors=7, iterations=4, cg_steps=3)
    new = (np.random.default_rng(9).random((5, 13)) < 0.4).astype(int)
    items = model.items_.astype(float)
    np.testing.assert_allclose(model.score(ask(new)), half(model, new, items) @ items.T, atol=1e-5)


def test_each_iteration_lowers_the_objective(tiny: Tiny) -> None:
    x = some_values()
    losses = []
    for iterations in range(1, 9):
        model = fitted(weighed(tiny, x), factors=4, iterations=iterations, cg_steps=3)
        items = model.items_.astype(float)
        users = half(model, x, items)
        fit = ((1 + model.alpha * x) * ((x > 0) - users @ items.T) ** 2).sum()
        losses.append(fit + ridges(model, x) @ (users**2).sum(axis=1) + ridges(model, x.T) @ (items**2).sum(axis=1))
    assert (np.diff(losses) < 0).all(), losses


def test_values_weigh_and_zeros_do_not_count(tiny: Tiny) -> None:
    x = np.array(tastes(), np.float32)
    x[0, :4:2] = [5, 0.1]
    data = weighed(tiny, x)
    scores = fitted(data, factors=2, iterations=20).score(histories(data))
    assert scores[0, 0] > scores[0, 2] + 0.01
    rows = data.interactions
    users, items, values = (np.append(a, b) for a, b in ((rows.users, 1), (rows.items, 0), (rows.values, 0)))
    more = Interactions(users.astype(np.int32), items.astype(np.int32), values.astype(np.float32), 8, 8)
    with_zero = replace(data, interactions=more)
    np.testing.assert_array_equal(fitted(with_zero, factors=2, iterations=20).score(histories(with_zero)), scores)


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_wrong_values_are_refused(wrong: float, tiny: Tiny) -> None:
    data = tiny(tastes())
    values = data.interactions.values.copy()
    values[3] = wrong
    with pytest.raises(DataError, match=rf"als .*{wrong:g}.*filter=all_positive"):
        fitted(replace(data, interactions=replace(data.interactions, values=values)))


def test_values_beyond_float32_are_named(tiny: Tiny) -> None:
    data = weighed(tiny, np.array(tastes()) * 1e30)
    with pytest.raises(DataError, match=r"values of up to 1e\+30 are too large"):
        fitted(data)


@pytest.mark.parametrize("matrix", [[[1]], [[1, 1, 0]], [[1], [1]], [[0, 0], [0, 0]]])
def test_small_data(matrix: list[list[int]], tiny: Tiny, ask: Ask) -> None:
    scores = fitted(tiny(matrix), factors=5).score(ask(matrix))
    assert np.isfinite(scores).all()
    assert (scores[np.array(matrix) == 1] > 0).all()
