"""The world of the electronics store: the same by any number of threads, believable, and true to what it says."""

import numpy as np
import pytest

from recexp import threads
from recexp.environments.electronics.calendar import MONTHS, START
from recexp.environments.electronics.world import EVENTS, Log, World


def world(**fields: float) -> World:
    given = {"n_users": 2000, "n_products": 500, "n_visits": 36000, "explained": 0.5, "noise": 0.5}
    return World(**{**given, "concentration": 1.2, "eta": 1.0, "seed": 1, **fields})


@pytest.fixture(scope="module")
def store() -> tuple[World, Log]:
    one = world()
    return one, one.log()


def share(log: Log, event: str, of: str) -> float:
    counts = np.bincount(log.events, minlength=len(EVENTS))
    return counts[EVENTS.index(event)] / counts[EVENTS.index(of)]


def test_it_is_the_same_by_any_number_of_threads() -> None:
    with threads.limit(1):
        alone = world(n_users=300, n_visits=2000).log()
    with threads.limit(2):
        together = world(n_users=300, n_visits=2000).log()
    for name, array in vars(alone).items():
        np.testing.assert_array_equal(array, vars(together)[name])


def test_another_seed_is_another_store() -> None:
    first, second = (world(n_users=300, n_visits=2000, seed=seed).log() for seed in (1, 2))
    assert len(first.users) != len(second.users) or not np.array_equal(first.items, second.items)


def test_the_funnel_and_visits_are_those_of_a_shop(store: tuple[World, Log]) -> None:
    _, log = store
    assert 0.02 <= share(log, "cart", "view") <= 0.08
    assert 0.25 <= share(log, "purchase", "cart") <= 0.5
    assert 0.006 <= share(log, "purchase", "view") <= 0.03
    assert 0.05 <= share(log, "return", "purchase") <= 0.15
    views, bought = log.events == 0, log.events == 2
    visit = log.users * np.int64(10**6) + log.sessions
    _, clicks = np.unique(visit[views], return_counts=True)
    assert 0.02 <= len(np.unique(visit[bought])) / len(clicks) <= 0.065
    several = clicks[clicks > 1]
    assert 4 <= several.mean() <= 6.4
    assert [3, 7, 17] <= list(np.quantile(several, (0.5, 0.9, 0.99))) <= [4, 14, 31]
    pairs = log.users[bought] * np.int64(500) + log.items[bought]
    assert 1 - len(np.unique(pairs)) / len(pairs) < 0.08, "electronics last"


def test_popularity_and_time_are_uneven_as_in_a_shop(store: tuple[World, Log]) -> None:
    _, log = store
    views = np.sort(np.bincount(log.items[log.events == 0]))[::-1]
    assert 0.55 <= views[:100].sum() / views.sum() <= 0.75
    tail = views[9:][views[9:] >= 5]
    slope = np.polyfit(np.log(np.arange(10, 10 + len(tail))), np.log(tail), 1)[0]
    assert 0.7 <= -slope <= 1.1
    seconds = log.times - START
    hours = np.bincount(seconds[log.events == 0] % 86400 // 3600)
    assert hours.max() / hours.min() > 8
    orders = np.bincount(MONTHS[np.minimum(seconds[log.events == 2] // 86400, len(MONTHS) - 1)])
    assert 1.5 <= orders.max() / orders.min() <= 3.3


def test_what_gets_rated_depends_on_the_rating(store: tuple[World, Log]) -> None:
    _, log = store
    ratings = log.values[log.events == 3]
    assert 4.1 <= ratings.mean() <= 4.5
    assert np.bincount(ratings.astype(int), minlength=6)[5] > 0.45 * len(ratings)
    chances = log.ratings[log.events == 3]
    assert len(np.unique(chances)) > 1
    inverse = (ratings / chances).sum() / (1 / chances).sum()  # of all that was bought (Horvitz and Thompson 1952)
    assert inverse < ratings.mean() - 0.02


def test_a_click_has_the_probability_that_the_log_says(store: tuple[World, Log]) -> None:
    """The formula of `World`'s docstring, in numpy."""
    one, log = store
    rows = np.flatnonzero((log.events == 0) & (log.places >= 0))[::997]
    u, i, place = log.users[rows], log.items[rows], log.places[rows].astype(float)
    catalog, people, effects, t = one.catalog, one.people, one.effects, one.tables
    category = catalog.category[i]
    known = 0.55 * people.categories[u, category] + 0.45 * people.brands[u, catalog.brand[i]]
    known -= 0.7 * (np.abs(catalog.premium[i] - np.array([-0.4, 0.0, 0.4])[people.segment[u]]) - 0.45)
    hidden = (people.taste[u] * catalog.taste[i]).sum(1) / np.sqrt(catalog.taste.shape[1])
    chances = np.empty((2, len(rows)))
    for side, whim in enumerate((-0.5, 0.5)):  # what nothing explains is uniform and of variance 1
        liked = 0.5**0.5 * (known + hidden) + 0.4 * catalog.quality[i] + 0.5 * whim * np.sqrt(12)
        spread = [np.abs(effects[name][category]).max(1) for name in effects]
        for sign in (-1, 1):
            total = liked + sign * 0.3 * np.sum(spread, 0)
            value = (place + 1) ** -t.eta / (1 + np.exp(1.2 - 0.9 * total))
            chances[side] = value if sign == (2 * side - 1) else chances[side]
    assert np.all((chances[0] <= log.clicks[rows]) & (log.clicks[rows] <= chances[1]))
    assert np.corrcoef(log.clicks[rows], chances.mean(0))[0, 1] > 0.9
