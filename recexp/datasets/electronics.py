"""A simulated electronics store: people with tastes visit, view, put into the cart, buy and rate."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from recexp.data import Column, Dataset, Interactions
from recexp.datasets.base import Source
from recexp.errors import ConfigError
from recexp.params import NonNegativeInt, PositiveFloat, params
from recexp.rng import generator

_Many = Annotated[int, Field(ge=1, le=100_000_000)]
_CATEGORIES = {  # category: (the things in it, typical price)
    "phones": (("smartphone", "foldable phone", "rugged phone"), 600),
    "laptops": (("ultrabook", "gaming laptop", "convertible laptop"), 1100),
    "audio": (("headphones", "earbuds", "bluetooth speaker", "soundbar"), 120),
    "cameras": (("mirrorless camera", "action camera", "instant camera"), 500),
    "televisions": (("oled television", "led television", "projector"), 900),
    "gaming": (("console", "controller", "racing wheel", "vr headset"), 250),
    "wearables": (("smartwatch", "fitness band", "smart ring"), 180),
    "smart home": (("thermostat", "light bulb set", "robot vacuum", "door camera"), 150),
    "storage": (("portable ssd", "memory card", "network drive"), 100),
    "accessories": (("charger", "usb hub", "phone case", "laptop bag", "keyboard"), 35),
}
_BRANDS = (
    *("Aldra", "Borealis", "Cinder", "Dovetail", "Elmwood", "Fathom"),
    *("Gantry", "Halcyon", "Ionix", "Juniper", "Kestrel", "Lumen"),
)
_CITIES = ("Amsterdam", "Berlin", "Helsinki", "Lisbon", "Madrid", "Paris", "Prague", "Rome", "Vienna", "Warsaw")
_SEGMENTS = ("bargain", "mainstream", "premium")
_QUALITIES = ("compact", "durable", "lightweight", "powerful", "quiet", "stylish", "versatile", "wireless")
_USES = ("travel", "work", "sports", "studying", "families", "creators", "beginners", "enthusiasts")
_EVENTS = ("cart", "purchase", "rating", "view")  # in the order of a category column
_YEAR = 365 * 86400
_START = 1_704_067_200  # 2024-01-01 00:00 UTC
_TASTES = 4  # hidden dimensions of taste beyond category, brand and price


@dataclass(frozen=True)
class _People:
    age: np.ndarray
    gender: np.ndarray
    city: np.ndarray
    segment: np.ndarray
    category: np.ndarray  # (n, categories) how much each category is liked
    brand: np.ndarray  # (n, brands)
    taste: np.ndarray  # (n, _TASTES)
    activity: np.ndarray  # (n,) share of all sessions, sums to 1


@dataclass(frozen=True)
class _Products:
    category: np.ndarray
    brand: np.ndarray
    thing: np.ndarray  # which of its category's things
    quality: np.ndarray
    use: np.ndarray
    price: np.ndarray
    year: np.ndarray
    taste: np.ndarray
    appeal: np.ndarray  # (n,) how good it is for anyone


@params
class Electronics(Source):
    """One year of a store's events, the same for the same parameters wherever it is made; nothing is downloaded.

    A user's sessions hold views of products; what is liked more is viewed more, and carried on more often to the cart,
    the purchase and the rating. Liking adds up a product's general appeal, the user's affinity to its category and
    brand, four hidden tastes, and how its price within its category suits the user's segment. Ratings follow liking,
    with noise, rounded to 1-5, one a user and product. Rows are in time order; `values` are NaN but in rating rows.

    Parameters
    ----------
    n_users, n_products : how many there are; those without an event are absent from the data.
    n_sessions : visits of all users together.
    session_length : mean number of views in a session (geometric).
    noise : standard deviation of what a rating has beyond liking, in stars.
    n_ratings : keep the first so many ratings, but the first of each user and product in any case, and of the other
        events those that led to them; None: all events.
    seed : seed of the store, which is not the run's: another seed is another store.
    """

    n_users: _Many
    n_products: _Many
    n_sessions: _Many
    session_length: PositiveFloat
    noise: PositiveFloat
    n_ratings: _Many | None
    seed: NonNegativeInt

    def check(self) -> None:
        """Nothing can be missing."""

    def files(self) -> dict[str, Path]:
        return {}

    def load(self) -> Dataset:
        people = _people(self.n_users, generator(self.seed, "electronics", "people"))
        products = _products(self.n_products, generator(self.seed, "electronics", "products"))
        rng = generator(self.seed, "electronics", "events")
        rows = self._events(people, _liking(people, products), rng)
        return Dataset(
            name=self.name,
            interactions=rows,
            user_ids=np.arange(1, self.n_users + 1),
            item_ids=np.arange(1, self.n_products + 1),
            users=_user_table(people),
            items=_item_table(products),
        ).compact(as_loaded=True)

    def _events(self, people: _People, liking: np.ndarray, rng: np.random.Generator) -> Interactions:
        """Draw sessions, their views, and what follows from each view; liking is (n_users, n_products)."""
        visitor = rng.choice(self.n_users, self.n_sessions, p=people.activity)
        length = rng.geometric(min(1 / self.session_length, 1.0), self.n_sessions)
        session = np.repeat(np.arange(self.n_sessions), length)
        user = visitor[session]
        chance = np.cumsum(np.exp(liking), axis=1)
        item = _draw(chance, user, rng)
        start = np.sort(rng.integers(_START, _START + _YEAR - 86400, self.n_sessions))
        place = np.arange(len(session)) - np.repeat(np.cumsum(length) - length, length)
        viewed = start[session] + 90 * place
        liked = liking[user, item]
        cart = rng.random(len(user)) < 1 / (1 + np.exp(0.4 - 1.2 * liked))
        bought = cart & (rng.random(len(user)) < 0.7)
        rated = _first(bought & (rng.random(len(user)) < 0.9), user * self.n_products + item)
        stars = np.clip(np.rint(3 + 0.7 * liked + self.noise * rng.standard_normal(len(user))), 1, 5).astype(np.float32)
        kept = np.ones(len(user), bool)
        if self.n_ratings is not None:
            kept = rated = _earliest(rated, user, item, self.n_ratings)
        happens = (cart & kept, bought & kept, rated, kept)  # as _EVENTS
        delay = (20, 40, 60, 0)
        at = [np.flatnonzero(which) for which in happens]
        view = np.concatenate(at)
        event = np.repeat(np.arange(len(_EVENTS), dtype=np.int32), [len(some) for some in at])
        time = viewed[view] + np.repeat(delay, [len(some) for some in at])
        value = np.where(event == _EVENTS.index("rating"), stars[view], np.nan).astype(np.float32)
        order = np.argsort(time, kind="stable")
        view = view[order]
        return Interactions(
            users=user[view].astype(np.int32),
            items=item[view].astype(np.int32),
            values=value[order],
            n_users=self.n_users,
            n_items=self.n_products,
            timestamps=time[order].astype(np.int64),
            events=Column("category", event[order], _EVENTS),
            sessions=session[view].astype(np.int32),
            explicit=True,
        )


def _first(chosen: np.ndarray, pair: np.ndarray) -> np.ndarray:
    """Return the mask `chosen` (m,) with only the first of equal pairs (m,) left."""
    at = np.flatnonzero(chosen)
    once = np.zeros(len(chosen), bool)
    once[at[np.unique(pair[at], return_index=True)[1]]] = True
    return once


def _earliest(chosen: np.ndarray, user: np.ndarray, item: np.ndarray, n: int) -> np.ndarray:
    """Return the mask `chosen` (m,) with n of its rows left: the first of each user and item, then the first of all."""
    at = np.flatnonzero(chosen)
    if len(at) < n:
        raise ConfigError(f"dataset.n_ratings: {n} is more than the {len(at)} there are; raise dataset.n_sessions")
    first = np.zeros(len(at), bool)
    for codes in (user, item):
        first[np.unique(codes[at], return_index=True)[1]] = True
    kept = np.zeros(len(chosen), bool)
    kept[at[np.argsort(~first, kind="stable")][:n]] = True
    return kept


def _draw(chance: np.ndarray, user: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw an item for each of `user` (m,) from its row of cumulated weights, all rows searched as one."""
    line = chance / chance[:, -1:] + np.arange(len(chance))[:, None]
    at = np.searchsorted(line.ravel(), user + rng.random(len(user)), side="right")
    return np.minimum(at - user * chance.shape[1], chance.shape[1] - 1)


