"""Ground truth of preferences and ratings, for compiled loops; import inside functions only."""

from typing import NamedTuple

import numpy as np

from recexp.algorithms.kernels.hashing import mixed
from recexp.environments.electronics.calendar import CONTEXT_WEIGHT
from recexp.environments.electronics.draws import STEP, normal
from recexp.kernels import jit


class Behavior(NamedTuple):
    """Base rates of clicks, cart additions, purchases, ratings and returns; log-odds unless stated otherwise."""

    click: float
    click_liking: float
    cart: float
    cart_liking: float
    cart_mood: float
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
    """Return how much a user likes an item in this context; mean about 0 and variance about 1 over random pairs."""
    this, who = t.items[item], t.users[user]
    category = t.categories[this.category]
    known = (
        0.55 * t.likes[user, this.category]
        + 0.45 * t.brand_likes[user, this.brand]
        - 0.7 * (abs(this.premium - who.wanted) - 0.45)
    )
    unknown = 0.0
    for d in range(t.taste.shape[1]):
        unknown += t.taste[user, d] * this.taste[d]
    unknown /= np.sqrt(t.taste.shape[1])
    when = category.month[month] + category.hour[hour] + category.device[device] + category.city[who.city]
    pair = mixed(t.seed + np.uint64(user + 1) * STEP ^ mixed(np.uint64(item + 1)))
    whim = (np.float64(pair >> np.uint64(11)) * 2.0**-53 - 0.5) * np.sqrt(12.0)
    return t.features * known + t.hidden * unknown + CONTEXT_WEIGHT * when + 0.4 * this.quality + t.chance * whim


@jit(inner=True)
def stars(s, quality, liked):
    """Return the rating, 1 to 5, that a user with this liking would give; most ratings are high, few are low."""
    content = 3.65 + 0.28 * quality + 0.22 * liked + 1.0 * normal(s)
    return min(5.0, max(1.0, np.rint(content)))


@jit(inner=True)
def chance_to_rate(b, value):
    """Return the probability that a rating of this value is submitted; extreme ratings are submitted more often."""
    return b.rate * (0.9 if value == 5.0 else 0.55 if value == 4.0 else 0.35 if value == 3.0 else 0.6)
