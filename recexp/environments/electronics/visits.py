"""Compiled steps of a visit, from the first page to what is sent back: imported inside functions only."""

from typing import NamedTuple

import numpy as np

from recexp.algorithms.kernels.hashing import mixed
from recexp.environments.electronics.chances import buy_chance, cart_chance, click_chance, meet, recover
from recexp.environments.electronics.draws import STEP, choose, draw, normal, number
from recexp.environments.electronics.liking import chance_to_rate, liking, stars
from recexp.kernels import jit

SHOWN = 10
"""Products of a page."""
VIEW, CART, PURCHASE, RATING, RETURN = range(5)
"""Positions in `world.EVENTS`."""


@jit(inner=True)
def page(state, t, entry, category, shown):
    """Fill `shown` with different items: of a category by search (entry 0), of the whole store else."""
    start, stop = t.category_ptr[category], t.category_ptr[category + 1]
    size = 0
    for _ in range(8 * len(shown)):
        if entry == 0 or number(state) < 0.5:
            item = t.by_category[draw(state, t.search_chance, t.search_other, start, stop)]
        else:
            item = draw(state, t.front_chance, t.front_other, 0, len(t.front_chance))
        new = True
        for at in range(size):
            new &= shown[at] != item
        if new:
            shown[size] = item
            size += 1
            if size == len(shown):
                break
    return size


class Scratch(NamedTuple):
    """Room for one visitor at a time.

    `state` is the stream; `need` and `wish` are of categories; `shown` of a page, `seen` of a visit; `cart` and `liked`
    of what is in the cart; `owned` of what has been bought; `size` holds how many of `seen`, `cart` and `owned` there
    are, and how many rows have been written.
    """

    state: np.ndarray
    need: np.ndarray
    wish: np.ndarray
    shown: np.ndarray
    seen: np.ndarray
    cart: np.ndarray
    liked: np.ndarray
    owned: np.ndarray
    size: np.ndarray


class Visit(NamedTuple):
    """Who is there, when and how."""

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
def put(out, begin, s, visit, item, time, event, value, place, exposure, click, rating):
    """Write a row, or only count it where there are no arrays yet."""
    if len(out[0]):
        row = begin + s.size[3]
        users, items, times, events, values, sessions, devices, entries, places, exposures, clicks, ratings = out
        users[row], items[row], times[row], events[row], values[row] = visit.user, item, time, event, value
        sessions[row], devices[row], entries[row], places[row] = visit.number, visit.device, visit.entry, place
        exposures[row], clicks[row], ratings[row] = exposure, click, rating
    s.size[3] += 1


@jit(inner=True)
def plan_visits(t, s, user, order):
    """Fill `order` with the sorted times of a year's visits: seconds since its beginning, times 4, plus the device."""
    for v in range(len(order)):
        day, begin = draw(s.state, t.day_chance, t.day_other, 0, len(t.day_chance)), t.registered[user]
        if day < begin:
            day = begin + int(number(s.state) * (len(t.day_chance) - begin))
        device = choose(s.state, t.devices[user], 1.0)
        hour = choose(s.state, t.hours[device], 1.0)
        order[v] = ((day * 24 + hour) * 3600 + int(number(s.state) * 3600)) * 4 + device
    order.sort()


