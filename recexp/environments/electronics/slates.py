"""Compiled: how visitors respond to the lists they are shown; import inside functions only."""

from typing import NamedTuple

import numpy as np

from recexp.environments.electronics.calendar import WEEKS
from recexp.environments.electronics.chances import buy_chance, cart_chance, click_chance, logistic, meet, recover
from recexp.environments.electronics.draws import choose, draw, normal, number
from recexp.environments.electronics.liking import liking
from recexp.environments.electronics.visits import ZERO, Visit
from recexp.environments.kernels import key_of, luck
from recexp.kernels import jit

CLICK, CART, BUY, LEAVE, BACK, GAP = map(np.int64, range(6))
"""What luck is for."""


class Terms(NamedTuple):
    """The reward and the visitors' patience; see `store.ElectronicsStore`."""

    weights: np.ndarray
    counts_carts: bool
    leave: float
    content: float
    back: float
    loyalty: float
    gap: float
    days: int
    pages: int


@jit(inner=True)
def come(t, s, v):
    """Start a visit: draw device, hour, minute and mood."""
    s.state = key_of(~v.key, v.visits)
    v.device = choose(s, t.users[v.code].devices[:], 1.0)
    v.hour = choose(s, t.hours[v.device], 1.0)
    v.seconds = v.hour * 3600 + int(60.0 * number(s)) * 60
    v.mood = normal(s) + t.users[v.code].readiness
    v.pages = v.clicked = 0


@jit
def begin(start, stop, scratch, t, visitors, first):
    """Start the first visit of the visitors in rows start..stop, on a day of the year after day `first`."""
    s = scratch[0]
    for r in range(start, stop):
        v = visitors[r]
        s.state = ~v.key
        v.first_day = first + draw(s, t.days, ZERO, len(t.days))
        v.day = v.first_day
        come(t, s, v)


@jit(inner=True)
def visit_of(t, user, day, hour, device, mood):
    """Return a visit in the format that the visit steps read."""
    return Visit(user, 0, 0, t.months[day % len(t.months)], day // 7 % WEEKS, hour, device, 0, 0, mood, 0)


@jit(inner=True)
def needs(t, bought, bought_days, day, need):
    """Fill `need` with the needs by category on a day, given the latest purchases, oldest first."""
    need[:], before = 1.0, day
    for o in range(len(bought)):
        if bought[o] >= 0:
            recover(need, max(0, bought_days[o] - before))
            meet(t, need, np.int64(bought[o]))
            before = np.int64(bought_days[o])
    recover(need, max(0, day - before))


@jit(inner=True)
def remember(row, value):
    """Append a value to a row and drop the row's first value."""
    for at in range(len(row) - 1):
        row[at] = row[at + 1]
    row[-1] = value


@jit
def look(
    start, stop, scratch, t, b, p, visitors, shown, items, clicks, carts, purchases, revenue, margin, reward, left
):
    """Simulate how the visitors in rows start..stop read their lists; advance to the next page or visit, or end."""
    s = scratch[0]
    need, k = s.need[:], items.shape[1]
    for r in range(start, stop):
        v = visitors[r]
        key = key_of(v.key, v.visits)
        visit = visit_of(t, v.code, v.day, v.hour, v.device, v.mood)
        needs(t, v.bought[:], v.bought_days[:], v.day, need)
        for j in range(k):
            item, seen = np.int64(items[r, j]), False
            for before in shown[r]:
                seen |= before == item
            shown[r, v.pages * k + j] = item
            liked = liking(t, visit.user, item, visit.month, visit.hour, visit.device)
            if luck(key, CLICK, item) >= (j + 1.0) ** -t.eta * click_chance(b, liked) or seen:
                continue
            clicks[r, j] = True
            if luck(key, CART, item) < cart_chance(t, b, visit, item, liked, need, v.bought[:]):
                carts[r, j] = True
                if luck(key, BUY, item) < buy_chance(t, b, visit, item, liked):
                    purchases[r, j] = True
                    revenue[r, j], margin[r, j] = earned(t, visit, item)
                    remember(v.bought[:], np.int32(item))
                    remember(v.bought_days[:], np.int32(v.day))
                    meet(t, need, item)
            remember(v.history[:], np.int32(item))
        n = ZERO
        for j in range(k):
            n += clicks[r, j]
            reward[r] += p.weights[0] * clicks[r, j] + p.weights[1] * carts[r, j] + p.weights[2] * purchases[r, j]
            reward[r] += p.weights[3] * revenue[r, j] + p.weights[4] * margin[r, j]
        left[r] = leave(t, s, p, v, key, n)
        if left[r]:
            shown[r] = -1


@jit(inner=True)
def earned(t, visit, item):
    """Return revenue and margin of an item bought now; a discount reduces both by the same amount."""
    this = t.items[item]
    price = np.rint(100.0 * this.price * this.price_factors[visit.week]) / 100.0
    return price, this.margin - (this.price - price)


@jit(inner=True)
def leave(t, s, p, v, key, n):
    """Advance a visitor after n clicks on a list: next page, later visit or end. Return whether the visit ended."""
    v.clicked += n
    v.pages += 1
    v.steps += 1
    v.seconds += 60
    if v.pages < p.pages and luck(key, LEAVE, v.pages) >= logistic(p.leave - p.content * n):
        return False
    again = logistic(p.back + p.loyalty * v.clicked / v.pages)
    v.day += 1 + int(-p.gap * np.log(luck(key, GAP, ZERO)))
    v.visits += 1
    v.done = luck(key, BACK, ZERO) >= again or v.day >= v.first_day + p.days
    come(t, s, v)
    return True


@jit
def expected(start, stop, scratch, t, b, p, visitors, candidates, out):
    """Fill rows start..stop of `out` (b, c) with the expected reward of each candidate in the first position.

    The visitor's mood is set to its usual value.
    """
    need = scratch[0].need[:]
    for r in range(start, stop):
        v = visitors[r]
        visit = visit_of(t, v.code, v.day, v.hour, v.device, t.users[v.code].readiness)
        needs(t, v.bought[:], v.bought_days[:], v.day, need)
        for c in range(len(candidates)):
            item = np.int64(candidates[c])
            liked = liking(t, visit.user, item, visit.month, visit.hour, visit.device)
            clicked = click_chance(b, liked)
            out[r, c] = clicked * p.weights[0]
            if p.counts_carts:
                taken = clicked * cart_chance(t, b, visit, item, liked, need, v.bought[:])
                price, gain = earned(t, visit, item)
                worth = p.weights[2] + p.weights[3] * price + p.weights[4] * gain
                out[r, c] += taken * (p.weights[1] + buy_chance(t, b, visit, item, liked) * worth)
