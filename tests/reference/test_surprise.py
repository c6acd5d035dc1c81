"""Models of ratings against scikit-surprise itself, on a part of ML-100K, and against its published table, on all."""

import csv
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import surprise

import recexp
from recexp.algorithms import FitContext, Recommender
from recexp.data import Dataset, Interactions, Queries

STUDY = Path(__file__).parents[2] / "experiments" / "surprise_ml100k" / "prepare.py"
spec = importlib.util.spec_from_file_location("surprise_study", STUDY)
study = importlib.util.module_from_spec(spec)
spec.loader.exec_module(study)

with open(STUDY.parent / "published.csv", newline="") as file:
    PUBLISHED = list(csv.DictReader(file))

PEERS = {
    "bias": (surprise.BaselineOnly(verbose=False), 1e-5),
    "slope_one": (surprise.SlopeOne(), 1e-5),
    "mf": (surprise.SVD(random_state=0), 1e-4),  # we calculate in float32, Surprise in float64
    "svdpp": (surprise.SVDpp(random_state=0), 1e-4),
}
"""Not NMF: Surprise's overshoots on other scales than 1 to 5. Ours is compared with its published numbers."""


def predicted(model: Recommender, train: Dataset, test: Interactions) -> np.ndarray:
    return model.predict(test, Queries.of_users(test.users, train.interactions, exclude_seen=False))


def in_order_of_appearance(codes: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Number codes as Surprise does, by their first row in train; then those that train has not."""
    names, first = np.unique(np.concatenate([codes[train], codes[~train]]), return_index=True)
    place = np.empty(names.max() + 1, np.int32)
    place[names[np.argsort(first)]] = np.arange(len(names))
    return place[codes]


def part(ml100k: Dataset, *, unknown_items: bool) -> tuple[Dataset, Interactions]:
    """Train and test rows of 70 users and 300 items, with or without items of which train has no row."""
    rows = ml100k.interactions
    rows = rows.take((rows.users < 70) & (rows.items % 5 == 0))
    train = np.random.default_rng(4).random(len(rows)) < 0.7
    users, items = (in_order_of_appearance(codes, train) for codes in (rows.users, rows.items))
    known = items <= items[train].max()
    assert not known.all()
    kept = known | unknown_items
    n_items = items[kept].max() + 1
    rows = Interactions(users[kept], items[kept], rows.values[kept], users.max() + 1, n_items, explicit=True)
    data = Dataset("part", rows, np.arange(rows.n_users), np.arange(n_items))
    return data.take(train[kept]), rows.take(~train[kept])


@pytest.mark.parametrize("name", PEERS)
def test_predicts_what_surprise_predicts(name: str, ml100k: Dataset) -> None:
    import pandas as pd

    peer, tolerance = PEERS[name]
    train, test = part(ml100k, unknown_items=name != "svdpp")  # whose third draw begins later with more items
    rows = train.interactions
    table = pd.DataFrame({"user": rows.users, "item": rows.items, "rating": rows.values})
    bounds = rows.values.min(), rows.values.max()
    peer.fit(surprise.Dataset.load_from_df(table, surprise.Reader(rating_scale=bounds)).build_full_trainset())
    expected = [peer.predict(user, item).est for user, item in zip(test.users, test.items)]
    drawn_alike = FitContext(rng=np.random.RandomState(0))  # Surprise draws from such a one
    model = recexp.make(f"algorithm={name}").fit(train, drawn_alike)
    np.testing.assert_allclose(predicted(model, train, test), expected, atol=tolerance)


@pytest.mark.parametrize(("row", "overrides"), {line["model"]: line["run"] for line in PUBLISHED}.items())
def test_meets_the_published_table(row: str, overrides: str, ml100k: Dataset) -> None:
    fold, errors, model = study.folds(len(ml100k.interactions)), [], recexp.make(*overrides.split())
    for held in range(5):
        train, test = ml100k.take(fold != held), ml100k.interactions.take(fold == held)
        model.fit(train, FitContext(rng=np.random.default_rng(0)))
        error = predicted(model, train, test).astype(np.float64) - test.values
        errors.append((np.sqrt(np.mean(error**2)), np.mean(abs(error))))
    found = dict(zip(("rmse", "mae"), np.mean(errors, axis=0)))
    for line in (line for line in PUBLISHED if line["model"] == row):
        assert found[line["metric"]] == pytest.approx(float(line["published"]), abs=float(line["tolerance"]))


def test_the_folds_are_surprises() -> None:
    """Those of its KFold, for a number of rows that five does not divide too."""
    import pandas as pd

    for m in (103, 100):
        rows = pd.DataFrame({"user": range(m), "item": range(m), "rating": [3] * m})
        data = surprise.Dataset.load_from_df(rows, surprise.Reader())
        fold = study.folds(m)
        parts = surprise.model_selection.KFold(n_splits=5, random_state=0).split(data)
        for held, (_, test) in enumerate(parts):
            assert sorted(user for user, _, _ in test) == np.flatnonzero(fold == held).tolist()
