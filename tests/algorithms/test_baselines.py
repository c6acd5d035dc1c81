"""Popularity by hand; Random against SplitMix64's known output and what uniform numbers must be."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from recexp.algorithms import FitContext
from recexp.algorithms.baselines.popularity import Popularity
from recexp.algorithms.baselines.random import Random
from recexp.data import Dataset, Interactions, Queries


def test_popularity_counts_users_not_rows(ask: Callable[..., Queries]) -> None:
    users, items = np.array([0, 0, 0, 1, 2], np.int32), np.array([0, 0, 0, 2, 2], np.int32)
    rows = Interactions(users, items, np.ones(5, np.float32), 3, 3)
    data = Dataset("d", rows, np.arange(3), np.arange(3))
    model = Popularity(half_life_days=None).fit(data)

    def check() -> None:
        np.testing.assert_array_equal(model.score(ask([[1, 0, 0], [0, 0, 1]])), [[1, 0, 2], [1, 0, 2]])

    check()
    model.counts_ = -model.counts_
    with pytest.raises(AssertionError):
        check()


def test_popularity_forgets() -> None:
    """Half a weight every 2 days, by the last row of each user and item; the newest row has 1."""
    users, items = np.array([0, 1, 0, 2], np.int32), np.array([0, 0, 0, 2], np.int32)
    days = np.array([6, 10, 10, 8])
    rows = Interactions(users, items, np.ones(4, np.float32), 3, 3, timestamps=86400 * days)
    data = Dataset("d", rows, np.arange(3), np.arange(3))
    model = Popularity(half_life_days=2.0).fit(data)
    np.testing.assert_allclose(model.counts_, [2, 0, 0.5])
    days[1] = 6
    later = Dataset("d", replace(rows, timestamps=86400 * days), np.arange(3), np.arange(3))
    np.testing.assert_allclose(Popularity(half_life_days=2.0).fit(later).counts_, [1.25, 0, 0.5])
    assert model.capabilities.needs == {"timestamps"}
    assert Popularity(half_life_days=None).capabilities.needs == set()


def test_popularity_without_rows_or_with_one() -> None:
    rows = Interactions(*(np.zeros(1, np.int32),) * 2, np.ones(1, np.float32), 2, 2, timestamps=np.zeros(1, np.int64))
    data = Dataset("d", rows, np.arange(2), np.arange(2))
    model = Popularity(half_life_days=1.0)
    np.testing.assert_array_equal(model.fit(data).counts_, [1, 0])
    np.testing.assert_array_equal(model.fit(data.take(np.zeros(1, bool))).counts_, [0, 0])


def test_the_hash_is_splitmix64() -> None:
    from recexp.algorithms.kernels.hashing import mixed

    step = 0x9E3779B97F4A7C15
    first = [int(mixed(np.uint64(n * step % 2**64))) for n in (1, 2, 3)]
    assert first == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]  # outputs for seed 0, published widely


def test_random_scores_are_uniform_and_differ_by_seed_user_and_item(tiny: Callable[..., Dataset]) -> None:
    n = 300
    data = tiny(np.eye(n, dtype=int).tolist())
    queries = Queries.of_users(np.arange(n, dtype=np.int32), data.interactions, exclude_seen=False)
    one, two = (Random().fit(data, FitContext(rng=np.random.default_rng(seed))).score(queries) for seed in (1, 2))
    for other in (two, np.roll(one, 1, axis=0), np.roll(one, 1, axis=1)):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.015  # 4.5 standard errors
    assert ((one >= 0) & (one < 1)).all()
    counts = np.bincount((one.ravel() * 10).astype(int), minlength=10)
    assert (abs(counts - n * n / 10) < 450).all()  # 5 standard errors
