"""Compiled: probabilities of clicks, cart additions and purchases, and the effect of purchases on needs.

Import inside functions only. `liked` is `liking.liking` of the visitor and the item at that time.
"""

import numpy as np

from recexp.kernels import jit

MET = 0.15
"""What is left of a need once it is met; an accessory is needed the more."""
NEEDED_AGAIN = 500.0
"""Days after which about two thirds of a need are back."""


@jit(inner=True)
def logistic(x):
    return 1.0 / (1.0 + np.exp(-x))


@jit(inner=True)
def click_chance(b, liked):
    """Return the probability that a visitor clicks an examined item."""
    return logistic(b.click + b.click_liking * liked)


@jit(inner=True)
def dearness(t, visit, item):
    """Return how much a discount adds to the readiness to buy."""
    return -t.users[visit.user].sensitivity * np.log(t.items[item].price_factors[visit.week])


@jit(inner=True)
def cart_chance(t, b, visit, item, liked, need, owned):
    """Return the probability that a viewed item is added to the cart, given needs by category and the items owned."""
    ready = b.cart + b.cart_liking * liked + b.cart_mood * visit.mood + 0.5 * dearness(t, visit, item)
    ready += np.log(need[t.items[item].category])
    for one in owned:
        ready -= 4.0 * (one == item and t.items[item].durable)
    return logistic(ready)


@jit(inner=True)
def buy_chance(t, b, visit, item, liked):
    """Return the probability that an item in the cart is bought."""
    return logistic(b.buy + b.buy_liking * liked + b.buy_mood * visit.mood + dearness(t, visit, item))


@jit(inner=True)
def meet(t, need, item):
    """Update the needs by category after the purchase of an item."""
    code = t.items[item].category
    need[code] *= MET
    other = t.categories[code].accessories
    need[other] = min(6.0, need[other] * 2.5)


@jit(inner=True)
def recover(need, days):
    """Let days pass: met needs recover and raised needs decline."""
    for c in range(len(need)):
        need[c] += (1.0 - need[c]) * min(1.0, days / NEEDED_AGAIN)
