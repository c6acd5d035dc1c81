"""Compiled: what visitors do with lists that are shown to them; imported inside functions only."""

from typing import NamedTuple

import numpy as np

from recexp.environments.electronics.chances import buy_chance, cart_chance, click_chance, meet, recover
from recexp.environments.electronics.draws import choose, draw, logistic, normal, number
from recexp.environments.electronics.liking import liking
from recexp.environments.electronics.visits import Visit
from recexp.environments.kernels import key_of, luck
from recexp.kernels import jit

CLICK, CART, BUY, LEAVE, BACK, GAP = range(6)
"""What luck is for."""


class Visitors(NamedTuple):
    """Where b visitors stand; see `store.StoreState`."""

    codes: np.ndarray
    keys: np.ndarray
    first_days: np.ndarray
    days: np.ndarray
    seconds: np.ndarray
    hours: np.ndarray
    devices: np.ndarray
    moods: np.ndarray
    visits: np.ndarray
    pages: np.ndarray
    steps: np.ndarray
    clicked: np.ndarray
    history: np.ndarray
    bought: np.ndarray
    bought_days: np.ndarray
    shown: np.ndarray
    done: np.ndarray


class Terms(NamedTuple):
    """What things earn, and how patient people are; see `store.ElectronicsStore`."""

    price: np.ndarray
    margin: np.ndarray
    weights: np.ndarray
    leave: float
    content: float
    back: float
    loyalty: float
    gap: float
    days: int
    pages: int


@jit(inner=True)
def come(t, s, r, state):
    """Let the visitor of row r enter: device, hour, minute and mood; `state` (1,) is room for a stream."""
    user = s.codes[r]
    state[0] = key_of(~s.keys[r], s.visits[r])
    s.devices[r] = choose(state, t.devices[user], 1.0)
    s.hours[r] = choose(state, t.hours[s.devices[r]], 1.0)
    s.seconds[r] = s.hours[r] * 3600 + int(60.0 * number(state)) * 60
    s.moods[r] = normal(state) + t.readiness[user]
    s.pages[r], s.clicked[r], s.shown[r] = 0, 0, -1


@jit
def begin(start, stop, t, s, first):
    """Let the visitors of rows start..stop come for the first time, on a day of the year after day `first`."""
    state = np.zeros(1, np.uint64)
    for r in range(start, stop):
        state[0] = ~s.keys[r]
        s.first_days[r] = first + draw(state, t.day_chance, t.day_other, 0, len(t.day_chance))
        s.days[r] = s.first_days[r]
        come(t, s, r, state)


@jit(inner=True)
def visit_of(t, user, day, hour, device, mood):
    """Return a visit as the steps of visits read it."""
    month, week = t.months[day % len(t.months)], day // 7 % t.price_factors.shape[1]
    return Visit(user, 0, 0, month, week, hour, device, 0, 0, mood, 0)


@jit(inner=True)
def needs(t, bought, bought_days, day, need):
    """Fill `need` of categories as it is on a day, given what was bought last, oldest first."""
    need[:], before = 1.0, day
    for o in range(len(bought)):
        if bought[o] >= 0:
            recover(need, max(0, bought_days[o] - before))
            meet(t, need, bought[o])
            before = bought_days[o]
    recover(need, max(0, day - before))


@jit(inner=True)
def remember(row, value):
    """Append a value to a row, whose first falls out."""
    for at in range(len(row) - 1):
        row[at] = row[at + 1]
    row[-1] = value


@jit
def look(start, stop, t, b, p, s, items, clicks, carts, purchases, revenue, margin, reward, left):
    """Let the visitors of rows start..stop look through their lists, and go on to the next page or visit, or not."""
    need, state = np.empty(len(t.accessories)), np.zeros(1, np.uint64)
    k = items.shape[1]
    for r in range(start, stop):
        key = key_of(s.keys[r], s.visits[r])
        visit = visit_of(t, s.codes[r], s.days[r], s.hours[r], s.devices[r], s.moods[r])
        needs(t, s.bought[r], s.bought_days[r], s.days[r], need)
        for j in range(k):
            item, seen = items[r, j], False
            for before in s.shown[r]:
                seen |= before == item
            s.shown[r, s.pages[r] * k + j] = item
            if luck(key, CLICK, item) >= (j + 1.0) ** -t.eta * click_chance(t, b, visit, item) or seen:
                continue
            clicks[r, j] = True
            liked = liking(t, visit.user, item, visit.month, visit.hour, visit.device)
            if luck(key, CART, item) < cart_chance(t, b, visit, item, liked, need, s.bought[r]):
                carts[r, j] = True
                if luck(key, BUY, item) < buy_chance(t, b, visit, item, liked):
                    purchases[r, j] = True
                    revenue[r, j], margin[r, j] = earned(t, p, visit, item)
                    remember(s.bought[r], item)
                    remember(s.bought_days[r], s.days[r])
                    meet(t, need, item)
            remember(s.history[r], item)
        n = clicks[r].sum()
        funnel = p.weights[0] * n + p.weights[1] * carts[r].sum() + p.weights[2] * purchases[r].sum()
        reward[r] = funnel + p.weights[3] * revenue[r].sum() + p.weights[4] * margin[r].sum()
        left[r] = go_on(t, p, s, r, key, n, state)


@jit(inner=True)
def earned(t, p, visit, item):
    """Return revenue and margin of an item that is bought now: what it is reduced by is taken off both."""
    price = np.rint(100.0 * p.price[item] * t.price_factors[item, visit.week]) / 100.0
    return price, p.margin[item] - (p.price[item] - price)


@jit(inner=True)
def go_on(t, p, s, r, key, n, state):
    """Move row r to the next page, a later visit, or the end, after n clicks on a list; return whether it left."""
    s.clicked[r] += n
    s.pages[r] += 1
    s.steps[r] += 1
    s.seconds[r] += 60
    if s.pages[r] < p.pages and luck(key, LEAVE, s.pages[r]) >= logistic(p.leave - p.content * n):
        return False
    again = logistic(p.back + p.loyalty * s.clicked[r] / s.pages[r])
    s.days[r] += 1 + int(-p.gap * np.log(luck(key, GAP, 0)))
    s.visits[r] += 1
    s.done[r] = luck(key, BACK, 0) >= again or s.days[r] >= s.first_days[r] + p.days
    come(t, s, r, state)
    return True


@jit
def expected(start, stop, t, b, p, users, days, hours, devices, bought, bought_days, candidates, out):
    """Fill rows start..stop of `out` (b, c) with the reward to be expected of each candidate in the first place.

    The mood is the visitor's usual one.
    """
    need, money = np.empty(len(t.accessories)), np.any(p.weights[1:] != 0.0)
    for r in range(start, stop):
        visit = visit_of(t, users[r], days[r], hours[r], devices[r], t.readiness[users[r]])
        needs(t, bought[r], bought_days[r], days[r], need)
        for c, item in enumerate(candidates):
            clicked = click_chance(t, b, visit, item)
            out[r, c] = clicked * p.weights[0]
            if money:
                liked = liking(t, visit.user, item, visit.month, visit.hour, visit.device)
                taken = clicked * cart_chance(t, b, visit, item, liked, need, bought[r])
                price, gain = earned(t, p, visit, item)
                worth = p.weights[2] + p.weights[3] * price + p.weights[4] * gain
                out[r, c] += taken * (p.weights[1] + buy_chance(t, b, visit, item, liked) * worth)
