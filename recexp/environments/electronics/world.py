"""World: a store, its visitors and the ground truth."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from pydantic import Field

from recexp import threads
from recexp.environments.electronics import calendar
from recexp.environments.electronics.catalog import CATEGORIES, Catalog, draw_catalog
from recexp.environments.electronics.people import CITIES, People, draw_people
from recexp.environments.electronics.tables import ROW, SCRATCH, Tables, tables
from recexp.params import NonNegativeFloat, NonNegativeInt, Share, params
from recexp.rng import generator

Many = Annotated[int, Field(ge=1, le=100_000_000)]
EVENTS = ("view", "cart", "purchase", "rating", "return")
BEHAVIOR = {
    "click": -1.2,
    "click_liking": 0.9,
    "cart": -5.6,
    "cart_liking": 0.8,
    "cart_mood": 1.2,
    "buy": -2.6,
    "buy_liking": 0.4,
    "buy_mood": 0.9,
    "again": 0.12,
    "back": 0.22,
    "stamina": 0.75,
    "stamina_spread": 0.95,
    "gap": 4.0,
    "gap_spread": 1.25,
    "rate": 0.5,
    "send_back": 0.08,
}
"""How readily people click, take, buy, rate and send back, see `liking.Behavior`; set so that the log is like a
real shop's."""
ENTRIES = {"search": 0.6, "front page": 0.25, "campaign": 0.15}
"""How visits begin, and the share of each."""
BLOCKS, VISITS = 16, 2**17
"""How many blocks a log is simulated in, at least, and about how many visits a block has, at most."""
ROOM = 8
"""Rows for each visit of a block, about twice what they leave; where that is too few, the block is simulated again."""


@dataclass(frozen=True)
class Log:
    """m rows of a year, by user and then in the order of events.

    Attributes
    ----------
    users, items, sessions : int32 (m,); sessions are numbered within each user.
    times : int64 (m,), seconds since 1970; ratings and returns come days after the purchase.
    events : int8 (m,), positions in `EVENTS`; values : float32 (m,), ratings, NaN in other rows.
    devices, entries : int8 (m,), positions in `calendar.DEVICES` and `ENTRIES`.
    places : int8 (m,), the position of the clicked product on its page, from 0; -1 if there is no page.
    exposures, clicks : float32 (m,), for views: the probability that a page shows the product, and the probability of
        a click when shown in that position. ratings : for ratings, the probability that this value is submitted.
    """

    users: np.ndarray
    items: np.ndarray
    times: np.ndarray
    events: np.ndarray
    values: np.ndarray
    sessions: np.ndarray
    devices: np.ndarray
    entries: np.ndarray
    places: np.ndarray
    exposures: np.ndarray
    clicks: np.ndarray
    ratings: np.ndarray

    @staticmethod
    def of(parts: dict[int, np.ndarray]) -> "Log":
        """Return the log built from numbered parts of `ROW` records. Empties `parts` to save memory."""
        total, at = sum(map(len, parts.values())), 0
        columns = {name: np.empty(total, ROW[name]) for name in ROW.names or ()}
        for number in sorted(parts):
            part = parts.pop(number)
            for name, column in columns.items():
                column[at : at + len(part)] = part[name]
            at += len(part)
        columns["times"] += calendar.START
        return Log(**columns)


@params
class World:
    """A simulated electronics store. The same fields give the same store on any machine and with any number of threads.

    liking(u, i) = sqrt(explained) f(u, i) + sqrt(1 - explained) p_u . q_i + quality_i + season, hour, device and city
    of i's category + noise e_ui. f is the sum of u's affinities to i's category and brand, half of which age, gender
    and segment explain, and of how well i's price suits u's segment; p and q are hidden; e_ui is fixed for each pair.
    Higher liking raises the probabilities of clicks, cart additions and purchases. The store decides which products a
    page shows (search, front page, campaign): it ranks them partly by quality and partly at random, and `concentration`
    controls how exposure falls with rank. Position j of a page is examined with probability j^-eta.

    Parameters
    ----------
    n_users, n_products, n_visits : number of each; a visit without a click leaves no rows.
    explained : share of the variance of liking between products that features explain.
    homophily : weight of each friend's hidden taste in a user's own, before tastes are scaled to variance 1.
    noise : standard deviation of the unexplained part of liking.
    concentration : exponent by which exposure falls with the rank of a product in its category.
    eta : exponent by which examination falls with the position on a page.
    seed : seed of the store, independent of the run's.
    """

    n_users: Many
    n_products: Many
    n_visits: Many
    explained: Share
    homophily: NonNegativeFloat
    noise: NonNegativeFloat
    concentration: NonNegativeFloat
    eta: NonNegativeFloat
    seed: NonNegativeInt

    @cached_property
    def people(self) -> People:
        return draw_people(self.n_users, self.homophily, generator(self.seed, "electronics", "people"))

    @cached_property
    def catalog(self) -> Catalog:
        return draw_catalog(self.n_products, self.concentration, generator(self.seed, "electronics", "catalog"))

    @cached_property
    def effects(self) -> dict[str, np.ndarray]:
        """Effects of context on the liking of a category: of month, hour, device and city, each (categories, ...)."""
        rng = generator(self.seed, "electronics", "context")
        n = len(CATEGORIES)
        season = rng.normal(0, 0.1, (n, 12))
        season[:, 10:] += np.array([category.gift for category in CATEGORIES])[:, None]
        phase = rng.uniform(0, 24, (n, 1))
        return {
            "month": season,
            "hour": 0.4 * np.cos(2 * np.pi * (np.arange(24) - phase) / 24),
            "device": rng.normal(0, 0.3, (n, len(calendar.DEVICES))),
            "city": rng.normal(0, 0.3, (n, len(CITIES))),
        }

    @cached_property
    def tables(self) -> Tables:
        """The world as input to compiled loops."""
        entries = np.array(list(ENTRIES.values()))
        return tables(
            *(self.catalog, self.people, self.effects, entries),
            explained=self.explained,
            noise=self.noise,
            eta=self.eta,
            seed=self.seed,
        )

    def log(self) -> Log:
        """Simulate the year."""
        from recexp.environments.electronics.liking import Behavior
        from recexp.environments.electronics.visits import years

        counts = generator(self.seed, "electronics", "visits").multinomial(self.n_visits, self.people.activity)
        given = self.tables, Behavior(**BEHAVIOR), counts
        blocks = np.linspace(0, self.n_users, max(BLOCKS, self.n_visits // VISITS) + 1).astype(np.int64)
        parts: dict[int, np.ndarray] = {}

        def simulate(block: int) -> np.ndarray:
            start, stop = blocks[block : block + 2]
            rows = np.empty(ROOM * counts[start:stop].sum(), ROW)
            room = np.zeros(1, SCRATCH), np.empty(counts.max(), np.int64)
            while (found := years(start, stop, *room, *given, rows)) > len(rows):
                rows = np.empty(found, ROW)
            return rows[:found]

        def work(first: int, last: int) -> None:
            for block in range(first, last):
                parts[block] = simulate(block)

        threads.map_rows(work, len(blocks) - 1)
        return Log.of(parts)
