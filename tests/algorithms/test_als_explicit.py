"""ALSExplicit against a naive loop of normal equations in float64."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import recexp
from recexp.algorithms import FitContext
from recexp.algorithms.factorization.als_explicit import ALSExplicit
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import DataError


def ratings() -> np.ndarray:
    """30 users x 13 items, a third of them rated from 1 to 5; user 4 and item 6 have no ratings."""
    rng = np.random.default_rng(3)
    r = (rng.random((30, 13)) < 0.35) * rng.integers(1, 6, (30, 13)).astype(np.float32)
    r[4], r[:, 6] = 0, 0
    return r


def rated(r: np.ndarray) -> Dataset:
    users, items = (codes.astype(np.int32) for codes in np.nonzero(r))
    rows = Interactions(users, items, r[users, items], *r.shape, explicit=True)
    return Dataset("ratings", rows, np.arange(r.shape[0]), np.arange(r.shape[1]))


def fitted(r: np.ndarray, **fields: float) -> ALSExplicit:
    values = {"factors": 3, "iterations": 4, "regularization": 0.1, **fields}
    return ALSExplicit(**values).fit(rated(r), FitContext(rng=np.random.default_rng(0)))


def half(r: np.ndarray, mean: float, other: np.ndarray, regularization: float) -> np.ndarray:
    """Solve for w and b of rows, least |r - mean - b_i - b - w . h_i|^2 + n l (|w|^2 + b^2), given those of columns."""
    out = np.zeros((len(r), other.shape[1]))
    for row, values in enumerate(r):
        at = np.flatnonzero(values)
        if len(at):
            z = np.column_stack([other[at, :-1], np.ones(len(at))])
            ridge = regularization * len(at) * np.eye(z.shape[1])
            out[row] = np.linalg.solve(z.T @ z + ridge, z.T @ (values[at] - mean - other[at, -1]))
    return out


def naive(r: np.ndarray, factors: int, iterations: int, regularization: float) -> np.ndarray:
    """Return the scores of all pairs, from the same first item factors."""
    first = np.random.default_rng(0).standard_normal((r.shape[1], factors), np.float32) / np.sqrt(factors)
    items, mean = np.column_stack([first, np.zeros(r.shape[1])]), r[r > 0].mean()
    for _ in range(iterations):
        users = half(r, mean, items, regularization)
        items = half(r.T, mean, users, regularization)
    users = half(r, mean, items, regularization)
    return mean + users[:, -1:] + items[:, -1] + users[:, :-1] @ items[:, :-1].T


def everyone(data: Dataset) -> Queries:
    return Queries.of_users(np.arange(data.n_users, dtype=np.int32), data.interactions, exclude_seen=False)


def check(model: ALSExplicit, r: np.ndarray) -> None:
    expected = naive(r, model.factors, model.iterations, model.regularization)
    np.testing.assert_allclose(model.score(everyone(rated(r))), expected, atol=2e-3)


@pytest.mark.parametrize("iterations", [1, 5])
@pytest.mark.parametrize(("factors", "regularization"), [(1, 0.05), (3, 0.1), (16, 0.5)])
def test_agrees_with_a_naive_loop(factors: int, regularization: float, iterations: int) -> None:
    r = ratings()
    check(fitted(r, factors=factors, regularization=regularization, iterations=iterations), r)


MUTATIONS = {
    "transposed": lambda items: items.T.copy(),
    "negated": lambda items: np.where(np.arange(len(items))[:, None] < 4, -items, items),
    "untrained": lambda items: np.random.default_rng(0).normal(0, 0.5, items.shape).astype(np.float32),
}


@pytest.mark.parametrize("mutate", MUTATIONS.values(), ids=MUTATIONS)
def test_wrong_factors_would_be_noticed(mutate: Callable) -> None:
    """As many factors as items, so that they can be transposed; negating all items changes nothing."""
    r = ratings()
    model = fitted(r, factors=13, regularization=0.02)
    check(model, r)
    model.items_ = mutate(model.items_)
    with pytest.raises(AssertionError):
        check(model, r)


def test_who_and_what_has_no_ratings_gets_the_biases_that_are_known() -> None:
    r = ratings()
    data, model = rated(r), fitted(r)
    users, items = (np.array(codes, np.int32) for codes in ([4, 2], [3, 6]))
    asked = replace(data.interactions.take(np.arange(2)), users=users, items=items)
    queries = everyone(data)
    factors, effects = model.user_factors(queries)
    assert not factors[4].any() and effects[4] == np.float32(model.mean_)
    assert model.item_biases_[6] == 0
    found = model.predict(asked, queries.take(np.array([4, 2])))
    np.testing.assert_allclose(found, [model.mean_ + model.item_biases_[3], effects[2]], rtol=1e-6)


@pytest.mark.parametrize("scale", [1e3, 1e6, 1e8])
def test_large_ratings_are_learned_as_small_ones_are(scale: float, store: Dataset) -> None:
    """Without much of a ridge less than a tenth of the spread is left, whatever the scale."""
    rows = store.interactions
    rows = replace(rows, values=rows.values * np.float32(scale))
    model = recexp.make("algorithm=als_explicit").fit(replace(store, interactions=rows))
    errors = model.predict(rows, Queries.of_users(rows.users, rows, exclude_seen=False)) - rows.values
    assert np.sqrt((errors.astype(float) ** 2).mean()) < 0.1 * rows.values.std(dtype=float)


def test_ratings_beyond_single_precision_are_refused(store: Dataset) -> None:
    rows = replace(store.interactions, values=store.interactions.values * np.float32(1e12))
    with pytest.raises(DataError, match="too large for single precision; scale the ratings down"):
        recexp.make("algorithm=als_explicit").fit(replace(store, interactions=rows))
