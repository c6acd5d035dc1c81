"""Bias, SlopeOne, MF, SVDpp and RatingNMF against cases by hand and naive loops in float64."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from recexp.algorithms import FitContext, Recommender
from recexp.algorithms.baselines.bias import Bias
from recexp.algorithms.factorization.mf import MF
from recexp.algorithms.factorization.rating_nmf import RatingNMF
from recexp.algorithms.factorization.svdpp import SVDpp
from recexp.algorithms.neighbors.slope_one import SlopeOne
from recexp.algorithms.ratings import unique_queries, user_means
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import ConfigError, DataError

MODELS = {
    "bias": Bias(user_damping=2.0, item_damping=1.0, iterations=4),
    "slope_one": SlopeOne(),
    "mf": MF(factors=3, iterations=7, learning_rate=0.05, regularization=0.1, init_std=0.3),
    "svdpp": SVDpp(factors=3, iterations=7, learning_rate=0.05, regularization=0.1, init_std=0.3),
    "rating_nmf": RatingNMF(factors=3, iterations=7, regularization=0.1),
}


def dataset(matrix: list[list[float]] | np.ndarray) -> Dataset:
    """Rows of the matrix's entries other than 0, as ratings."""
    x = np.array(matrix, np.float32)
    users, items = np.nonzero(x)
    rows = Interactions(users.astype(np.int32), items.astype(np.int32), x[users, items], *x.shape, explicit=True)
    return Dataset("d", rows, np.arange(x.shape[0]), np.arange(x.shape[1]))


def queries(data: Dataset, users: list[int] | None = None) -> Queries:
    """One query for each user, asked by `users` if given."""
    known = Queries.of_users(np.arange(data.n_users, dtype=np.int32), data.interactions, exclude_seen=False)
    return known if users is None else replace(known, users=np.array(users, np.int32))


def fitted(name: str, data: Dataset) -> Recommender:
    return replace(MODELS[name]).fit(data, FitContext(rng=np.random.default_rng(0)))


def predicted(model: Recommender, asked: Queries) -> np.ndarray:
    """What `predict` gives for every query and item, (b, n_items)."""
    b, n = len(asked), asked.n_items
    at, items = np.repeat(np.arange(b), n), np.tile(np.arange(n, dtype=np.int32), b)
    rows = Interactions(at.astype(np.int32), items, np.ones(b * n, np.float32), b, n)
    shuffled = np.random.default_rng(1).permutation(b * n)
    out = np.empty(b * n, np.float32)
    out[shuffled] = model.predict(rows.take(shuffled), asked.take(at[shuffled]))
    return out.reshape(b, n)


@pytest.fixture(scope="module")
def data() -> Dataset:
    """12 users by 9 items with half-star ratings, repeated and unordered rows; user 4 and item 6 have none."""
    rng = np.random.default_rng(2)
    x = np.where(rng.random((12, 9)) < 0.5, rng.integers(1, 11, (12, 9)) / 2, 0)
    x[4], x[:, 6] = 0, 0
    made = dataset(x)
    rows = made.interactions
    order = rng.permutation(np.append(np.arange(len(rows)), [3, 8]))  # two rows twice
    return replace(made, interactions=rows.take(order))


# naive models: what each predicts for each user and item, unclipped


def triples(data: Dataset) -> list[tuple[int, int, float]]:
    """User, item and rating of each row, by user, in file order."""
    rows = data.interactions
    order = np.argsort(rows.users, kind="stable")
    return [(int(rows.users[r]), int(rows.items[r]), float(rows.values[r])) for r in order]


def naive_bias(data: Dataset, model: Bias) -> np.ndarray:
    ratings = triples(data)
    mean = np.mean([r for _, _, r in ratings])
    users, items = np.zeros(data.n_users), np.zeros(data.n_items)
    for _ in range(model.iterations):
        for i in range(len(items)):
            own = [r - mean - users[u] for u, j, r in ratings if j == i]
            items[i] = sum(own) / (model.item_damping + len(own))
        for u in range(len(users)):
            own = [r - mean - items[i] for v, i, r in ratings if v == u]
            users[u] = sum(own) / (model.user_damping + len(own))
    return mean + users[:, None] + items


