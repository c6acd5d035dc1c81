"""Compiled steps of a visit, shared by the log and by policies: imported inside functions only.

Every visitor has a stream of random numbers of their own, so that a different click of one changes nothing for another.
"""

from typing import NamedTuple

import numpy as np

from recexp.algorithms.kernels.hashing import mixed
from recexp.kernels import jit

STEP = np.uint64(0x9E3779B97F4A7C15)
SHOWN = 10
"""Products of a page."""
VIEW, CART, PURCHASE, RATING, RETURN = range(5)
"""Positions in `world.EVENTS`."""
MET = 0.15
"""What is left of a need once it is met; an accessory is needed the more."""
NEEDED_AGAIN = 500.0
"""Days after which about two thirds of a need are back."""


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
def number(state):
    """Return the next number of a stream, uniform in [0, 1)."""
    state[0] += STEP
    return np.float64(mixed(state[0]) >> np.uint64(11)) * 2.0**-53


@jit(inner=True)
def normal(state):
    """Return a standard normal number (Box and Muller 1958)."""
    return np.sqrt(-2.0 * np.log(1.0 - number(state))) * np.cos(2.0 * np.pi * number(state))


@jit(inner=True)
def logistic(x):
    return 1.0 / (1.0 + np.exp(-x))


@jit
def alias(weights, chance, other):
    """Fill the alias table of `weights` (n,): `chance` to keep a place drawn uniformly, else `other` (Vose 1991)."""
    n, mean = len(weights), weights.sum() / len(weights)
    small, large, few, many = np.empty(n, np.int64), np.empty(n, np.int64), 0, 0
    for at in range(n):
        chance[at], other[at] = weights[at] / mean, at
        if chance[at] < 1.0:
            small[few] = at
            few += 1
        else:
            large[many] = at
            many += 1
    while few and many:
        few -= 1
        low, high = small[few], large[many - 1]
        other[low] = high
        chance[high] -= 1.0 - chance[low]
        if chance[high] < 1.0:
            many -= 1
            small[few] = high
            few += 1


@jit(inner=True)
def draw(state, chance, other, start, stop):
    """Return a place from start to stop - 1, drawn by an alias table whose `other` counts from start."""
    point = number(state) * (stop - start)
    at = int(point)
    return start + at if point - at < chance[start + at] else start + other[start + at]


@jit(inner=True)
def choose(state, weights, total):
    """Return a position of `weights` (n,), whose sum is `total`, drawn in proportion to them."""
    left = number(state) * total
    for at in range(len(weights) - 1):
        left -= weights[at]
        if left < 0.0:
            return at
    return len(weights) - 1


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
    return t.features * known + t.hidden * unknown + 0.3 * when + 0.4 * t.quality[item] + t.chance * whim


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


@jit(inner=True)
def stars(state, t, user, item, liked):
    """Return the rating that a user would give an item, 1 to 5: most are content, few are angry."""
    content = 3.5 + 0.5 * t.quality[item] + 0.45 * liked + 1.0 * normal(state)
    return min(5.0, max(1.0, np.rint(content)))


@jit(inner=True)
def chance_to_rate(b, value):
    """Return by what probability a rating of this value is given: the very content and the angry speak up."""
    return b.rate * (0.9 if value == 5.0 else 0.55 if value == 4.0 else 0.35 if value == 3.0 else 0.6)


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
    for c in range(len(s.need)):
        s.need[c] += (1.0 - s.need[c]) * min(1.0, passed / NEEDED_AGAIN)
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
def click_chance(t, b, visit, item):
    """Return by what probability a visitor who looks at an item clicks it."""
    liked = liking(t, visit.user, item, visit.month, visit.hour, visit.device)
    return logistic(b.click + b.click_liking * liked)


@jit(inner=True)
def page_chance(t, visit, item):
    """Return by what probability a page shows an item; draws count as if with replacement."""
    share = t.search_share[item] if t.category[item] == visit.category else 0.0
    if visit.entry:
        share = 0.5 * share + 0.5 * t.front_share[item]
    return 1.0 - (1.0 - share) ** SHOWN


@jit(inner=True)
def dearness(t, visit, item):
    """Return how much a reduced price adds to the readiness to buy."""
    return -t.sensitivity[visit.user] * np.log(t.price_factors[item, visit.week])


@jit(inner=True)
def consider(t, b, s, visit, item, liked):
    """Return whether a viewed item goes into the cart."""
    for c in range(s.size[1]):
        if s.cart[c] == item:
            return False
    ready = b.cart + b.cart_liking * liked + visit.mood + 0.5 * dearness(t, visit, item)
    ready += np.log(s.need[t.category[item]])
    for o in range(s.size[2]):
        ready -= 4.0 * (s.owned[o] == item and t.durable[item])
    if s.size[1] == len(s.cart) or number(s.state) >= logistic(ready):
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
        ready = b.buy + b.buy_liking * liked + b.buy_mood * visit.mood + dearness(t, visit, item)
        if number(s.state) >= logistic(ready):
            continue
        if s.size[2] < len(s.owned):
            s.owned[s.size[2]] = item
            s.size[2] += 1
        code = t.category[item]
        s.need[code] *= MET
        s.need[t.accessories[code]] = min(6.0, s.need[t.accessories[code]] * 2.5)
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
