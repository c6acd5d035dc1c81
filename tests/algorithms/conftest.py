"""A small dataset that carries everything an algorithm may ask for, and the queries of its users."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse as sp

from recexp.algorithms.factorization import singular_vectors
from recexp.data import Dataset, Interactions, Queries
from recexp.ranking import Ranking
from recexp.testing.examples import two_tastes


@pytest.fixture(scope="session")
def store() -> Dataset:
    """60 users, 24 items, two tastes that ratings follow; user 7 and item 11 have no rows, user 3 has one twice."""
    return two_tastes()


@pytest.fixture(scope="session")
def queries(store: Dataset) -> Queries:
    """One query for each user with a history."""
    users = np.unique(store.interactions.users)
    return Queries.of_users(users, store.interactions, exclude_seen=True)


@pytest.fixture(scope="session")
def ranking(store: Dataset) -> Ranking:
    return Ranking.draw(store.n_items, None, rng=np.random.default_rng(1))


@pytest.fixture(scope="session")
def tiny() -> Callable[[list[list[int]]], Dataset]:
    """Make a dataset of a 0/1 matrix, users by items."""

    def make(matrix: list[list[int]]) -> Dataset:
        x = sp.coo_array(np.array(matrix))
        rows = Interactions(x.row.astype(np.int32), x.col.astype(np.int32), np.ones(x.nnz, np.float32), *x.shape)
        return Dataset("tiny", rows, np.arange(x.shape[0]), np.arange(x.shape[1]))

    return make


@pytest.fixture(scope="session")
def ask() -> Callable[..., Queries]:
    """Make one query for each 0/1 row of histories; users are given or unknown (-1)."""

    def make(matrix: list[list[int]] | np.ndarray, users: list[int] | None = None) -> Queries:
        x = sp.coo_array(np.array(matrix))
        log = Interactions(x.row.astype(np.int32), x.col.astype(np.int32), np.ones(x.nnz, np.float32), *x.shape)
        known = Queries.of_users(np.arange(x.shape[0], dtype=np.int32), log, exclude_seen=True)
        return Queries(
            np.full(len(known), -1, np.int32) if users is None else np.array(users, np.int32),
            known.log,
            known.start,
            known.stop,
            known.exclude,
        )

    return make


@pytest.fixture(params=["whole", "arpack"])
def x(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """40 users by 15 items, one of each without entries; decomposed either way."""
    monkeypatch.setattr(singular_vectors, "SMALL", 512 if request.param == "whole" else 0)
    x = (np.random.default_rng(3).random((40, 15)) < 0.3).astype(float)
    x[4], x[:, 6] = 0, 0
    return x
