"""What each iterative algorithm says that it minimizes falls or stays, iteration by iteration, on ratings of any scale.

The losses are written anew here from the formulas of the docstrings, in float64.
"""

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest

import recexp
from recexp.algorithms import FitContext, Recommender
from recexp.config import options
from recexp.data import Dataset, Queries

SCALES = {"1 to 5": (1, 0), "scaled": (1000, 0), "tiny": (0.001, 0), "shifted": (1, 100), "0-1": (1 / 4, -1 / 4)}
SCALES["0-100"] = (25, -25)
BY_BASELINES = {"item_knn", "social", "user_knn"}
"""Their iterations are those of `bias`, by the same function."""
NAMES = sorted(
    name
    for name in options("algorithm")
    if name not in BY_BASELINES and "iterations" in {field.name for field in fields(recexp.make(f"algorithm={name}"))}
)


def everyone(data: Dataset) -> Queries:
    return Queries.of_users(np.arange(data.n_users, dtype=np.int32), data.interactions, exclude_seen=False)


def wide(*arrays: np.ndarray) -> list[np.ndarray]:
    return [np.asarray(array, np.float64) for array in arrays]


def matrix(data: Dataset, *, values: bool) -> np.ndarray:
    return data.interactions.csr(values=values).toarray().astype(np.float64)


def counts(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    rows = data.interactions
    return np.bincount(rows.users, minlength=rows.n_users), np.bincount(rows.items, minlength=rows.n_items)


def errors(model: Recommender, data: Dataset) -> float:
    rows = data.interactions
    scores = model.score(everyone(data)).astype(np.float64)
    return float(((rows.values - scores[rows.users, rows.items]) ** 2).sum())


def als(model: Recommender, data: Dataset) -> float:
    """With the users that are best for the items."""
    x, (items, users) = matrix(data, values=True), wide(model.items_, model.user_vectors(everyone(data)))
    likes, (n_users, n_items) = x > 0, x.shape
    ridges = [
        model.regularization * (model.alpha * likes.sum(axis=axis) + n) ** model.frequency_scaling
        for axis, n in ((1, n_items), (0, n_users))
    ]
    norms = (ridges[0] * (users**2).sum(axis=1)).sum() + (ridges[1] * (items**2).sum(axis=1)).sum()
    return float(((1 + model.alpha * x) * (likes - users @ items.T) ** 2).sum() + norms)


def als_explicit(model: Recommender, data: Dataset) -> float:
    factors, effects, items, biases = wide(*model.user_factors(everyone(data)), model.items_, model.item_biases_)
    (of_user, of_item) = counts(data)
    users = (of_user * ((effects - model.mean_) ** 2 + (factors**2).sum(axis=1))).sum()
    return errors(model, data) + model.regularization * (users + (of_item * (biases**2 + (items**2).sum(axis=1))).sum())


def bias(model: Recommender, data: Dataset) -> float:
    scores, (items,) = model.score(everyone(data)), wide(model.items_)
    users = scores[:, 0].astype(np.float64) - items[0] - model.mean_
    return errors(model, data) + model.user_damping * (users**2).sum() + model.item_damping * (items**2).sum()


def bpr(model: Recommender, data: Dataset) -> float:
    """The mean over seen and unseen items of -ln sigmoid."""
    seen, scores = matrix(data, values=False) > 0, model.score(everyone(data)).astype(np.float64)
    pairs = seen[:, :, None] & ~seen[:, None, :]
    return float(np.log1p(np.exp(scores[:, None, :] - scores[:, :, None]))[pairs].mean())


def nmf(model: Recommender, data: Dataset) -> float:
    items, users = wide(model.items_, model.user_vectors(everyone(data)))
    return float(((matrix(data, values=True) - users @ items.T) ** 2).sum() / 2)


def rating_nmf(model: Recommender, data: Dataset) -> float:
    users, items = wide(model.users_, model.items_)
    rows, (of_user, of_item) = data.interactions, counts(data)
    squares = ((rows.values - (users @ items.T)[rows.users, rows.items]) ** 2).sum()
    norms = (of_user * (users**2).sum(axis=1)).sum() + (of_item * (items**2).sum(axis=1)).sum()
    return float(squares + model.regularization * norms)


def slim(model: Recommender, data: Dataset) -> float:
    x, (weights,) = matrix(data, values=False), wide(model.weights_.toarray())
    penalty = model.l1_ratio * abs(weights).sum() + (1 - model.l1_ratio) / 2 * (weights**2).sum()
    return float(((x - x @ weights) ** 2).sum() / 2 / len(x) + model.alpha * penalty)


def slim_admm(model: Recommender, data: Dataset) -> float:
    x, (weights,) = matrix(data, values=False), wide(model.weights_.toarray())
    shares = x.mean(axis=0)[:, None] ** model.alpha
    penalty = model.l1 * abs(weights).sum() + model.l2 / 2 * (shares * weights**2).sum()
    return float(((x - x @ weights) ** 2).sum() / 2 + penalty)


LOSSES: dict[str, Callable[[Recommender, Dataset], float]] = {
    **{"als": als, "als_explicit": als_explicit, "bias": bias, "bpr": bpr, "mf": errors, "nmf": nmf},
    **{"rating_nmf": rating_nmf, "slim": slim, "slim_admm": slim_admm, "svdpp": errors},
}


@pytest.mark.parametrize("name", NAMES)
def test_the_training_loss_falls_or_stays(name: str, store: Dataset) -> None:
    model, rows = recexp.make(f"algorithm={name}"), store.interactions
    assert name in LOSSES, "an algorithm with iterations says here what they lower"
    scales = SCALES if model.capabilities.feedback == "value" else {"1 to 5": SCALES["1 to 5"]}
    for scale, (factor, shift) in scales.items():
        values = (rows.values.astype(np.float64) * factor + shift).astype(np.float32)
        data, losses = replace(store, interactions=replace(rows, values=values)), []
        for iterations in (1, 2, 3, 12):
            context = FitContext(rng=np.random.default_rng(1))
            losses.append(LOSSES[name](replace(model, iterations=iterations).fit(data, context), data))
        assert np.isfinite(losses).all(), scale
        assert (np.diff(losses) <= 1e-6 * losses[0]).all(), f"{scale}: {losses}"


@pytest.mark.parametrize("name", ["mf", "svdpp", "rating_nmf"])
def test_errors_of_long_fits_are_in_proportion_to_the_scale(name: str, store: Dataset) -> None:
    """Without penalty less than half of the variance is left."""
    rows, model = store.interactions, replace(recexp.make(f"algorithm={name}"), iterations=200, regularization=0.0)
    for scale in (1e-3, 1.0, 25.0, 1e6):
        data = replace(store, interactions=replace(rows, values=rows.values * np.float32(scale)))
        assert errors(model.fit(data), data) < 0.5 * len(rows) * data.interactions.values.var(), scale
