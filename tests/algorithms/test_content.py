"""Content-based models against cosines by hand and naive loops in float64."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

import recexp as library
from recexp import make
from recexp.algorithms.content.content_based import ContentBased
from recexp.algorithms.content.content_knn import ContentKNN
from recexp.algorithms.features import item_features
from recexp.algorithms.neighbors.item_knn import ItemKNN
from recexp.data import Column, Dataset, Interactions, Queries
from recexp.errors import ConfigError, DataError

Ask, Tiny, Table = Callable[..., Queries], Callable[..., Dataset], Mapping[str, Column]
THREE = {"colour": Column.category(["red", "red", "blue"]), "price": Column.numeric([1, np.nan, 3], "price")}
"""Features (blue, red, price) of three items: (0, 1, 1, 0), (0, 1, 0, 0), (1, 0, -1, 0) before lengths become 1."""
FOUR = {
    "colour": Column.category(["red", "red", "blue", "blue"]),
    "price": Column.numeric([1, np.nan, 4, 2], "price"),
}
"""A fourth item, half the way from a price of 1 to one of 4: (1, 0, 0, 1)."""
ROOT = 1 / np.sqrt(2)


def shop(ratings: list[list[float]] | np.ndarray, items: Table, explicit: bool = True) -> Dataset:
    """Return a dataset of a users x items matrix of values, 0 where there is no row."""
    values = np.array(ratings, np.float32)
    users, codes = (part.astype(np.int32) for part in np.nonzero(values))
    rows = Interactions(users, codes, values[users, codes], *values.shape, explicit=explicit)
    return Dataset("shop", rows, np.arange(values.shape[0]), np.arange(values.shape[1]), items=items)


def everyone(data: Dataset) -> Queries:
    return Queries.of_users(np.arange(data.n_users, dtype=np.int32), data.interactions, exclude_seen=True)


def content(data: Dataset, columns: list[str] | None = None, **changes) -> ContentBased:
    fields = {"weights": None, "max_features": None, "stop_words": None, "damping": 0.0, **changes}
    return ContentBased(feature_columns=columns, **fields).fit(data)


def content_knn(data: Dataset, content_weight: float, k: int, columns: list[str] | None = None) -> ContentKNN:
    model = ContentKNN(
        k=k, content_weight=content_weight, feature_columns=columns, weights=None, max_features=None, stop_words=None
    )
    return model.fit(data)


def features(table: Table, n: int, **changes) -> np.ndarray:
    fields = {"columns": None, "weights": None, "max_features": None, "stop_words": None, **changes}
    return item_features(shop(np.ones((1, n)), table), **fields).toarray()


def test_words_are_counted_over_the_catalogue() -> None:
    """red is in both of two titles, cat and dog in one: ln(3 / 3) + 1 and ln(3 / 2) + 1 before rows have length 1."""
    titles = {"title": Column.text(["red cat", "red dog", "red fox"])}
    found = features(titles, 3, catalogue=np.array([True, True, False]))
    red, rare = np.array([1, np.log(1.5) + 1]) / np.hypot(1, np.log(1.5) + 1)
    np.testing.assert_allclose(found, [[rare, 0, red], [0, rare, red], [0, 0, 1]], rtol=1e-6)


def check_cosines(model: ContentBased, ask: Ask) -> None:
    expected = [[1, ROOT, -0.5, 0], [ROOT, 1, 0, 0], [-0.5, 0, 1, 0.5], [0, 0, 0.5, 1]]
    np.testing.assert_allclose(model.score(ask(np.eye(4))), expected, atol=1e-6)


def test_cosines_by_hand_and_a_missing_price_says_nothing(ask: Ask) -> None:
    check_cosines(content(shop([[1, 1, 1, 1]], FOUR, explicit=False)), ask)


@pytest.mark.parametrize(
    "mutate", [lambda f: f.T.tocsr(), lambda f: -f, lambda f: 0 * f], ids=["transposed", "negated", "untrained"]
)
def test_wrong_features_would_be_noticed(mutate: Callable, ask: Ask) -> None:
    model = content(shop([[1, 1, 1, 1]], FOUR, explicit=False))
    model.by_feature_ = mutate(model.by_feature_)
    with pytest.raises(AssertionError):
        check_cosines(model, ask)


def test_a_profile_is_the_mean_of_its_items_by_value(ask: Ask) -> None:
    """Twice red and once blue is (1, 2) / sqrt(5); rows of several purchases of an item add up."""
    data = shop([[2, 0, 1]], {"colour": THREE["colour"]}, explicit=False)
    expected = np.array([[2, 2, 1]]) / np.sqrt(5)
    np.testing.assert_allclose(content(data).score(everyone(data)), expected, atol=1e-6)
    rows = data.interactions.take(np.array([0, 0, 1]))
    twice = replace(data, interactions=replace(rows, values=np.ones(3, np.float32)))
    np.testing.assert_allclose(content(twice).score(everyone(twice)), expected, atol=1e-6)


def test_weights_are_those_of_the_columns_in_the_similarity(ask: Ask) -> None:
    """Colours of items 0 and 2 are alike 0, prices -1: with weights 1 and 3, (1 * 0 + 3 * -1) / 4."""
    data = shop([[1, 1, 1, 1]], FOUR, explicit=False)
    model = content(data, weights={"price": 3.0})
    np.testing.assert_allclose(model.score(ask([[1, 0, 0, 0]])), [[1, 0.5, -0.75, 0]], atol=1e-6)
    equal = content(data, weights={"price": 3.0, "colour": 3.0})
    check_cosines(equal, ask)


def test_disliked_items_count_against_what_is_like_them() -> None:
    data = shop([[5, 0, 1], [1, 0, 5], [0, 4, 0]], {"colour": THREE["colour"]})
    scores = content(data).score(everyone(data))
    np.testing.assert_allclose(scores[:2], [[ROOT, ROOT, -ROOT], [-ROOT, -ROOT, ROOT]], atol=1e-6)
    assert (scores[2] == [1, 1, 0]).all(), "one rating, no mean to compare it with: it counts as liked"


def test_damping_goes_from_the_users_mean_to_everybodys() -> None:
    """Mean 4: with a damping of 2 the user's ratings 1 and 3, -3 and -1 from it, are -2 and 0 from (-4 / (2 + 2))."""
    colours = {"colour": Column.category(["red", "blue", "green"])}
    data = shop([[1, 3, 0], [0, 0, 5], [0, 0, 5], [0, 0, 5], [0, 0, 5], [0, 0, 4], [0, 5, 5], [0, 0, 3]], colours)
    assert data.interactions.values.mean() == pytest.approx(4.1, abs=0.2)
    mean = float(data.interactions.values.mean(dtype=np.float64))
    for damping in (0.0, 2.0, 1e9):
        neutral = mean + (4 - 2 * mean) / (2 + damping)
        w = np.array([1, 3]) - neutral
        expected = [*w / np.sqrt(w @ w), 0]
        np.testing.assert_allclose(content(data, damping=damping).score(everyone(data))[0], expected, atol=1e-6)


