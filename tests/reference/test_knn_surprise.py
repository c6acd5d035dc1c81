"""Predicted ratings against scikit-surprise, which averages over neighbours in plain Python."""

import numpy as np
import pandas
import pytest

from recexp import make
from recexp.data import Dataset, Interactions, Queries

surprise = pytest.importorskip("surprise")

AGGREGATES = {"average": "KNNBasic", "average_means": "KNNWithMeans", "average_baselines": "KNNBaseline"}
SIMILARITIES = {"msd": "msd", "common_cosine": "cosine", "pearson": "pearson"}
N_USERS, N_ITEMS, K = 40, 25, 4


@pytest.fixture(scope="module")
def ratings() -> np.ndarray:
    """(m, 3) user, item, rating of 1 to 5; in the order of codes, by which both sides break ties."""
    rng = np.random.default_rng(6)
    users, items = np.nonzero(rng.random((N_USERS, N_ITEMS)) < 0.35)
    return np.column_stack([users, items, rng.integers(1, 6, len(users))])


@pytest.fixture(scope="module")
def data(ratings: np.ndarray) -> Dataset:
    users, items = ratings[:, 0].astype(np.int32), ratings[:, 1].astype(np.int32)
    rows = Interactions(users, items, ratings[:, 2].astype(np.float32), N_USERS, N_ITEMS, explicit=True)
    return Dataset("small", rows, np.arange(N_USERS), np.arange(N_ITEMS))


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("aggregate", AGGREGATES)
@pytest.mark.parametrize("name", ["user_knn", "item_knn"])
def test_predicts_what_surprise_predicts(
    name: str, aggregate: str, similarity: str, ratings: np.ndarray, data: Dataset
) -> None:
    frame = pandas.DataFrame(ratings)
    trainset = surprise.Dataset.load_from_df(frame, surprise.Reader(rating_scale=(1, 5))).build_full_trainset()
    options = {"name": SIMILARITIES[similarity], "user_based": name == "user_knn"}
    peer = getattr(surprise, AGGREGATES[aggregate])(k=K, sim_options=options, verbose=False).fit(trainset)
    seen = np.zeros((N_USERS, N_ITEMS), bool)
    seen[ratings[:, 0], ratings[:, 1]] = True
    users, items = (part.astype(np.int32) for part in np.nonzero(~seen))
    expected = [peer.predict(user, item).est for user, item in zip(users.tolist(), items.tolist())]

    settings = [
        f"algorithm.{key}={value}" for key, value in {"aggregate": aggregate, "similarity": similarity, "k": K}.items()
    ]
    model = make(f"algorithm={name}", *settings).fit(data)
    rows = Interactions(users, items, np.ones(len(users), np.float32), N_USERS, N_ITEMS)
    found = model.predict(rows, Queries.of_users(users, data.interactions, exclude_seen=False))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.ptp(expected) > 1
