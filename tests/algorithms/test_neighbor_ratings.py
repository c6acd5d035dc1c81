"""ItemKNN and UserKNN on ratings: similarities of values, and averages as predictions, against naive loops."""

import dataclasses
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from recexp import make
from recexp.algorithms.baselines.popularity import Popularity
from recexp.algorithms.neighbors.knn import KNN
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import ConfigError, DataError
from recexp.models.fitted import FittedModel
from recexp.ranking import Ranking

R = np.array([[5, 3, 0, 1], [4, 0, 4, 1], [1, 1, 0, 5], [0, 2, 5, 4]], float)
"""0 is no rating."""
AVERAGES = ["average", "average_means", "average_baselines"]
OF_VALUES = ["adjusted_cosine", "centered_cosine", "pearson", "msd", "common_cosine"]


def rated(ratings: np.ndarray) -> Dataset:
    users, items = (part.astype(np.int32) for part in np.nonzero(ratings))
    values = ratings[users, items].astype(np.float32)
    rows = Interactions(users, items, values, *ratings.shape, explicit=True)
    return Dataset("rated", rows, np.arange(len(ratings)), np.arange(ratings.shape[1]))


made = cache(make)


def fitted(name: str, data: Dataset, **fields) -> KNN:
    return dataclasses.replace(made(f"algorithm={name}"), **fields).fit(data)


def asked(ratings: np.ndarray, known: bool = True) -> Queries:
    queries = Queries.of_users(np.arange(len(ratings), dtype=np.int32), rated(ratings).interactions, exclude_seen=False)
    return queries if known else queries.asked_by(-1)


def check_by_hand(users: KNN, items: KNN) -> None:
    """MSD of user 1 with 0, 2, 3: (1 + 0) / 2, (9 + 16) / 2, (1 + 9) / 2; of item 0 with 1, 2, 3 likewise."""
    s0, s2, s3 = 1 / 1.5, 1 / 13.5, 1 / 6
    found = users.score(asked(R))
    assert found[1, 1] == pytest.approx((s0 * 3 + s3 * 2) / (s0 + s3))  # the two nearest who rated it
    assert found[1, 0] == pytest.approx((s0 * 5 + s2 * 1) / (s0 + s2))  # himself left out
    t1, t2, t3 = 1 / (1 + 4 / 2), 1 / (1 + 0), 1 / (1 + (16 + 9 + 16) / 3)
    found = items.score(asked(R))
    assert found[3, 0] == pytest.approx((t2 * 5 + t1 * 2) / (t2 + t1))
    assert found[1, 0] == pytest.approx((t2 * 4 + t3 * 1) / (t2 + t3))


def pair(aggregate: str = "average", data: Dataset | None = None, k: int = 2) -> tuple[KNN, KNN]:
    data = data or rated(R)
    return tuple(fitted(name, data, aggregate=aggregate, similarity="msd", k=k) for name in ("user_knn", "item_knn"))


def test_averages_by_hand() -> None:
    check_by_hand(*pair())


@pytest.mark.parametrize(
    "wrong, part, mutate",
    [
        (0, "rows_", lambda m: -m),
        (0, "columns_", lambda m: m.T.tocsr()),
        (0, "mean_", lambda m: -m),
        (1, "weights_", lambda m: m[::-1]),
    ],
    ids=["rows", "columns", "mean", "similarity"],
)
def test_wrong_averages_would_be_noticed(wrong: int, part: str, mutate: Callable) -> None:
    models = pair()
    setattr(models[wrong], part, mutate(getattr(models[wrong], part)))
    with pytest.raises(AssertionError):
        check_by_hand(*models)


def naive_similarity(a: np.ndarray, b: np.ndarray, similarity: str, shrinkage: float) -> float:
    """Of two rows of ratings, 0 where there is none."""
    both = (a != 0) & (b != 0)
    n, u, v = both.sum(), a[both], b[both]
    if not n:
        return 0.0
    if similarity == "msd":
        return n / (((u - v) ** 2).sum() + n + shrinkage)
    if similarity == "pearson":
        u, v = u - u.mean(), v - v.mean()
        if (u**2).sum() < 1e-9 or (v**2).sum() < 1e-9:
            return 0.0
    elif similarity == "cosine":
        return u @ v / (np.linalg.norm(a) * np.linalg.norm(b) + shrinkage)
    return u @ v / (np.linalg.norm(u) * np.linalg.norm(v) + shrinkage)