def test_equal_ratings_and_a_history_without_ratings_count_as_liked(ask: Ask) -> None:
    data = shop([[3, 0, 0], [3, 3, 0], [0, 0, 3]], {"colour": THREE["colour"]})
    model = content(data)
    np.testing.assert_allclose(model.score(everyone(data)), [[1, 1, 0], [1, 1, 0], [0, 0, 1]], atol=1e-6)
    np.testing.assert_allclose(model.score(ask([[1, 0, 1]])), [[ROOT, ROOT, ROOT]], atol=1e-6)
    assert (model.predict(data.interactions, everyone(data).take(data.interactions.users)) == 3).all()


def test_rows_without_a_rating_are_passed_over() -> None:
    data = shop([[5, 2, 1], [4, 2, 3]], THREE)
    values = data.interactions.values.copy()
    values[values == 2] = np.nan
    holes = replace(data, interactions=replace(data.interactions, values=values))
    without = shop([[5, 0, 1], [4, 0, 3]], THREE)
    np.testing.assert_allclose(content(holes).score(everyone(holes)), content(without).score(everyone(without)))
    with pytest.raises(DataError, match=r"content_based .* 1 of .* are infinite"):
        content(shop([[5, np.inf, 1]], THREE))


def test_likes_that_cancel_out_are_no_profile() -> None:
    data = shop([[5, 1, 0], [0, 0, 3]], {"colour": THREE["colour"]})
    np.testing.assert_array_equal(content(data).score(everyone(data))[0], np.zeros(3))


def test_items_that_nobody_rated_are_recommended_and_those_without_features_score_0() -> None:
    colours = {"colour": Column.category(["red", "blue", "red", None])}
    data = shop([[5, 1, 0, 0], [1, 5, 0, 4]], colours)
    scores = content(data).score(everyone(data))
    assert (scores[:, 3] == 0).all()
    assert scores[0, 2] > 0 > scores[1, 2]
    np.testing.assert_allclose(scores[:, 2], scores[:, 0])
    lists = content(data).recommend(everyone(data), 2, make("evaluation=ranking").ranking(data, seed=0))
    assert lists.items[0].tolist() == [2, 3]
    predicted = content(data).predict(data.interactions, everyone(data).take(data.interactions.users))
    assert np.isfinite(predicted).all()


