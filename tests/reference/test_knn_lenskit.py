"""UserKNN of ratings against a number that LensKit's own tests hold of MovieLens latest-small (October 2016)."""

import numpy as np
import pytest

from recexp import make
from recexp.data import Dataset, Queries
from recexp.errors import RecexpError


@pytest.fixture(scope="module")
def small() -> Dataset:
    try:
        return make("dataset=movielens_small").load()
    except RecexpError as error:
        pytest.skip(str(error))


def test_the_mean_centered_cosine_with_full_norms(small: Dataset) -> None:
    """lenskit/lkpy, tests/models/test_knn_user_user.py: 30 neighbors, user 4, item 1016."""
    changed = ("similarity=centered_cosine", "aggregate=average_means", "k=30")
    model = make("algorithm=user_knn", *(f"algorithm.{word}" for word in changed)).fit(small)
    user = np.flatnonzero(small.user_ids == 4).astype(np.int32)
    [scores] = model.score(Queries.of_users(user, small.interactions, exclude_seen=False))
    assert scores[small.item_ids == 1016] == pytest.approx(3.62221550680778, abs=1e-5)


def test_items_by_the_definition(small: Dataset) -> None:
    """Item 1016 for user 4, 20 neighbors, worked out here with dense arrays."""
    changed = ("similarity=centered_cosine", "aggregate=average_means", "k=20")
    model = make("algorithm=item_knn", *(f"algorithm.{word}" for word in changed)).fit(small)
    user, item = np.flatnonzero(small.user_ids == 4)[0], np.flatnonzero(small.item_ids == 1016)[0]
    ratings = small.interactions.csr(values=True).toarray().astype(float)
    rated = ratings > 0
    means = ratings.sum(axis=0) / rated.sum(axis=0)
    centered = np.where(rated, ratings - means, 0)
    norms = np.linalg.norm(centered, axis=0)
    alike = centered.T @ centered[:, item] / np.maximum(norms * norms[item], 1e-12)
    alike[item] = 0
    near = np.flatnonzero(rated[user] & (alike > 0))
    near = near[np.argsort(-alike[near], kind="stable")][:20]
    expected = means[item] + alike[near] @ (ratings[user, near] - means[near]) / alike[near].sum()
    [scores] = model.score(Queries.of_users(np.array([user], np.int32), small.interactions, exclude_seen=False))
    assert scores[item] == pytest.approx(expected, abs=1e-4)