@pytest.fixture(scope="module")
def ratings() -> np.ndarray:
    """30 users by 12 items, one user and one item without ratings, one user with one."""
    rng = np.random.default_rng(8)
    ratings = np.where(rng.random((30, 12)) < 0.4, rng.integers(1, 11, (30, 12)) / 2, 0)
    ratings[4], ratings[:, 7], ratings[9, 1:] = 0, 0, 0
    return ratings


@pytest.mark.parametrize("shrinkage", [0.0, 2.0])
@pytest.mark.parametrize("similarity", OF_VALUES)
@pytest.mark.parametrize("name", ["item_knn", "user_knn"])
def test_sums_of_rating_similarities(name: str, similarity: str, shrinkage: float, ratings: np.ndarray) -> None:
    k, of_items = 3, name == "item_knn"
    seen, compared = ratings != 0, ratings
    if similarity in ("adjusted_cosine", "centered_cosine"):  # less the user's mean for items, or the item's own
        axis = 1 if of_items == (similarity == "adjusted_cosine") else 0
        means = ratings.sum(axis, keepdims=True) / np.maximum(1, seen.sum(axis, keepdims=True))
        compared = np.where(seen, ratings - means, 0)
    rows = compared.T if of_items else compared
    shape, s = "cosine" if similarity.endswith("ed_cosine") else similarity, np.zeros((len(rows), len(rows)))
    for i in range(len(rows)):
        pairs = [(naive_similarity(rows[i], rows[j], shape, shrinkage), -j) for j in range(len(rows)) if j != i]
        for value, j in sorted([(round(v, 12), j) for v, j in pairs], reverse=True)[:k]:
            s[i, -j] = max(0.0, value)
    model = fitted(name, rated(ratings), similarity=similarity, shrinkage=shrinkage, k=k)
    can = model.capabilities
    assert (can.needs, can.feedback, can.predicts) == ({"ratings"}, "value", False)
    found = model.score(asked(ratings))
    np.testing.assert_allclose(found, ratings @ s.T if of_items else s @ ratings, atol=1e-4)


@pytest.mark.parametrize("similarity", ["cosine", "pearson"])
@pytest.mark.parametrize("aggregate", AVERAGES)
@pytest.mark.parametrize("name", ["item_knn", "user_knn"])
def test_averages_agree_with_naive_loops(name: str, aggregate: str, similarity: str, ratings: np.ndarray) -> None:
    k, of_items, seen = 3, name == "item_knn", ratings != 0
    mean = ratings[seen].mean()
    users, items = np.zeros(30), np.zeros(12)
    if aggregate == "average_means" and of_items:
        items = np.where(seen.any(0), ratings.sum(0) / np.maximum(1, seen.sum(0)) - mean, 0)
    elif aggregate == "average_means":
        users = np.where(seen.any(1), ratings.sum(1) / np.maximum(1, seen.sum(1)) - mean, 0)
    elif aggregate == "average_baselines":
        for _ in range(3):
            items = np.where(seen, ratings - mean - users[:, None], 0).sum(0) / (4.0 + seen.sum(0))
            users = np.where(seen, ratings - mean - items, 0).sum(1) / (2.0 + seen.sum(1))
    base = mean + users[:, None] + items
    above, rows = np.where(seen, ratings - base, 0), ratings.T if of_items else ratings
    s = np.array([[naive_similarity(a, b, similarity, 1.0) for b in rows] for a in rows])
    np.fill_diagonal(s, 0)
    expected = base.copy()
    for u, i in np.ndindex(ratings.shape):
        row, has, values = (s[i], seen[u], above[u]) if of_items else (s[u], seen[:, i], above[:, i])
        near = sorted(np.flatnonzero(has & (row > 0)), key=lambda d: (-round(row[d], 12), d))[:k]
        if near:
            expected[u, i] += row[near] @ values[near] / row[near].sum()
    if aggregate == "average_means" and not of_items:
        expected[:, 7] = mean
    model = fitted(
        name,
        rated(ratings),
        aggregate=aggregate,
        similarity=similarity,
        shrinkage=1.0,
        k=k,
        user_damping=2.0,
        item_damping=4.0,
        iterations=3,
    )
    np.testing.assert_allclose(model.score(asked(ratings)), expected, atol=1e-4)