def naive_predictions(ratings: np.ndarray, f: np.ndarray, damping: float) -> np.ndarray:
    """Return the prediction of every pair from the formulas: the slope by least squares over left-out rows."""
    seen = ratings > 0
    mean = ratings[seen].mean()

    def neutral(row: np.ndarray) -> float:
        known = row > 0
        return (row[known] - mean).sum() / max(known.sum() + damping, 1e-12) if known.any() else 0.0

    def cosine(row: np.ndarray, own: np.ndarray, item: int) -> float:
        w = np.where(row > 0, row - mean - own, 0)
        p = w @ f
        return p @ f[item] / np.sqrt(p @ p) if p @ p > 1e-9 else 0.0

    pairs = []
    for u, i in zip(*np.nonzero(seen)):
        rest = ratings[u].copy()
        rest[i] = 0
        pairs.append((cosine(rest, neutral(ratings[u]), i), ratings[u, i] - mean - neutral(rest)))
    c, y = np.array(pairs).T
    slope = c @ y / (c @ c)
    out = [[mean + neutral(row) + slope * cosine(row, neutral(row), i) for i in range(len(f))] for row in ratings]
    return np.clip(out, ratings[seen].min(), ratings[seen].max())


@pytest.mark.parametrize("damping", [0.0, 3.0])
def test_predictions_agree_with_naive_loops(damping: float) -> None:
    rng = np.random.default_rng(6)
    table = {"colour": Column.category(list("abcabcabcb")), "price": Column.numeric(rng.random(10))}
    ratings = np.where(rng.random((30, 10)) < 0.5, rng.integers(1, 6, (30, 10)), 0).astype(float)
    ratings[4] = 0
    ratings[:, :3][ratings[:, :3] > 0] = 5
    data = shop(ratings, table)
    model = content(data, damping=damping)
    users, items = (part.ravel().astype(np.int32) for part in np.indices((30, 10)))
    rows = Interactions(users, items, np.ones(300, np.float32), 30, 10)
    shuffled = np.random.default_rng(1).permutation(300)
    found = np.zeros(300)
    found[shuffled] = model.predict(rows.take(shuffled), everyone(data).take(users[shuffled]))
    expected = naive_predictions(ratings, features(table, 10), damping)
    np.testing.assert_allclose(found.reshape(30, 10), expected, atol=1e-5)
    assert expected.std() > 0.3


def test_without_ratings_predict_is_the_cosine() -> None:
    data = shop([[1, 0, 0], [0, 1, 1]], THREE, explicit=False)
    model, queries = content(data), everyone(data)
    rows = Interactions(np.zeros(3, np.int32), np.arange(3, dtype=np.int32), np.ones(3, np.float32), 2, 3)
    np.testing.assert_allclose(model.predict(rows, queries.take(np.zeros(3, int))), [1, ROOT, -0.5], atol=1e-6)


def test_profiles_in_many_blocks_give_what_one_gives(monkeypatch: pytest.MonkeyPatch, store: Dataset) -> None:
    rows = store.interactions
    history = Queries.of_users(rows.users, rows, exclude_seen=False)
    whole = content(store).predict(rows, history)
    monkeypatch.setattr("recexp.algorithms.content.content_based.DENSE", 1)
    np.testing.assert_allclose(content(store).predict(rows, history), whole, atol=1e-6)


def test_kinds_of_columns() -> None:
    table = {
        "tags": Column.multi_category([["b", "a"], ["b"], [], ["a", "b", "c", "d"]]),
        "one": Column.category(["x", None, "y", "x"]),
    }
    expected = [
        [0.5, 0.5, 0, 0, ROOT, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 1],
        np.array([1, 1, 1, 1, 2, 0]) / 8**0.5,
    ]
    np.testing.assert_allclose(features(table, 4), expected, atol=1e-6)
    repeated = {"tags": Column("multi_category", np.array([0, 0, 1], np.int32), ("a", "b"), np.array([0, 3]))}
    np.testing.assert_allclose(features(repeated, 1), [[ROOT, ROOT]], atol=1e-6)
    numbers = {"price": Column.numeric([1, 2, np.inf, 6, np.nan]), "same": Column.numeric([7, 7, 7, np.nan, 7])}
    fifth = [np.cos(0.2 * np.pi), np.sin(0.2 * np.pi), 1, 0]
    expected = [np.array([1, 0, 1, 0]) * ROOT, np.array(fifth) * ROOT, [0, 0, 1, 0], [-1, 0, 0, 0], [0, 0, 1, 0]]
    np.testing.assert_allclose(features(numbers, 5), expected, atol=1e-6)
    nothing = {
        "text": Column.text([None, ""]),
        "number": Column.numeric([np.nan, np.nan]),
        "one": Column.category([None, None]),
    }
    assert not features(nothing, 2).any()