def _people(n: int, rng: np.random.Generator) -> _People:
    segment = rng.choice(len(_SEGMENTS), n, p=(0.35, 0.45, 0.2))
    activity = rng.gamma(2.0, size=n)
    return _People(
        age=np.clip(rng.normal(40, 14, n), 16, 85).round(),
        gender=rng.integers(2, size=n),
        city=rng.integers(len(_CITIES), size=n),
        segment=segment,
        category=rng.normal(0, 0.9, (n, len(_CATEGORIES))),
        brand=rng.normal(0, 0.5, (n, len(_BRANDS))),
        taste=rng.normal(0, 1, (n, _TASTES)),
        activity=activity / activity.sum(),
    )


def _products(n: int, rng: np.random.Generator) -> _Products:
    category = rng.integers(len(_CATEGORIES), size=n)
    things = np.array([len(names) for names, _ in _CATEGORIES.values()])
    typical = np.array([price for _, price in _CATEGORIES.values()])
    return _Products(
        category=category,
        brand=rng.integers(len(_BRANDS), size=n),
        thing=rng.integers(things[category]),
        quality=rng.integers(len(_QUALITIES), size=n),
        use=rng.integers(len(_USES), size=n),
        price=np.round(typical[category] * rng.lognormal(0, 0.5, n), 2),
        year=rng.integers(2018, 2025, n),
        taste=rng.normal(0, 1, (n, _TASTES)),
        appeal=rng.normal(0, 0.5, n),
    )


