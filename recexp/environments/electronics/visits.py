"""Compiled steps of a visit, from the first page to returned products; import inside functions only."""

from typing import NamedTuple

import numpy as np

from recexp.algorithms.kernels.hashing import mixed
from recexp.environments.electronics.chances import buy_chance, cart_chance, click_chance, meet, recover
from recexp.environments.electronics.draws import STEP, choose, draw, normal, number
from recexp.environments.electronics.liking import chance_to_rate, liking, stars
from recexp.environments.electronics.tables import SHOWN
from recexp.kernels import jit

VIEW, CART, PURCHASE, RATING, RETURN = map(np.int64, range(5))
"""Positions in `world.EVENTS`; of Python's integers, a kernel that is called with them is compiled once for each."""
ZERO, NONE = np.int64(0), np.int64(-1)


class Visit(NamedTuple):
    """A visit: the user, the time and the circumstances."""

    user: int
    number: int
    time: int
    month: int
    week: int
    hour: int
    device: int
    entry: int
    category: int
    mood: float
    stamina: int


@jit(inner=True)
def page(s, t, visit):
    """Fill `s.shown` with distinct items and return their number.

    They are from one category for search (entry 0), otherwise from the whole store."""
    category, size = t.categories[visit.category], ZERO
    for _ in range(8 * SHOWN):
        if visit.entry == 0 or number(s) < 0.5:
            item = t.by_category[draw(s, t.search, category.start, category.stop)]
        else:
            item = draw(s, t.front, ZERO, len(t.front))
        new = True
        for at in range(size):
            new &= s.shown[at] != item
        if new:
            s.shown[size] = item
            size += 1
            if size == SHOWN:
                break
    return size


@jit(inner=True)
def put(out, s, visit, item, time, event, value, place, exposure, click, rating):
    """Write a row if there is room; count it in either case."""
    if s.n_rows < len(out):
        row = out[s.n_rows]
        row.users, row.items, row.times, row.events, row.values = visit.user, item, time, event, value
        row.sessions, row.devices, row.entries, row.places = visit.number, visit.device, visit.entry, place
        row.exposures, row.clicks, row.ratings = exposure, click, rating
    s.n_rows += 1


@jit(inner=True)
def sort(values):
    """Sort in place (Shell 1959); compiles in a fraction of the time of numpy's sort."""
    gap = len(values) // 2
    while gap:
        for n in range(gap, len(values)):
            value, at = values[n], n
            while at >= gap and values[at - gap] > value:
                values[at] = values[at - gap]
                at -= gap
            values[at] = value
        gap //= 2


@jit(inner=True)
def plan_visits(t, s, user, order):
    """Fill `order` with the sorted visits of a year, each coded as 4 * seconds since the start of the year + device."""
    who = t.users[user]
    for v in range(len(order)):
        day = draw(s, t.days, ZERO, len(t.days))
        if day < who.registered:
            day = who.registered + int(number(s) * (len(t.days) - who.registered))
        device = choose(s, who.devices[:], 1.0)
        hour = choose(s, t.hours[device], 1.0)
        order[v] = ((day * 24 + hour) * 3600 + int(number(s) * 3600)) * 4 + device
    sort(order)