def alike(numbers: list[float], kind: str = "numeric") -> np.ndarray:
    """Return how alike the numbers are as features, float32 (n, n)."""
    found = features({"number": Column.numeric(numbers, kind)}, len(numbers))
    return found @ found.T


def test_a_user_who_liked_a_price_gets_the_nearest_prices_first() -> None:
    prices = np.array([10, 11, 1000, 505, 5, 700])
    data = shop([[0, 0, 0, 1, 0, 0]], {"price": Column.numeric(prices, "price")}, explicit=False)
    scores = content(data).score(everyone(data))[0]
    np.testing.assert_allclose(scores, np.cos(np.pi * abs(np.log(505 / prices)) / np.log(1000 / 5)), atol=1e-6)
    assert prices[np.argsort(-scores)].tolist() == [505, 700, 1000, 11, 10, 5]


def test_numbers_are_alike_by_their_distance_and_an_outlier_does_not_drown_it() -> None:
    """Quartiles of the second are 2.25 and 4.75: 1000 counts as the fence, 4.75 + 1.5 * 2.5 = 8.5."""
    for numbers, places in (
        ([3, 0, 4, 1], [0.75, 0, 1, 0.25]),
        ([1, 2, 3, 4, 5, 1000], [0, 1 / 7.5, 2 / 7.5, 3 / 7.5, 4 / 7.5, 1]),
        ([0, 0, 0, 0, 0, 0, 0, 3, 9], [0, 0, 0, 0, 0, 0, 0, 1 / 3, 1]),
        ([-2, -2], [0, 0]),
    ):
        expected = np.cos(np.pi * abs(np.subtract.outer(places, places)))
        np.testing.assert_allclose(alike(numbers), expected, atol=1e-6)


def test_prices_are_alike_by_their_ratio_unless_one_is_free() -> None:
    assert alike([1, 2, 50, 100], "price")[0, 1] == pytest.approx(alike([1, 2, 50, 100], "price")[2, 3], abs=1e-6)
    np.testing.assert_allclose(alike([0, 1, 2, 4], "price"), alike([0, 1, 2, 4]), atol=1e-6)


def test_columns_of_numbers_weigh_what_other_columns_weigh() -> None:
    """Three columns of length 1 each: (0 + cos(pi / 4) + 1) / 3; without the second, which one lacks, of lengths."""
    table = {
        "colour": Column.category(["red", "blue", "red"]),
        "size": Column.numeric([0, 1, 4]),
        "year": Column.numeric([2000, 2000, np.nan]),
    }
    found = features(table, 3)
    np.testing.assert_allclose(found[0] @ found[1], (0 + ROOT + 1) / 3, atol=1e-6)
    np.testing.assert_allclose(found[0] @ found[2], (1 - 1) / np.sqrt(3 * 2), atol=1e-6)


def test_words() -> None:
    """Two words of one text each: the same IDF, so 1 / sqrt(2); stop words and rare words can be left out."""
    table = {"text": Column.text(["quiet laptop", "laptop laptop", "the", None])}
    assert features(table, 4).shape == (4, 3)
    assert features(table, 4, stop_words="english").shape == features(table, 4, stop_words=["quiet"]).shape == (4, 2)
    np.testing.assert_array_equal(features(table, 4, max_features=1), [[1], [1], [0], [0]])


def test_unknown_columns_are_named() -> None:
    data = shop([[1, 1, 1]], THREE)
    wrong = r"algorithm\.feature_columns: prise is not an item column of shop; available: colour, price"
    with pytest.raises(ConfigError, match=wrong):
        content(data, ["colour", "prise"])
    with pytest.raises(ConfigError, match=wrong):
        content_knn(data, 0.5, 1, ["colour", "prise"])
    with pytest.raises(ConfigError, match=r"algorithm\.weights: price is not a feature column; available: colour"):
        content(data, ["colour"], weights={"price": 1.0})


def test_a_text_column_of_numbers_is_refused_and_numbers_among_words_are_words() -> None:
    for numbers in (["5", "3.5", None], [1996, 2001, 5]):
        with pytest.raises(DataError, match="text column year contains only numbers; declare it numeric, price or"):
            features({"year": Column.text(numbers)}, 3)
    assert features({"title": Column.text(["Blade 2049", "2049", None])}, 3).shape == (3, 2)
    with pytest.raises(DataError, match="text column a contains only stop words"):
        features({"a": Column.text(["the", "a", "x"])}, 3, stop_words="english")


