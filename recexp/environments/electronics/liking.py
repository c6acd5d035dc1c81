"""The world as compiled loops read it, and what is true in it: imported inside functions only."""

from typing import NamedTuple

import numpy as np

from recexp.algorithms.kernels.hashing import mixed
from recexp.environments.electronics.calendar import CONTEXT_WEIGHT
from recexp.environments.electronics.draws import STEP, normal
from recexp.kernels import jit


class Tables(NamedTuple):
    """The world as arrays; see `world.World` for what they mean."""

    category: np.ndarray
    brand: np.ndarray
    premium: np.ndarray
    quality: np.ndarray
    item_taste: np.ndarray
    price_factors: np.ndarray
    durable: np.ndarray
    by_category: np.ndarray
    category_ptr: np.ndarray
    search_chance: np.ndarray
    search_other: np.ndarray
    front_chance: np.ndarray
    front_other: np.ndarray
    search_share: np.ndarray
    front_share: np.ndarray
    accessories: np.ndarray
    likes: np.ndarray
    brand_likes: np.ndarray
    user_taste: np.ndarray
    wanted: np.ndarray
    sensitivity: np.ndarray
    readiness: np.ndarray
    devices: np.ndarray
    city: np.ndarray
    registered: np.ndarray
    day_chance: np.ndarray
    day_other: np.ndarray
    hours: np.ndarray
    entries: np.ndarray
    months: np.ndarray
    season: np.ndarray
    by_hour: np.ndarray
    by_device: np.ndarray
    by_city: np.ndarray
    features: float
    hidden: float
    chance: float
    eta: float
    seed: np.uint64


class Behavior(NamedTuple):
    """How readily people click, take into the cart, buy, rate and send back; log-odds unless said otherwise."""

    click: float
    click_liking: float
    cart: float
    cart_liking: float
    buy: float
    buy_liking: float
    buy_mood: float
    again: float
    back: float
    stamina: float
    stamina_spread: float
    gap: float
    gap_spread: float
    rate: float
    send_back: float


@jit(inner=True)
def liking(t, user, item, month, hour, device):
    """Return how much a user likes an item then and there; of variance about 1 and mean about 0 over random pairs."""
    category = t.category[item]
    known = (
        0.55 * t.likes[user, category]
        + 0.45 * t.brand_likes[user, t.brand[item]]
        - 0.7 * (abs(t.premium[item] - t.wanted[user]) - 0.45)
    )
    unknown = 0.0
    for d in range(t.item_taste.shape[1]):
        unknown += t.user_taste[user, d] * t.item_taste[item, d]
    unknown /= np.sqrt(t.item_taste.shape[1])
    when = t.season[category, month] + t.by_hour[category, hour] + t.by_device[category, device]
    when += t.by_city[category, t.city[user]]
    pair = mixed(t.seed + np.uint64(user + 1) * STEP ^ mixed(np.uint64(item + 1)))
    whim = (np.float64(pair >> np.uint64(11)) * 2.0**-53 - 0.5) * np.sqrt(12.0)
    return t.features * known + t.hidden * unknown + CONTEXT_WEIGHT * when + 0.4 * t.quality[item] + t.chance * whim


@jit(inner=True)
def stars(state, t, user, item, liked):
    """Return the rating that a user would give an item, 1 to 5: most are content, few are angry."""
    content = 3.5 + 0.5 * t.quality[item] + 0.45 * liked + 1.0 * normal(state)
    return min(5.0, max(1.0, np.rint(content)))


@jit(inner=True)
def chance_to_rate(b, value):
    """Return by what probability a rating of this value is given: the very content and the angry speak up."""
    return b.rate * (0.9 if value == 5.0 else 0.55 if value == 4.0 else 0.35 if value == 3.0 else 0.6)