def naive_slope_one(data: Dataset, model: SlopeOne) -> np.ndarray:
    ratings = triples(data)
    out = np.full((data.n_users, data.n_items), np.mean([r for _, _, r in ratings]))
    of = [[(i, r) for v, i, r in ratings if v == u] for u in range(data.n_users)]
    for u in range(data.n_users):
        for i in range(data.n_items):
            found = []
            for j, _ in of[u]:
                both = [a - b for own in of for k, a in own if k == i for other, b in own if other == j and j != i]
                if both:
                    found.append(np.mean(both))
            if of[u] and any(item == i for _, item, _ in ratings):
                out[u, i] = np.mean([r for _, r in of[u]]) + (np.mean(found) if found else 0)
    return out


def naive_mf(data: Dataset, model: MF | SVDpp) -> np.ndarray:
    """Also SVD++, whose every rating changes each y of the user."""
    rng, ratings, plus = np.random.default_rng(0), triples(data), isinstance(model, SVDpp)
    mean, rate, penalty = np.mean([r for _, _, r in ratings]), model.learning_rate, model.regularization
    bu, bi = np.zeros(data.n_users), np.zeros(data.n_items)
    p, q, y = (rng.normal(0, model.init_std, (n, model.factors)) for n in (len(bu), len(bi), len(bi)))
    if not plus:
        y[:] = 0
    of = [sorted({i for v, i, _ in ratings if v == u}) for u in range(len(bu))]
    for _ in range(model.iterations):
        for u, i, r in ratings:
            z = y[of[u]].sum(axis=0) / np.sqrt(len(of[u]))
            error = r - (mean + bu[u] + bi[i] + q[i] @ (p[u] + z))
            bu[u] += rate * (error - penalty * bu[u])
            bi[i] += rate * (error - penalty * bi[i])
            old_p, old_q = p[u].copy(), q[i].copy()
            p[u] += rate * (error * old_q - penalty * old_p)
            q[i] += rate * (error * (old_p + z) - penalty * old_q)
            for j in of[u] if plus else ():
                y[j] += rate * (error * old_q / np.sqrt(len(of[u])) - penalty * y[j])
    users = np.array([p[u] + y[of[u]].sum(axis=0) / np.sqrt(len(of[u])) if of[u] else 0 * p[u] for u in range(len(bu))])
    for i in range(len(bi)):
        if not any(item == i for _, item, _ in ratings):
            q[i] = 0
    return mean + bu[:, None] + bi + users @ q.T


def naive_nmf(data: Dataset, model: RatingNMF) -> np.ndarray:
    rng, ratings = np.random.default_rng(0), triples(data)
    p, q = (rng.uniform(0, 1, (n, model.factors)) for n in (data.n_users, data.n_items))
    for _ in range(model.iterations):
        for side, pairs in enumerate((ratings, [(i, u, r) for u, i, r in ratings])):
            own, other = (q, p) if side else (p, q)
            new = own.copy()
            for c in range(len(own)):
                mine = [(d, r) for e, d, r in pairs if e == c]
                upper = sum(r * other[d] for d, r in mine)
                lower = sum(own[c] @ other[d] * other[d] for d, _ in mine) + len(mine) * model.regularization * own[c]
                new[c] = own[c] * upper / lower if mine else 0
            p, q = (p, new) if side else (new, q)
    out = p @ q.T
    mean = np.mean([r for _, _, r in ratings])
    out[[u not in {v for v, _, _ in ratings} for u in range(len(p))]] = mean
    out[:, [i not in {j for _, j, _ in ratings} for i in range(len(q))]] = mean
    return out


NAIVE = {
    "bias": naive_bias,
    "slope_one": naive_slope_one,
    "mf": naive_mf,
    "svdpp": naive_mf,
    "rating_nmf": naive_nmf,
}


