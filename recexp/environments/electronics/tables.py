"""The world as input to compiled loops: few arrays of records, as each array adds compile time to every loop."""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from recexp.environments.electronics import calendar
from recexp.environments.electronics.catalog import ACCESSORIES, CATEGORIES, TASTES, Catalog
from recexp.environments.electronics.people import CITIES, PREMIUMS, SENSITIVITIES, People

ALIAS = np.dtype([("chance", float), ("other", np.int64)])
"""A place of an alias table: by what probability it is kept where it is drawn, and what stands in for it else."""
ITEM = np.dtype(
    [
        *(("category", np.int64), ("brand", np.int64), ("durable", np.int64)),
        *(("premium", float), ("quality", float), ("price", float), ("margin", float)),
        *(("search_share", float), ("front_share", float)),
        *(("taste", float, TASTES), ("price_factors", np.float32, calendar.WEEKS)),
    ],
    align=True,
)
CATEGORY = np.dtype(
    [
        *(("start", np.int64), ("stop", np.int64), ("accessories", np.int64)),
        *(("month", float, 12), ("hour", float, 24)),
        *(("device", float, len(calendar.DEVICES)), ("city", float, len(CITIES))),
    ]
)
"""Where a category's products are in `Tables.by_category`, and what context adds to its liking."""
USER = np.dtype(
    [
        *(("city", np.int64), ("registered", np.int64)),
        *(("wanted", float), ("sensitivity", float), ("readiness", float)),
        ("devices", float, len(calendar.DEVICES)),
    ]
)
ROW = np.dtype(
    [
        *(("users", np.int32), ("items", np.int32), ("times", np.int64)),
        *(("values", np.float32), ("sessions", np.int32)),
        *(("exposures", np.float32), ("clicks", np.float32), ("ratings", np.float32)),
        *(("events", np.int8), ("devices", np.int8), ("entries", np.int8), ("places", np.int8)),
    ]
)
"""A row of a log, see `world.Log`."""
SHOWN = 10
"""Products of a page of the store's own."""
SCRATCH = np.dtype(
    [
        ("state", np.uint64),
        *(("need", float, len(CATEGORIES)), ("wish", float, len(CATEGORIES))),
        *(("shown", np.int64, SHOWN), ("seen", np.int64, 256)),
        *(("cart", np.int64, 32), ("liked", float, 32), ("owned", np.int32, 128)),
        *(("n_seen", np.int64), ("n_cart", np.int64), ("n_owned", np.int64), ("n_rows", np.int64)),
    ]
)
"""Room for one visitor at a time: the state of the stream; needs and wishes by category; what a page shows and what was
seen in the visit; what is in the cart and how much it is liked; what has been bought; how many there are of these, and
how many rows of the log."""
VISITOR = np.dtype(
    [
        *(("code", np.int64), ("key", np.uint64)),
        *(("first_day", np.int64), ("day", np.int64), ("seconds", np.int64), ("hour", np.int64)),
        *(("device", np.int64), ("mood", float), ("visits", np.int64), ("pages", np.int64)),
        *(("steps", np.int64), ("clicked", np.int64), ("done", np.bool_)),
        *(("history", np.int32, 50), ("bought", np.int32, 16), ("bought_days", np.int32, 16)),
    ],
    align=True,
)
"""Where a visitor of the environment stands: `code`, and `key` of the luck; `first_day` and `day` of the first visit
and this one, since 2024-01-01, and `seconds` of the day; `hour`, `device` and `mood` of this visit; `visits` before it,
`pages` of it so far, `steps` in all, `clicked` in it; whether they are `done`; what was clicked and bought last, oldest
first, -1 before that, and the days of it."""


class Tables(NamedTuple):
    """The world as arrays; `world.World` documents their meaning.

    `by_category` holds the items grouped by category, `search` their alias tables, `front` the table of all items.
    """

    items: np.ndarray
    categories: np.ndarray
    by_category: np.ndarray
    search: np.ndarray
    front: np.ndarray
    users: np.ndarray
    likes: np.ndarray
    brand_likes: np.ndarray
    taste: np.ndarray
    days: np.ndarray
    months: np.ndarray
    hours: np.ndarray
    entries: np.ndarray
    features: float
    hidden: float
    chance: float
    eta: float
    seed: np.uint64


def tables(
    catalog: Catalog,
    people: People,
    effects: Mapping[str, np.ndarray],
    entries: np.ndarray,
    *,
    explained: float,
    noise: float,
    eta: float,
    seed: int,
) -> Tables:
    """Return the tables of a world, see `world.World`; `entries` (n,) holds the share of each way to enter the store.

    `effects` holds those of month, hour, device and city, each (categories, ...).
    """
    by_category = np.argsort(catalog.category, kind="stable")
    begin = np.append(0, np.cumsum(np.bincount(catalog.category, minlength=len(CATEGORIES))))
    search, of_category = np.empty(len(by_category), ALIAS), np.empty(len(by_category))
    for start, stop in pairwise(begin):
        weights = catalog.exposure[by_category[start:stop]]
        search[start:stop] = alias(weights)
        of_category[by_category[start:stop]] = weights / weights.sum()
    return Tables(
        items=_records(
            ITEM,
            category=catalog.category,
            brand=catalog.brand,
            durable=catalog.price > 40.0,
            premium=catalog.premium,
            quality=catalog.quality,
            price=catalog.price,
            margin=catalog.margin,
            search_share=of_category,
            front_share=catalog.exposure / catalog.exposure.sum(),
            taste=catalog.taste,
            price_factors=catalog.price_factors,
        ),
        categories=_records(CATEGORY, start=begin[:-1], stop=begin[1:], accessories=ACCESSORIES, **effects),
        by_category=by_category,
        search=search,
        front=alias(catalog.exposure),
        users=_records(
            USER,
            city=people.city,
            registered=people.registered,
            wanted=PREMIUMS[people.segment],
            sensitivity=SENSITIVITIES[people.segment],
            readiness=people.readiness,
            devices=people.devices,
        ),
        likes=people.categories,
        brand_likes=people.brands,
        taste=people.taste,
        days=alias(calendar.day_weights()),
        months=calendar.MONTHS,
        hours=calendar.hour_weights(),
        entries=entries,
        features=explained**0.5,
        hidden=(1 - explained) ** 0.5,
        chance=noise,
        eta=eta,
        seed=np.uint64(seed),
    )


def alias(weights: np.ndarray) -> np.ndarray:
    """Return the alias table of weights, (n,), for drawing an index in constant time (Vose 1991)."""
    chances, others = (weights / weights.mean()).tolist(), list(range(len(weights)))
    small = [at for at, chance in enumerate(chances) if chance < 1.0]
    large = [at for at, chance in enumerate(chances) if chance >= 1.0]
    while small and large:
        low, high = small.pop(), large[-1]
        others[low] = high
        chances[high] -= 1.0 - chances[low]
        if chances[high] < 1.0:
            small.append(large.pop())
    return _records(ALIAS, chance=chances, other=others)


def _records(dtype: np.dtype, **columns: object) -> np.ndarray:
    """Return an array of records built from columns of equal length."""
    found = np.empty(len(next(iter(columns.values()))), dtype)  # type: ignore[arg-type]
    for name, values in columns.items():
        found[name] = values
    return found
