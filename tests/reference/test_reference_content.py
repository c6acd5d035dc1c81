"""Content-based models against scikit-learn, and on real data."""

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, MultiLabelBinarizer, OneHotEncoder, normalize

from recexp import make
from recexp.algorithms.features import item_features
from recexp.data import Column, Dataset, Split


def names(column: Column) -> list[list[str]]:
    ends = zip(column.offsets[:-1], column.offsets[1:])
    return [[column.categories[code] for code in column.values[begin:end]] for begin, end in ends]


@pytest.mark.parametrize(("max_features", "stop_words"), [(None, None), (300, "english")])
def test_words_are_those_of_a_scikit_learn_pipeline(
    ml100k: Dataset, max_features: int | None, stop_words: str | None
) -> None:
    titles = [str(title) for title in ml100k.items["title"].values]
    expected = TfidfVectorizer(max_features=max_features, stop_words=stop_words).fit_transform(titles)
    found = item_features(ml100k, ["title"], None, max_features, stop_words)
    assert found.shape == expected.shape
    assert abs(found - expected).max() < 1e-6


def within_fences(frame):
    """Return the logarithm of a frame's columns, outliers in place of Tukey's fences."""
    numbers = np.log(frame)
    first, third = numbers.quantile(0.25), numbers.quantile(0.75)
    return numbers.clip(first - 1.5 * (third - first), third + 1.5 * (third - first), axis=1)


def on_circle(places: np.ndarray) -> np.ndarray:
    return np.hstack([np.cos(np.pi * places), np.sin(np.pi * places)])


def test_the_store_is_that_of_a_scikit_learn_pipeline() -> None:
    import pandas as pd

    data = make("dataset=electronics").load()
    frame = pd.DataFrame(
        {
            name: [column.categories[code] for code in column.values] if column.categories else column.values
            for name, column in data.items.items()
        }
    )
    assert (frame["price"] > 0).all()
    prices = make_pipeline(FunctionTransformer(within_fences), MinMaxScaler(), FunctionTransformer(on_circle))
    weights = {"price": 2.0, "description": 0.5}
    pipeline = make_pipeline(
        ColumnTransformer(
            [
                ("category", OneHotEncoder(), ["category"]),
                ("price", prices, ["price"]),
                ("description", TfidfVectorizer(), "description"),
            ],
            transformer_weights={name: weight**0.5 for name, weight in weights.items()},
        )
    )
    expected = cosine_similarity(pipeline.fit_transform(frame))
    found = item_features(data, ["category", "price", "description"], weights, None, None)
    np.testing.assert_allclose((found @ found.T).toarray(), expected, atol=1e-5)


def test_genres_are_those_of_scikit_learn(ml100k: Dataset) -> None:
    expected = normalize(MultiLabelBinarizer().fit_transform(names(ml100k.items["genres"])))
    found = item_features(ml100k, ["genres"], None, None, None).toarray()
    used = found.any(axis=0)
    np.testing.assert_allclose(found[:, used], expected, atol=1e-6)


def recall(split: Split, name: str) -> float:
    """Return Recall@10 of an algorithm with its yaml's values."""
    model = make(f"algorithm={name}").fit(split.train)
    ranking = make("evaluation=ranking").ranking(split.train, seed=0)
    items = model.recommend(split.queries, 10, ranking).items
    hits = np.take_along_axis(split.target.toarray() > 0, items, axis=1).sum(axis=1)
    return float(np.mean(hits / np.diff(split.target.indptr)))


@pytest.mark.parametrize(("dataset", "filter"), [("movielens_100k", "positive"), ("electronics", "event_values")])
@pytest.mark.usefixtures("ml100k")
def test_content_says_something_on_real_and_simulated_data(dataset: str, filter: str) -> None:
    data, _ = make(f"filter={filter}").apply(make(f"dataset={dataset}").load(), seed=0)
    split = next(iter(make("split=random", "split.seed=1").split(data)))
    assert recall(split, "content_based") > 2 * recall(split, "random")
    assert recall(split, "content_knn") > 0.9 * recall(split, "item_knn")


def test_new_films_are_found_by_content(ml100k: Dataset) -> None:
    data, _ = make("filter=positive").apply(ml100k, seed=0)
    split = next(iter(make("split=cold_items", "split.seed=1").split(data)))
    chance = recall(split, "random")
    assert recall(split, "content_based") > 1.5 * chance


def test_content_predicts_ratings_better_than_means(ml100k: Dataset) -> None:
    data, _ = make("filter=ratings").apply(ml100k, seed=0)
    split = next(iter(make("split=random", "split.seed=1").split(data)))
    model = make("algorithm=content_based").fit(split.train)
    query = np.full(data.n_users, -1)
    query[split.queries.users] = np.arange(len(split.queries))
    predicted = model.predict(split.test, split.queries.take(query[split.test.users]))
    rows, actual = split.train.interactions, split.test.values
    means = np.bincount(rows.users, rows.values, data.n_users) / np.bincount(rows.users, minlength=data.n_users)

    def rmse(guess: np.ndarray) -> float:
        return float(np.sqrt(np.mean((guess - actual) ** 2)))

    assert rmse(predicted) < 0.98 * rmse(means[split.test.users])
