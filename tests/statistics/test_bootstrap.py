"""The bootstrap over users: against a plain loop over the same draws, and its coverage on simulated data."""

import numpy as np
import pytest

from recexp import threads
from recexp.rng import generator
from recexp.statistics.bootstrap import Means, intervals


def test_means_are_over_values_whoever_owns_them():
    means = Means.of(np.array([[1.0, 4], [3, np.nan], [5, 6]]), np.array([0, 1, 0]))
    assert means.values.tolist() == [3.0, 5.0], "NaN is no value"
    assert means.sums.tolist() == [[6, 10], [3, 0]] and means.counts.tolist() == [[2, 2], [1, 0]]


def test_a_mean_does_not_depend_on_what_is_averaged_beside_it():
    values = np.random.default_rng(1).random((1001, 7))
    owners = np.arange(1001)
    alone = [Means.of(values[:, [column]], owners).values[0] for column in range(7)]
    assert Means.of(values, owners).values.tolist() == alone


def test_given_counts_make_ratios_of_sums():
    means = Means.of(np.array([[1.0], [2]]), np.array([0, 1]), np.array([[2], [8]]))
    assert means.values.tolist() == [3 / 10]


@pytest.mark.parametrize("tile", [5, 10**6], ids=["a few users at a time", "all users"])
@pytest.mark.parametrize("block", [7, 10**6], ids=["a few resamples at a time", "all at once"])
def test_intervals_equal_a_loop_over_the_same_draws(monkeypatch, block, tile):
    rng = np.random.default_rng(0)
    owners = np.concatenate([np.arange(30), rng.integers(0, 30, 40)])  # several queries a user
    values = rng.random((70, 3))
    values[rng.random(70) < 0.2, 1] = np.nan
    groups = [np.arange(70), np.flatnonzero(owners % 3 == 0), np.flatnonzero((owners > 3) & (owners < 27))]
    monkeypatch.setattr("recexp.statistics.bootstrap._BLOCK", 30 * block)
    monkeypatch.setattr("recexp.statistics.bootstrap._TILE", tile)
    monkeypatch.setattr("recexp.statistics.bootstrap._MANY", 30 * block)  # draws are counted in both ways
    means = [Means.of(values[group], owners[group]) for group in groups]
    found = intervals(means, 30, resamples=200, confidence=0.9, rng=generator(5, "x"))
    with threads.limit(3):
        again = intervals(means, 30, resamples=200, confidence=0.9, rng=generator(5, "x"))
    assert [bounds.tolist() for bounds in again] == [bounds.tolist() for bounds in found]

    draws, stream = [], generator(5, "x")
    while len(draws) < 200:
        draws += list(stream.integers(0, 30, (min(block, 200 - len(draws)), 30), dtype=np.int32))
    for rows, bounds in zip(groups, found):
        resampled = []
        for draw in draws:
            drawn = [q for user in draw for q in rows if owners[q] == user]
            resampled.append(np.nanmean(values[drawn], axis=0))
        np.testing.assert_allclose(bounds, np.quantile(resampled, [0.05, 0.95], axis=0), atol=1e-12)


def test_a_group_that_some_resamples_miss_still_has_an_interval():
    values = np.arange(20.0)[:, None]
    means = [Means.of(values, np.arange(20)), Means.of(values[:1], np.arange(1))]
    _, rare = intervals(means, 20, resamples=100, confidence=0.95, rng=generator(1))
    assert rare.tolist() == [[0.0], [0.0]], "one user's value is all there is"


def test_coverage_with_users_of_unequal_queries():
    """Of 300 simulated samples about 95 % must have intervals that hold the true mean; queries of a user are alike.

    Resampling queries as if they were independent covers about 70 % here, which this test would see.
    """
    rng, covered = np.random.default_rng(11), 0
    for _ in range(300):
        owners = np.repeat(np.arange(80), rng.integers(1, 8, 80))
        values = (rng.normal(0, 1, 80)[owners] + rng.normal(0, 0.3, len(owners)))[:, None]
        ((low, high),) = intervals([Means.of(values, owners)], 80, resamples=300, confidence=0.95, rng=rng)[0].T
        covered += low <= 0 <= high
    assert 0.90 <= covered / 300 <= 0.98


def test_coverage_with_users_in_several_seeds():
    """95 % intervals of the mean over two seeds of the same users hold the truth in 93 to 97 of 100 simulations.

    Taking seeds as independent samples would cover 84 % here.
    """
    rng, users, models, covered = np.random.default_rng(3), 300, 100, []
    for _ in range(20):
        level = rng.beta(1, 3, (users, models))
        values = np.concatenate([level + rng.normal(0, 0.02, (users, models)) for _ in range(2)])
        means = Means.of(values, np.tile(np.arange(users), 2))
        ((low, high),) = intervals([means], users, resamples=500, confidence=0.95, rng=rng)
        covered.append((low <= 0.25) & (high >= 0.25))
    assert 0.93 <= np.mean(covered) <= 0.97