def check(model: Recommender, data: Dataset, expected: np.ndarray) -> None:
    np.testing.assert_allclose(model.score(queries(data)), expected, atol=1e-4)
    lowest, highest = data.interactions.values.min(), data.interactions.values.max()
    np.testing.assert_allclose(predicted(model, queries(data)), np.clip(expected, lowest, highest), atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_agrees_with_naive_loops(name: str, data: Dataset) -> None:
    check(fitted(name, data), data, NAIVE[name](data, MODELS[name]))


@pytest.mark.parametrize(
    "name, attribute",
    [
        ("bias", "items_"),
        ("slope_one", "deviations_"),
        ("mf", "users_"),
        ("mf", "items_"),
        ("mf", "user_biases_"),
        ("mf", "item_biases_"),
        ("svdpp", "users_"),
        ("svdpp", "items_"),
        ("svdpp", "implicit_"),
        ("rating_nmf", "users_"),
        ("rating_nmf", "items_"),
    ],
)
@pytest.mark.parametrize("mutate", [np.negative, np.flip], ids=["negated", "turned"])
def test_wrong_weights_would_be_noticed(name: str, attribute: str, mutate: Callable, data: Dataset) -> None:
    model, expected = fitted(name, data), NAIVE[name](data, MODELS[name])
    setattr(model, attribute, np.ascontiguousarray(mutate(getattr(model, attribute))))
    with pytest.raises(AssertionError):
        check(model, data, expected)


@pytest.mark.parametrize("name", ["mf", "svdpp", "rating_nmf"])
def test_too_few_iterations_would_be_noticed(name: str, data: Dataset) -> None:
    model = replace(MODELS[name], iterations=1).fit(data, FitContext(rng=np.random.default_rng(0)))
    with pytest.raises(AssertionError):
        check(model, data, NAIVE[name](data, MODELS[name]))


# by hand


def test_bias_by_hand() -> None:
    """Mean 3; items first: b_0 = (2 + 0) / (1 + 2) = 2/3, b_1 = -2 / (1 + 1) = -1; then b_u = sum / (1 + n)."""
    data = dataset([[5, 1], [3, 0]])
    model = Bias(user_damping=1.0, item_damping=1.0, iterations=1).fit(data, FitContext(rng=np.random.default_rng(0)))
    b0, b1 = (2 - 2 / 3 - 2 + 1) / 3, (0 - 2 / 3) / 2
    np.testing.assert_allclose(
        model.score(queries(data)), [[3 + 2 / 3 + b0, 2 + b0], [3 + 2 / 3 + b1, 2 + b1]], atol=1e-6
    )


def test_slope_one_by_hand() -> None:
    """The picture in the paper: who gives J half a point more than I will have 2.5 given J by who gave 2 to I."""
    model = fitted("slope_one", dataset([[1, 1.5], [2, 0]]))
    assert model.score(queries(dataset([[1, 1.5], [2, 0]])))[1, 1] == 2.5
    assert predicted(model, queries(dataset([[1, 1.5], [2, 0]])))[1, 1] == 2.0, "clipped to the range of train"
    # John 5 3 2, Mark 3 4 -, Lucy - 2 5: 2 + (5-3 + 3-4)/2 and 5 + (5-2)/1, of which the mean
    people = dataset([[5, 3, 2], [3, 4, 0], [0, 2, 5]])
    np.testing.assert_allclose(fitted("slope_one", people).score(queries(people))[2, 0], (2.5 + 8) / 2)


def test_equal_histories_get_equal_answers_whoever_asks(data: Dataset) -> None:
    for name in ("bias", "slope_one"):
        model = fitted(name, data)
        np.testing.assert_array_equal(
            model.score(queries(data, users=[-1] * data.n_users)), model.score(queries(data)), err_msg=name
        )


def test_unknown_users_get_what_is_known_of_the_item(data: Dataset) -> None:
    nobody = replace(queries(data), users=np.full(12, -1, np.int32), start=np.zeros(12, int), stop=np.zeros(12, int))
    mean = data.interactions.values.mean()
    for name, item in (("bias", "items_"), ("mf", "item_biases_"), ("svdpp", "item_biases_")):
        model = fitted(name, data)
        np.testing.assert_allclose(model.score(nobody)[3], mean + getattr(model, item), atol=1e-5, err_msg=name)
        np.testing.assert_allclose(predicted(model, nobody)[3, 6], mean, atol=1e-5, err_msg=name)
    for name in ("slope_one", "rating_nmf"):
        np.testing.assert_allclose(predicted(fitted(name, data), nobody), mean, atol=1e-5, err_msg=name)


def test_svdpp_serves_strangers_by_what_they_rated(data: Dataset) -> None:
    model, asked = fitted("svdpp", data), queries(data, users=[-1] * 12)
    seen = asked.history(values=False).toarray()
    z = seen @ model.implicit_ / np.sqrt(np.maximum(seen.sum(axis=1), 1))[:, None]
    np.testing.assert_allclose(model.score(asked), model.mean_ + model.item_biases_ + z @ model.items_.T, atol=1e-5)


def test_a_history_of_ids_alone_has_no_ratings(data: Dataset) -> None:
    ids = replace(queries(data), log=replace(queries(data).log, explicit=False))
    model = fitted("bias", data)
    np.testing.assert_allclose(model.score(ids), np.tile(model.mean_ + model.items_, (12, 1)), atol=1e-6)
    np.testing.assert_allclose(fitted("slope_one", data).score(ids), model.mean_, atol=1e-6)


def test_users_have_means(data: Dataset) -> None:
    expected = [np.mean([r for v, _, r in triples(data) if v == u] or [9]) for u in range(12)]
    np.testing.assert_allclose(user_means(queries(data), 9.0), expected)


def test_repeated_queries_are_found(data: Dataset) -> None:
    asked = queries(data).take(np.array([3, 1, 3, 3, 0, 1]))
    found, at = unique_queries(asked)
    assert sorted(found.users.tolist()) == [0, 1, 3]
    np.testing.assert_array_equal(found.users[at], asked.users)
    np.testing.assert_array_equal(found.stop[at], asked.stop)
    same_user = replace(asked, stop=asked.start + np.arange(6))
    assert len(unique_queries(same_user)[0]) == 6
    assert len(unique_queries(asked.take(slice(0, 0)))[0]) == 0


# bad input


@pytest.mark.parametrize("name", MODELS)
def test_bad_ratings_are_refused(name: str, data: Dataset) -> None:
    with pytest.raises(DataError, match="no ratings to learn from"):
        fitted(name, data.take(np.zeros(len(data.interactions), bool)))
    for wrong, advice in ((np.nan, "filter=ratings drops"), (np.inf, "correct or remove them")):
        values = data.interactions.values.copy()
        values[:3] = wrong
        with pytest.raises(DataError, match=f"3 of {len(values)} train rows have no finite rating .*; {advice}"):
            fitted(name, replace(data, interactions=replace(data.interactions, values=values)))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("matrix", [[[4]], [[4, 2, 3]], [[4], [2], [3]], [[3, 3], [3, 0], [0, 3]]])
def test_little_data_are_enough(name: str, matrix: list[list[float]]) -> None:
    data = dataset(matrix)
    values = predicted(fitted(name, data), queries(data))
    given = data.interactions.values
    assert ((values >= given.min()) & (values <= given.max())).all()


def test_negative_ratings(data: Dataset) -> None:
    below = replace(data, interactions=replace(data.interactions, values=data.interactions.values - 3))
    for name in ("bias", "slope_one", "mf", "svdpp"):
        check(fitted(name, below), below, NAIVE[name](below, MODELS[name]))
    with pytest.raises(DataError, match="rating_nmf needs ratings of at least 0"):
        fitted("rating_nmf", below)


@pytest.mark.parametrize("name", ["mf", "svdpp"])
def test_too_long_steps_are_named(name: str, data: Dataset) -> None:
    with pytest.raises(ConfigError, match=r"algorithm\.learning_rate: 50\.0 is too large"):
        replace(MODELS[name], learning_rate=50.0, iterations=30).fit(data, FitContext(rng=np.random.default_rng(0)))


@pytest.mark.parametrize("name", ["mf", "svdpp", "rating_nmf"])
def test_learning_curves_fall(name: str, data: Dataset) -> None:
    curve = {}
    replace(MODELS[name]).fit(data, FitContext(log_step=curve.__setitem__))
    found = [curve[step]["rmse"] for step in range(7)]
    assert len(curve) == 7
    assert found[-1] < found[0]