def _liking(people: _People, products: _Products) -> np.ndarray:
    """Return float64 (n_users, n_products): how much each user likes each product, 0 is neutral."""
    typical = np.array([price for _, price in _CATEGORIES.values()])[products.category]
    expensive = np.log(products.price / typical)
    wanted = np.array([-0.5, 0.0, 0.5])[people.segment]  # log of price over typical that a segment looks for
    return (
        products.appeal
        + people.category[:, products.category]
        + people.brand[:, products.brand]
        + 0.35 * people.taste @ products.taste.T
        - 0.8 * np.abs(expensive - wanted[:, None])
    )


def _user_table(people: _People) -> dict[str, Column]:
    return {
        "age": Column.numeric(people.age),
        "gender": Column.category(np.array(("F", "M"))[people.gender]),
        "city": Column.category(np.array(_CITIES)[people.city]),
        "segment": Column.category(np.array(_SEGMENTS)[people.segment]),
    }


def _item_table(products: _Products) -> dict[str, Column]:
    categories = list(_CATEGORIES.items())
    names = [categories[c][1][0][thing] for c, thing in zip(products.category, products.thing)]
    texts = [
        f"{_BRANDS[brand]} {_QUALITIES[quality]} {name} for {_USES[use]}, released in {year}"
        for brand, quality, name, use, year in zip(products.brand, products.quality, names, products.use, products.year)
    ]
    return {
        "category": Column.category([categories[c][0] for c in products.category]),
        "brand": Column.category([_BRANDS[brand] for brand in products.brand]),
        "price": Column.numeric(products.price, "price"),
        "description": Column.text(texts),
        "year": Column.numeric(products.year),
    }
