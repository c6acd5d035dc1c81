"""The store's visitors: features, preferences, activity and readiness to buy."""

from dataclasses import dataclass

import numpy as np

from recexp.data import Column
from recexp.environments.electronics.calendar import DEVICES, YEAR_DAYS
from recexp.environments.electronics.catalog import BRANDS, CATEGORIES, TASTES

CITIES = ("Amsterdam", "Berlin", "Helsinki", "Lisbon", "Madrid", "Paris", "Prague", "Rome", "Vienna", "Warsaw")
SEGMENTS = ("bargain", "mainstream", "premium")
PREMIUMS = np.array([-0.4, 0.0, 0.4])
"""Logarithm of the price over the typical one that a segment looks for."""
SENSITIVITIES = np.array([1.9, 1.6, 1.3])
"""How much a segment's readiness to buy falls with the logarithm of a price over the usual one."""


@dataclass(frozen=True)
class People:
    """n people.

    Attributes
    ----------
    age, gender, city, segment : float64 and int64 (n,), the last three positions in F and M, `CITIES`, `SEGMENTS`.
    devices : float64 (n, devices), share of visits made with each device.
    registered : int64 (n,), day of the year, negative if before this year.
    friends : int32 (f, 2), pairs of friends from one city; their hidden tastes may be similar.
    categories, brands : float64 (n, categories) and (n, brands), affinities, each with variance 1.
    taste : float64 (n, TASTES), hidden.
    activity : float64 (n,), share of all visits.
    readiness : float64 (n,), readiness to buy: log-odds relative to the average person.
    """

    age: np.ndarray
    gender: np.ndarray
    city: np.ndarray
    segment: np.ndarray
    devices: np.ndarray
    registered: np.ndarray
    friends: np.ndarray
    categories: np.ndarray
    brands: np.ndarray
    taste: np.ndarray
    activity: np.ndarray
    readiness: np.ndarray

    def __len__(self) -> int:
        return len(self.age)

    def columns(self) -> dict[str, Column]:
        """Return the columns of the public users table."""
        budget = np.round(np.exp(5.5 + PREMIUMS[self.segment] + 0.01 * (self.age - 40)), -1)
        return {
            "age": Column.numeric(self.age),
            "gender": Column.category(np.array(("F", "M"))[self.gender]),
            "city": Column.category(np.array(CITIES)[self.city]),
            "segment": Column.category(np.array(SEGMENTS)[self.segment]),
            "budget": Column.numeric(budget),
            "device": Column.category(np.array(DEVICES)[self.devices.argmax(1)]),
            "registered": Column.numeric(self.registered),
        }


def draw_people(n: int, homophily: float, rng: np.random.Generator) -> People:
    """Draw n people. Preferences depend partly on age, gender and segment, and on friends according to `homophily`."""
    age = np.clip(rng.normal(40, 14, n), 16, 85).round()
    gender, city = rng.integers(2, size=n), rng.integers(len(CITIES), size=n)
    segment = rng.choice(len(SEGMENTS), n, p=(0.35, 0.45, 0.2))
    groups = (np.digitize(age, (25, 35, 50, 65)) * 2 + gender) * len(SEGMENTS) + segment
    likes = []
    for width in (len(CATEGORIES), len(BRANDS)):  # the group explains half of the variance
        of_groups = rng.normal(0, 0.5**0.5, (groups.max() + 1, width))
        likes.append(of_groups[groups] + rng.normal(0, 0.5**0.5, (n, width)))
    friends = _friends(city, rng)
    activity = rng.lognormal(0.0, 0.9, n)
    younger = np.clip((60 - age) / 44, 0, 1)
    mix = np.stack([np.full(n, 0.9), 0.4 + 1.4 * younger, np.full(n, 0.25)], 1)
    return People(
        age=age,
        gender=gender,
        city=city,
        segment=segment,
        devices=mix / mix.sum(1, keepdims=True),
        registered=np.where(rng.random(n) < 0.7, -rng.integers(1, 1000, n), rng.integers(0, YEAR_DAYS - 30, n)),
        friends=friends,
        categories=likes[0],
        brands=likes[1],
        taste=_alike(rng.standard_normal((n, TASTES)), friends, homophily),
        activity=activity / activity.sum(),
        readiness=rng.normal(0.0, 0.9, n) + 0.4 * np.log(activity),
    )


def _friends(city: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw pairs of friends from the same city, two for each person."""
    order = np.argsort(city, kind="stable")
    first = rng.integers(len(city), size=2 * len(city))
    second = (first + rng.geometric(0.02, len(first))) % len(city)
    pairs = np.stack([order[first], order[second]], 1).astype(np.int32)
    return pairs[(city[pairs[:, 0]] == city[pairs[:, 1]]) & (pairs[:, 0] != pairs[:, 1])]


def _alike(taste: np.ndarray, friends: np.ndarray, homophily: float) -> np.ndarray:
    """Return the tastes plus `homophily` times the sum over friends, rescaled to variance 1."""
    mixed = taste.copy()
    for mine, theirs in (friends.T, friends.T[::-1]):
        np.add.at(mixed, mine, homophily * taste[theirs])
    return mixed / mixed.std(0)
