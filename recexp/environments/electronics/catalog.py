"""The store's products: features, prices and exposure."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from recexp.data import Column
from recexp.environments.electronics.calendar import WEEKS, YEAR_DAYS

TASTES = 8
"""Hidden dimensions of taste."""
BY_QUALITY = 0.3
"""Share of quality in what exposure ranks products by: shops show more of what is good. The rest is chance."""


class Category(NamedTuple):
    """A leaf of the category tree."""

    name: str
    department: str
    things: tuple[str, ...]
    price: float
    """The typical one."""
    accessories: str
    """The category that whoever has bought here looks at next."""
    share: float
    """Of all products."""
    gift: float
    """How much more it is looked for in November and December, as a logarithm."""


CATEGORIES = (
    Category("smartphones", "mobile", ("smartphone", "foldable phone", "rugged phone"), 550, "phone cases", 0.06, 0.3),
    Category("phone cases", "mobile", ("phone case", "screen protector"), 20, "chargers", 0.09, 0.0),
    Category("chargers", "mobile", ("charger", "power bank", "charging cable"), 30, "phone cases", 0.07, 0.0),
    Category("tablets", "mobile", ("tablet", "e-reader"), 350, "phone cases", 0.04, 0.5),
    Category("smartwatches", "mobile", ("smartwatch", "fitness band", "smart ring"), 180, "chargers", 0.05, 0.5),
    Category("laptops", "computers", ("ultrabook", "gaming laptop", "convertible laptop"), 1000, "bags", 0.06, 0.0),
    Category("monitors", "computers", ("monitor", "curved monitor", "portable monitor"), 260, "cables", 0.04, 0.0),
    Category("keyboards", "computers", ("keyboard", "mouse", "webcam"), 55, "cables", 0.08, 0.1),
    Category("storage", "computers", ("portable ssd", "memory card", "network drive"), 90, "cables", 0.06, 0.0),
    Category("bags", "computers", ("laptop bag", "backpack", "sleeve"), 45, "keyboards", 0.04, 0.1),
    Category("cables", "computers", ("usb hub", "hdmi cable", "docking station"), 25, "keyboards", 0.07, 0.0),
    Category("headphones", "audio", ("headphones", "earbuds", "headset"), 110, "chargers", 0.08, 0.5),
    Category("speakers", "audio", ("bluetooth speaker", "soundbar", "smart speaker"), 140, "cables", 0.05, 0.4),
    Category("televisions", "video", ("oled television", "led television", "projector"), 750, "speakers", 0.03, 0.4),
    Category("cameras", "video", ("mirrorless camera", "action camera", "instant camera"), 450, "storage", 0.03, 0.4),
    Category("consoles", "gaming", ("console", "handheld console", "vr headset"), 380, "controllers", 0.02, 0.7),
    Category("controllers", "gaming", ("controller", "racing wheel", "gaming chair"), 70, "headphones", 0.04, 0.6),
    Category("smart home", "home", ("thermostat", "light bulb set", "door camera"), 80, "cables", 0.05, 0.1),
    Category("vacuums", "home", ("robot vacuum", "cordless vacuum", "air purifier"), 300, "smart home", 0.02, 0.1),
    Category("kitchen", "home", ("espresso machine", "blender", "air fryer"), 120, "smart home", 0.02, 0.4),
)
NAMES = tuple(category.name for category in CATEGORIES)
ACCESSORIES = np.array([NAMES.index(category.accessories) for category in CATEGORIES])
BRANDS = (
    *("Aldra", "Borealis", "Cinder", "Dovetail", "Elmwood", "Fathom", "Gantry", "Halcyon", "Ionix", "Juniper"),
    *("Kestrel", "Lumen", "Meridian", "Northway", "Orbis", "Pallas"),
)
_QUALITIES = ("compact", "durable", "lightweight", "powerful", "quiet", "stylish", "versatile", "wireless")
_USES = ("travel", "work", "sports", "studying", "families", "creators", "beginners", "enthusiasts")


@dataclass(frozen=True)
class Catalog:
    """n products.

    Attributes
    ----------
    category, brand : int64 (n,), positions in `CATEGORIES` and `BRANDS`.
    words : int64 (n, 3), positions of three words: a noun of the category, a quality and a use.
    price : float64 (n,), list price; `price_factors`, float32 (n, weeks), its multiplier in each week.
    premium : float64 (n,), logarithm of the ratio of the price to the typical price of the category.
    margin : float64 (n,), margin at the list price.
    stock : int64 (n,), units in stock.
    released : int64 (n,), day of the year, negative if before this year.
    quality : float64 (n,), appeal shared by all users; standard normal.
    taste : float64 (n, TASTES), hidden.
    exposure : float64 (n,), how much the store shows it to any visitor: in search, campaigns and on the front page.
    """

    category: np.ndarray
    brand: np.ndarray
    words: np.ndarray
    price: np.ndarray
    price_factors: np.ndarray
    premium: np.ndarray
    margin: np.ndarray
    stock: np.ndarray
    released: np.ndarray
    quality: np.ndarray
    taste: np.ndarray
    exposure: np.ndarray

    def __len__(self) -> int:
        return len(self.price)

    def prices(self, items: np.ndarray, weeks: np.ndarray) -> np.ndarray:
        """Return the prices of items, float32 (m,), in the given weeks of the year, int (m,)."""
        return np.round(self.price.astype(np.float32)[items] * self.price_factors[items, weeks], 2)

    def columns(self) -> dict[str, Column]:
        """Return the columns of the public items table."""
        leaves = [CATEGORIES[code] for code in self.category]
        brands = [BRANDS[code] for code in self.brand]
        things = [leaf.things[thing] for leaf, thing in zip(leaves, self.words[:, 0])]
        titles = [f"{brand} {_QUALITIES[word]} {thing}" for brand, word, thing in zip(brands, self.words[:, 1], things)]
        texts = [f"{title} for {_USES[use]}" for title, use in zip(titles, self.words[:, 2])]
        return {
            "title": Column.text(titles),
            "department": Column.category([leaf.department for leaf in leaves]),
            "category": Column.category([leaf.name for leaf in leaves]),
            "brand": Column.category(brands),
            "price": Column.numeric(self.price, "price"),
            "margin": Column.numeric(self.margin, "price"),
            "stock": Column.numeric(self.stock),
            "released": Column.numeric(self.released),
            "description": Column.text(texts),
        }


def draw_catalog(n: int, concentration: float, rng: np.random.Generator) -> Catalog:
    """Draw n products; exposure falls with the rank in the category, scaled to 0..1, to the power `concentration`.

    The ranking depends partly on quality, see `BY_QUALITY`.
    """
    share = np.array([category.share for category in CATEGORIES])
    category = rng.choice(len(CATEGORIES), n, p=share / share.sum())
    category[: min(n, len(CATEGORIES))] = np.arange(min(n, len(CATEGORIES)))  # none is empty
    things = np.array([len(one.things) for one in CATEGORIES])[category]
    premium = rng.normal(0.0, 0.45, n)
    typical = np.array([one.price for one in CATEGORIES])[category]
    price = np.maximum(1.0, np.round(typical * np.exp(premium))) - 0.01
    quality, rank = rng.standard_normal(n), np.empty(n)
    merit = BY_QUALITY**0.5 * quality + (1 - BY_QUALITY) ** 0.5 * rng.standard_normal(n)
    for code in range(len(CATEGORIES)):
        (members,) = np.nonzero(category == code)
        rank[members[np.argsort(-merit[members])]] = np.arange(1, len(members) + 1) / len(members)
    return Catalog(
        category=category,
        brand=rng.integers(len(BRANDS), size=n),
        words=np.stack(
            [rng.integers(things), rng.integers(len(_QUALITIES), size=n), rng.integers(len(_USES), size=n)], 1
        ),
        price=price,
        price_factors=_price_factors(n, rng),
        premium=premium,
        margin=np.round(price * rng.uniform(0.08, 0.4, n), 2),
        stock=rng.integers(5, 500, n),
        released=rng.integers(-3 * YEAR_DAYS, YEAR_DAYS // 2, n),
        quality=quality,
        taste=rng.standard_normal((n, TASTES)),
        exposure=(rank + 0.02) ** -concentration,
    )


def _price_factors(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return float32 (n, weeks): a product is 5 to 35 % off in one week out of eight; most are in late November."""
    chance = np.full(WEEKS, 0.125)
    chance[46:48] = 0.45
    reduced = rng.random((n, WEEKS), np.float32) < chance.astype(np.float32)
    return np.where(reduced, rng.uniform(0.65, 0.95, (n, 1)), 1.0).astype(np.float32)