@jit(inner=True)
def enter(t, b, s, user, number_of_visit, moment, passed):
    """Return a visit with its goal and mood. Met needs slowly recover over the `passed` days."""
    time = moment // 4
    month = t.months[time // 86400]
    recover(s.need[:], passed)
    wishes = 0.0
    for c in range(len(s.need)):
        s.wish[c] = s.need[c] * np.exp(t.features * t.likes[user, c] + t.categories[c].month[month])
        wishes += s.wish[c]
    s.n_seen = s.n_cart = 0
    return Visit(
        user,
        number_of_visit,
        time,
        month,
        time // 604800,
        time % 86400 // 3600,
        moment % 4,
        choose(s, t.entries, 1.0),
        choose(s, s.wish[:], wishes),
        normal(s) + t.users[user].readiness,
        min(len(s.seen), int(np.exp(b.stamina + b.stamina_spread * normal(s))) + 1),
    )


@jit(inner=True)
def read_pages(t, b, s, visit, at, size):
    """Read on from position `at` of a page of `size`, page by page, until a click; return its position and page size.

    The position is -1 if the visitor gives up.
    """
    pages = 0
    while pages < 3 + visit.stamina:
        while at < size:
            liked = liking(t, visit.user, s.shown[at], visit.month, visit.hour, visit.device)
            if number(s) < (at + 1.0) ** -t.eta * click_chance(b, liked):
                return at, size
            at += 1
        size, at, pages = page(s, t, visit), ZERO, pages + 1
    return NONE, size


@jit(inner=True)
def page_chance(t, visit, item):
    """Return the probability that a page shows an item, computed as if items were drawn with replacement."""
    this = t.items[item]
    share = this.search_share if this.category == visit.category else 0.0
    if visit.entry:
        share = 0.5 * share + 0.5 * this.front_share
    return 1.0 - (1.0 - share) ** SHOWN


@jit(inner=True)
def consider(t, b, s, visit, item, liked):
    """Return whether a viewed item is added to the cart."""
    for c in range(s.n_cart):
        if s.cart[c] == item:
            return False
    if s.n_cart == len(s.cart):
        return False
    if number(s) >= cart_chance(t, b, visit, item, liked, s.need[:], s.owned[: s.n_owned]):
        return False
    s.cart[s.n_cart], s.liked[s.n_cart] = item, liked
    s.n_cart += 1
    return True


@jit(inner=True)
def browse(t, b, s, visit, out):
    """View products until stamina runs out or no more clicks follow; return the end time."""
    clock, at, size = np.float64(visit.time), ZERO, ZERO
    while s.n_seen < visit.stamina:
        luck, place = number(s), NONE
        if s.n_seen > 0 and luck < b.again:
            item = s.seen[s.n_seen - 1]
        elif s.n_seen > 1 and luck < b.again + b.back:
            item = s.seen[int(number(s) * s.n_seen)]
        else:
            place, size = read_pages(t, b, s, visit, at, size)
            if place < 0:
                break
            item, at = s.shown[place], place + 1
        if s.n_seen > 0:
            clock += 1.0 + np.exp(b.gap + b.gap_spread * normal(s))
        s.seen[s.n_seen] = item
        s.n_seen += 1
        liked = liking(t, visit.user, item, visit.month, visit.hour, visit.device)
        clicked = click_chance(b, liked) * ((place + 1.0) ** -t.eta if place >= 0 else 1.0)
        put(out, s, visit, item, int(clock), VIEW, np.nan, place, page_chance(t, visit, item), clicked, 0.0)
        if consider(t, b, s, visit, item, liked):
            put(out, s, visit, item, int(clock) + 8, CART, np.nan, NONE, 0.0, 0.0, 0.0)
    return clock


@jit(inner=True)
def check_out(t, b, s, visit, out, clock):
    """Decide for each item in the cart whether it is bought, and whether it is rated or returned days later."""
    for c in range(s.n_cart):
        item, liked = s.cart[c], s.liked[c]
        if number(s) >= buy_chance(t, b, visit, item, liked):
            continue
        if s.n_owned < len(s.owned):
            s.owned[s.n_owned] = item
            s.n_owned += 1
        meet(t, s.need[:], item)
        put(out, s, visit, item, int(clock), PURCHASE, np.nan, NONE, 0.0, 0.0, 0.0)
        value = stars(s, t.items[item].quality, liked)
        chance, later = chance_to_rate(b, value), 86400.0 * (2.0 + 12.0 * number(s))
        if number(s) < chance:
            put(out, s, visit, item, int(clock + later), RATING, value, NONE, 0.0, 0.0, chance)
        if number(s) < b.send_back * (2.5 if value <= 3.0 else 0.8):
            put(out, s, visit, item, int(clock + 1.2 * later), RETURN, np.nan, NONE, 0.0, 0.0, 0.0)


@jit
def years(start, stop, scratch, moments, t, b, counts, out):
    """Simulate a year of users start..stop, who make `counts` visits each; return the number of rows logged.

    The first rows are written to `out`, as many as fit; the size of `out` does not change the draws.
    `scratch` and `moments` are buffers: for one `SCRATCH`, and for the times of the largest number of visits per user.
    """
    s = scratch[0]
    s.n_rows = 0
    for user in range(start, stop):
        s.state = mixed(t.seed + np.uint64(user + 1) * STEP)
        s.need[:], s.n_owned = 1.0, 0
        order, day = moments[: counts[user]], ZERO
        plan_visits(t, s, user, order)
        for v in range(len(order)):
            today = order[v] // 4 // 86400
            visit = enter(t, b, s, user, v, order[v], today - day)
            day = today
            clock = browse(t, b, s, visit, out)
            check_out(t, b, s, visit, out, clock + 60.0)
    return s.n_rows