def test_an_empty_item_table(workplace, tiny: Tiny) -> None:
    for columns in (None, ["genres"]):
        with pytest.raises(DataError, match="tiny has no item features to learn from"):
            content(tiny([[1, 1]]), columns)
        with pytest.raises(DataError, match="tiny has no item features to learn from"):
            content_knn(tiny([[1, 1]]), 0.5, 1, columns)
    lines = [f"{u},{i}" for u in range(6) for i in range(8) if (u + i) % 2]
    (workplace / "rows.csv").write_text("\n".join(["user_id,item_id", *lines]))
    with pytest.raises(ConfigError, match="algorithm: ContentBased needs item_features, but"):
        library.run("dataset=files", "dataset.interactions=rows.csv", "algorithm=content_based")


KNN = {"kind": Column.category(["a", "b", "b"])}
X = [[1, 1, 0], [1, 1, 0], [1, 0, 1], [0, 0, 1]]
"""Items have 3, 2 and 2 users; 0 and 1 share 2, 0 and 2 share 1; 1 and 2 are of one kind."""


def check_knn(model: ContentKNN, ask: Ask) -> None:
    """S_01 = 1/2 * 2/sqrt(6), S_02 = 1/2 * 1/sqrt(6), S_12 = 1/2: nearest to 0 is 1, to 1 is 2, to 2 is 1."""
    expected = [[0, 0, 0], [1 / np.sqrt(6), 0, 0.5], [0, 0.5, 0]]
    np.testing.assert_allclose(model.score(ask(np.eye(3))), expected, atol=1e-6)


def test_a_mix_of_similarities_by_hand(ask: Ask) -> None:
    check_knn(content_knn(shop(X, KNN), 0.5, 1), ask)


@pytest.mark.parametrize(
    "mutate", [lambda s: s.T.tocsr(), lambda s: -s, lambda s: 0 * s], ids=["transposed", "negated", "untrained"]
)
def test_wrong_similarities_would_be_noticed(mutate: Callable, ask: Ask) -> None:
    model = content_knn(shop(X, KNN), 0.5, 1)
    model.weights_ = mutate(model.weights_)
    with pytest.raises(AssertionError):
        check_knn(model, ask)


@pytest.mark.parametrize("strip", [1, 40, 2**24])
@pytest.mark.parametrize(("k", "weight"), [(1, 0.3), (4, 0.3), (50, 0.3), (4, 1.0)])
def test_a_mix_agrees_with_naive_loops(k: int, weight: float, strip: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recexp.algorithms.content.content_knn.STRIP", strip)
    rng = np.random.default_rng(3)
    x = (rng.random((25, 14)) < 0.3).astype(float)
    x[:, 9], x[3] = 0, 0
    table = {"kind": Column.category(list("abcabcabcabcab")), "price": Column.numeric(rng.random(14))}
    f, lengths = features(table, 14), np.sqrt(x.sum(axis=0))
    together = x.T @ x / np.maximum(np.outer(lengths, lengths), 1e-12)
    mixed = (1 - weight) * together + weight * f @ f.T
    np.fill_diagonal(mixed, -1)
    expected = np.zeros((14, 14))
    for j in range(14):
        best = sorted(range(14), key=lambda i: (-round(mixed[i, j], 6), i))[:k]
        expected[best, j] = np.maximum(mixed[best, j], 0)
    np.testing.assert_allclose(content_knn(shop(x, table), weight, k).weights_.toarray(), expected, atol=1e-5)


def test_without_content_it_is_item_knn(store: Dataset, queries: Queries) -> None:
    other = make(
        "algorithm=item_knn",
        "algorithm.k=5",
        "algorithm.similarity=cosine",
        "algorithm.shrinkage=0.0",
        "algorithm.weighting=none",
        "algorithm.neighbors_of=target",
    )
    assert isinstance(other, ItemKNN)
    expected = other.fit(store).score(queries)
    np.testing.assert_allclose(content_knn(store, 0.0, 5).score(queries), expected, atol=1e-5)


def test_an_item_that_nobody_took_is_reached_by_its_content(ask: Ask) -> None:
    data = shop([[1, 1, 0, 0], [1, 0, 1, 0]], {"kind": Column.category(["a", "b", "c", "b"])})
    scores = content_knn(data, 0.2, 2).score(ask([[0, 1, 0, 0], [0, 0, 1, 0]]))
    np.testing.assert_allclose(scores[:, 3], [0.2, 0], atol=1e-6)