@jit(inner=True)
def enter(t, b, s, user, number_of_visit, moment, passed):
    """Return a visit: what is looked for and in which mood. Needs that were met return in `passed` days, slowly."""
    time = moment // 4
    month = t.months[time // 86400]
    recover(s.need, passed)
    for c in range(len(s.need)):
        s.wish[c] = s.need[c] * np.exp(t.features * t.likes[user, c] + t.season[c, month])
    s.size[0] = s.size[1] = 0
    return Visit(
        user,
        number_of_visit,
        time,
        month,
        time // 604800,
        time % 86400 // 3600,
        moment % 4,
        choose(s.state, t.entries, 1.0),
        choose(s.state, s.wish, s.wish.sum()),
        normal(s.state) + t.readiness[user],
        min(len(s.seen), int(np.exp(b.stamina + b.stamina_spread * normal(s.state))) + 1),
    )


@jit(inner=True)
def read_pages(t, b, s, visit, at, size):
    """Go on from place `at` of a page of `size` until a click, page by page; return its place and the page's size.

    The place is -1 where the visitor gives up.
    """
    pages = 0
    while pages < 3 + visit.stamina:
        while at < size:
            chance = (at + 1.0) ** -t.eta * click_chance(t, b, visit, s.shown[at])
            if number(s.state) < chance:
                return at, size
            at += 1
        size, at, pages = page(s.state, t, visit.entry, visit.category, s.shown), 0, pages + 1
    return -1, size


@jit(inner=True)
def page_chance(t, visit, item):
    """Return by what probability a page shows an item; draws count as if with replacement."""
    share = t.search_share[item] if t.category[item] == visit.category else 0.0
    if visit.entry:
        share = 0.5 * share + 0.5 * t.front_share[item]
    return 1.0 - (1.0 - share) ** SHOWN


@jit(inner=True)
def consider(t, b, s, visit, item, liked):
    """Return whether a viewed item goes into the cart."""
    for c in range(s.size[1]):
        if s.cart[c] == item:
            return False
    if s.size[1] == len(s.cart):
        return False
    if number(s.state) >= cart_chance(t, b, visit, item, liked, s.need, s.owned[: s.size[2]]):
        return False
    s.cart[s.size[1]], s.liked[s.size[1]] = item, liked
    s.size[1] += 1
    return True


@jit(inner=True)
def browse(t, b, s, visit, begin, out):
    """View products until stamina is used up or nothing more is clicked; return the time of the end."""
    clock, at, size = np.float64(visit.time), 0, 0
    while s.size[0] < visit.stamina:
        luck, place = number(s.state), -1
        if s.size[0] > 0 and luck < b.again:
            item = s.seen[s.size[0] - 1]
        elif s.size[0] > 1 and luck < b.again + b.back:
            item = s.seen[int(number(s.state) * s.size[0])]
        else:
            place, size = read_pages(t, b, s, visit, at, size)
            if place < 0:
                break
            item, at = s.shown[place], place + 1
        if s.size[0] > 0:
            clock += 1.0 + np.exp(b.gap + b.gap_spread * normal(s.state))
        s.seen[s.size[0]] = item
        s.size[0] += 1
        clicked = click_chance(t, b, visit, item) * ((place + 1.0) ** -t.eta if place >= 0 else 1.0)
        put(out, begin, s, visit, item, int(clock), VIEW, np.nan, place, page_chance(t, visit, item), clicked, 0.0)
        if consider(t, b, s, visit, item, liking(t, visit.user, item, visit.month, visit.hour, visit.device)):
            put(out, begin, s, visit, item, int(clock) + 8, CART, np.nan, -1, 0.0, 0.0, 0.0)
    return clock


@jit(inner=True)
def check_out(t, b, s, visit, begin, out, clock):
    """Buy what is in the cart, or not; days later rate it, or send it back."""
    for c in range(s.size[1]):
        item, liked = s.cart[c], s.liked[c]
        if number(s.state) >= buy_chance(t, b, visit, item, liked):
            continue
        if s.size[2] < len(s.owned):
            s.owned[s.size[2]] = item
            s.size[2] += 1
        meet(t, s.need, item)
        put(out, begin, s, visit, item, int(clock), PURCHASE, np.nan, -1, 0.0, 0.0, 0.0)
        value = stars(s.state, t, visit.user, item, liked)
        chance, later = chance_to_rate(b, value), 86400.0 * (2.0 + 12.0 * number(s.state))
        if number(s.state) < chance:
            put(out, begin, s, visit, item, int(clock + later), RATING, value, -1, 0.0, 0.0, chance)
        if number(s.state) < b.send_back * (2.5 if value <= 3.0 else 0.8):
            put(out, begin, s, visit, item, int(clock + 1.2 * later), RETURN, np.nan, -1, 0.0, 0.0, 0.0)


@jit
def years(start, stop, t, b, counts, begin, out, written):
    """Simulate the year of users start..stop, who visit `counts` times each.

    Rows go to `out`, arrays of equal length, from `begin[user]` on; where they are empty, rows are only counted, in
    `written`. Both times the same numbers are drawn.
    """
    n = len(t.accessories)
    s = Scratch(
        np.zeros(1, np.uint64),
        np.empty(n),
        np.empty(n),
        np.empty(SHOWN, np.int64),
        np.empty(256, np.int64),
        np.empty(32, np.int64),
        np.empty(32),
        np.empty(128, np.int64),
        np.zeros(4, np.int64),
    )
    for user in range(start, stop):
        s.state[0] = mixed(t.seed + np.uint64(user + 1) * STEP)
        s.need[:], s.size[:] = 1.0, 0
        order, day = np.empty(counts[user], np.int64), 0
        plan_visits(t, s, user, order)
        for v in range(len(order)):
            today = order[v] // 4 // 86400
            visit = enter(t, b, s, user, v, order[v], today - day)
            day = today
            clock = browse(t, b, s, visit, begin[user], out)
            check_out(t, b, s, visit, begin[user], out, clock + 60.0)
        written[user] = s.size[3]