@pytest.mark.parametrize("aggregate", AVERAGES)
@pytest.mark.parametrize("name", ["item_knn", "user_knn"])
def test_predictions_are_clipped_scores(
    name: str, aggregate: str, store: Dataset, ranking: Ranking, queries: Queries, tmp_path
) -> None:
    model = fitted(name, store, aggregate=aggregate, similarity="msd", k=5)
    scores, rows = model.score(queries), store.interactions
    at = np.searchsorted(queries.users, rows.users)
    found = model.predict(rows, queries.take(at))
    np.testing.assert_allclose(found, np.clip(scores[at, rows.items], 1, 5), atol=1e-5)
    np.testing.assert_array_equal(model.score(queries.take(np.array([4, 0]))), scores[[4, 0]])
    can = model.capabilities
    assert (can.needs, can.feedback, can.predicts) == ({"ratings"}, "value", True)

    nobody = Queries.of_users(rows.users, rows.take(np.zeros(0, int)), exclude_seen=False).asked_by(-1)
    assert np.isfinite(model.predict(rows, nobody)).all()
    popularity = Popularity(half_life_days=None).fit(store)
    whole = FittedModel.of(model, popularity, ranking, store, exclude_seen=True, block_mib=1)
    assert 1 <= whole.predict("nobody", ["item2"], history=["item4", "item6"])["item2"] <= 5
    whole.save(tmp_path / "model")
    np.testing.assert_array_equal(FittedModel.load(tmp_path / "model").model.score(queries), scores)


@pytest.mark.parametrize("aggregate", AVERAGES)
@pytest.mark.parametrize("name", ["item_knn", "user_knn"])
def test_hardly_any_ratings(name: str, aggregate: str) -> None:
    for ratings in ([[3.0]], [[3.0, 3.0], [3.0, 3.0]], [[-2.0, 0.0], [-2.0, 4.0]]):
        for similarity in ("msd", "pearson", "cosine"):
            ratings = np.array(ratings)
            model = fitted(name, rated(ratings), aggregate=aggregate, similarity=similarity, k=100)
            found = model.predict(rated(ratings).interactions, asked(ratings, known=False).take(np.nonzero(ratings)[0]))
            assert ((found >= ratings.min() - 1e-6) & (found <= ratings.max() + 1e-6)).all()


def test_several_ratings_of_one_item_count_as_their_mean() -> None:
    once, data = rated(np.where(R == 4, 3, R)), rated(R)
    rows = data.interactions
    twice = np.concatenate([np.arange(len(rows)), np.flatnonzero(rows.values == 4)])
    values = np.where(np.arange(len(twice)) < len(rows), rows.values[twice], 2).astype(np.float32)
    twice = dataclasses.replace(data, interactions=dataclasses.replace(rows.take(twice), values=values))
    for one, other in zip(pair(data=once), pair(data=twice)):
        queries = Queries.of_users(np.arange(4, dtype=np.int32), once.interactions, exclude_seen=False)
        np.testing.assert_allclose(one.score(queries), other.score(queries), atol=1e-5)


def test_what_makes_no_sense_is_refused() -> None:
    for settings in (["aggregate=average"], ["similarity=pearson"]):
        with pytest.raises(ConfigError, match="weighting must be none where ratings are the weights"):
            make("algorithm=item_knn", "algorithm.weighting=bm25", *[f"algorithm.{s}" for s in settings])
    holes = rated(R)
    values = np.full_like(holes.interactions.values, np.nan)
    holes = dataclasses.replace(holes, interactions=dataclasses.replace(holes.interactions, values=values))
    for fields in ({"aggregate": "average"}, {"similarity": "msd"}):
        for name in ("item_knn", "user_knn"):
            with pytest.raises(DataError, match="no finite rating"):
                fitted(name, holes, **fields)
            with pytest.raises(DataError, match="no rows"):
                fitted(name, rated(np.zeros((2, 2))), **fields)
    with pytest.raises(TypeError, match="does not predict"):
        fitted("item_knn", rated(R)).predict(rated(R).interactions, asked(R))
