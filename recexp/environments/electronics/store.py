"""ElectronicsStore: the store's visitors, to whom policies show lists."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, cast

import numpy as np
from pydantic import Field

from recexp import threads
from recexp.data import Column, Dataset, Interactions
from recexp.environments.base import Environment, Observation, Outcome, State, check_slates
from recexp.environments.electronics import calendar
from recexp.environments.electronics.people import CITIES
from recexp.environments.electronics.world import BEHAVIOR, EVENTS, World
from recexp.environments.luck import keys_of
from recexp.errors import ConfigError
from recexp.params import NonNegativeFloat, PositiveFloat, PositiveInt, params

if TYPE_CHECKING:
    from recexp.environments.electronics.slates import Visitors

DAY = 86_400
CLICKED, BOUGHT = 50, 16
"""How many items that were clicked and bought last are remembered."""
Counted = Literal["click", "cart", "purchase", "revenue", "margin"]
COUNTED: tuple[Counted, ...] = ("click", "cart", "purchase", "revenue", "margin")
Pages = Annotated[int, Field(ge=1, le=50)]


@dataclass(frozen=True)
class StoreState(State):
    """Where visitors stand: `visitors` holds arrays of b rows, which compiled loops read and write.

    `codes` of the visitors and `keys` of their luck; `first_days` and `days` of the first visit and this one, since
    2024-01-01, `seconds` of the day; `hours`, `devices` and `moods` of this visit; `visits` before it, `pages` of it so
    far, `steps` in all, `clicked` in it; `history`, `bought` and `shown` items, and `done`.
    """

    visitors: "Visitors"

    @property
    def done(self) -> np.ndarray:
        return self.visitors.done

    def take(self, rows: np.ndarray) -> "StoreState":
        return StoreState(type(self.visitors)(*(array[rows] for array in self.visitors)))

    def __len__(self) -> int:
        return len(self.visitors.codes)


@params
class ElectronicsStore(World, Environment):
    """The year after that of the world's log: visitors come, are shown lists page by page, click, buy, and come again.

    What they like and how readily they click, take and buy is the world's (see `World`); the list takes the place of
    the store's own pages. The item in place j is clicked with probability j^-eta times that of liking; what was shown
    before in the visit is passed by. After a page with c clicks a visitor leaves with log-odds `leave` - `content` c,
    and comes back with log-odds `back` + `loyalty` times the clicks a page of the visit, an exponential number of days
    later, `gap` on average. An episode ends when a visitor does not come back, or `days` after the first visit.

    Parameters
    ----------
    n_users, n_products, n_visits, explained, noise, concentration, eta, seed : see `World`.
    slate : items of a list.
    reward : what is counted: click, purchase, revenue, margin, or weighted: the sum by `weights`.
    weights : of click, cart, purchase, revenue and margin in a weighted reward.
    pages : lists of a visit, at most.
    leave, content, back, loyalty, gap, days : see above.
    """

    slate: PositiveInt
    reward: Literal["click", "purchase", "revenue", "margin", "weighted"]
    weights: dict[Counted, float]
    pages: Pages
    leave: float
    content: NonNegativeFloat
    back: float
    loyalty: NonNegativeFloat
    gap: PositiveFloat
    days: PositiveInt

    kept: ClassVar[tuple[str, ...]] = ("view", "cart", "purchase")
    """Events of the log that are in the dataset: a row each says that someone took an interest."""

    @property
    def n_visitors(self) -> int:
        return self.n_users

    @property
    def candidates(self) -> np.ndarray:
        return np.arange(self.n_products, dtype=np.int32)

    def check(self) -> None:
        if self.slate * self.pages > self.n_products:
            raise ConfigError(
                f"environment.slate: {self.pages} pages of {self.slate} items are more than the {self.n_products} "
                "products of the store; lower environment.slate or environment.pages"
            )
        if self.reward == "weighted" and not any(self.weights.values()):
            raise ConfigError("environment.weights: reward=weighted needs one that is not 0, such as {click: 1.0}")

    def dataset(self) -> Dataset:
        return self._dataset

    @cached_property
    def _dataset(self) -> Dataset:
        log = self.log()
        rows = np.flatnonzero(np.isin(log.events, [EVENTS.index(name) for name in self.kept]))
        rows = rows[np.argsort(log.times[rows], kind="stable")]
        users, times = log.users[rows], log.times[rows]
        return Dataset(
            name="electronics store",
            interactions=Interactions(
                users=users,
                items=log.items[rows],
                values=np.ones(len(rows), np.float32),
                n_users=self.n_users,
                n_items=self.n_products,
                timestamps=times,
                events=Column("category", log.events[rows].astype(np.int32), EVENTS),
                context=self._context(users, times, log.devices[rows]),
            ),
            user_ids=np.arange(1, self.n_users + 1),
            item_ids=np.arange(1, self.n_products + 1),
            users=self.people.columns(),
            items=self.catalog.columns(),
        )

    def _context(self, users: np.ndarray, times: np.ndarray, devices: np.ndarray) -> dict[str, Column]:
        columns = {
            "hour": (times % DAY // 3600, calendar.HOURS),
            "weekday": ((times - calendar.START) // DAY % 7, calendar.WEEKDAYS),
            "device": (devices, calendar.DEVICES),
            "city": (self.people.city[users], CITIES),
        }
        return {name: Column("category", codes.astype(np.int32), names) for name, (codes, names) in columns.items()}

    def begin(self, visitors: np.ndarray, seed: int) -> StoreState:
        from recexp.environments.electronics import slates

        b = len(visitors)
        history, _ = self._last(visitors, "view", CLICKED)
        bought, bought_days = self._last(visitors, "purchase", BOUGHT)
        zeros = {name: np.zeros(b, np.int64) for name in slates.Visitors._fields}
        given = {
            "codes": visitors.astype(np.int64),
            "keys": keys_of(seed, f"electronics {self.seed}", visitors),
            "moods": np.zeros(b),
            "history": history,
            "bought": bought,
            "bought_days": bought_days,
            "shown": np.full((b, self.pages * self.slate), -1, np.int32),
            "done": np.zeros(b, bool),
        }
        state = StoreState(slates.Visitors(**{**zeros, **given}))
        self._in_threads(slates.begin, b, self.tables, state.visitors, calendar.YEAR_DAYS)
        return state

    def observe(self, state: StoreState) -> Observation:
        s = state.visitors
        times = calendar.START + s.days * DAY + s.seconds
        visitors = s.codes.astype(np.int32)
        return Observation(
            visitors=visitors,
            users=self._dataset.users,
            context=self._context(s.codes, calendar.START + s.days * DAY + s.hours * 3600, s.devices),
            timestamps=times,
            steps=s.steps.astype(np.int32),
            visits=s.visits.astype(np.int32),
            history=s.history.copy(),
            bought=s.bought.copy(),
            bought_at=np.where(s.bought >= 0, calendar.START + s.bought_days * DAY, -1),
            shown=s.shown.copy(),
        )

    def act(self, state: StoreState, items: np.ndarray) -> Outcome:
        from recexp.environments.electronics import slates

        b, k = len(state), self.slate
        check_slates(items, b, k, self.n_products)
        clicks, carts, purchases = (np.zeros((b, k), bool) for _ in range(3))
        revenue, margin = np.zeros((b, k)), np.zeros((b, k))
        outcome = Outcome(clicks, carts, purchases, revenue, margin, np.zeros(b), np.zeros(b, bool))
        given = self.tables, self._behavior, self._terms, state.visitors, np.ascontiguousarray(items, np.int32)
        self._in_threads(slates.look, b, *given, *vars(outcome).values())
        return outcome

    def truth(self, observation: Observation, candidates: np.ndarray) -> np.ndarray:
        from recexp.environments.electronics import slates

        out = np.empty((len(observation), len(candidates)))
        days = (observation.timestamps - calendar.START) // DAY
        hours, devices = (observation.context[name].values.astype(np.int64) for name in ("hour", "device"))
        bought_days = np.where(observation.bought >= 0, (observation.bought_at - calendar.START) // DAY, 0)
        who = observation.visitors.astype(np.int64), days, hours, devices, observation.bought, bought_days
        given = self.tables, self._behavior, self._terms, *who, candidates, out
        self._in_threads(slates.expected, len(out), *given)
        return out

    def _last(self, visitors: np.ndarray, event: str, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the last n items of each visitor's events in the log, int32 (b, n), -1 before they begin, and days."""
        items, days, begin = self._histories[event]
        at = begin[visitors + 1][:, None] - np.arange(n, 0, -1)
        at = np.where(at >= begin[visitors][:, None], at, -1)
        return items[at], days[at]

    @cached_property
    def _histories(self) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Items and days of events, user by user in time order, then -1 and 0, and where each user's begin."""
        rows, found = self._dataset.interactions, {}
        for name in ("view", "purchase"):
            some = rows.take(cast(Column, rows.events).values == EVENTS.index(name))
            log, begin = some.histories
            days = (cast(np.ndarray, log.timestamps) - calendar.START) // DAY
            found[name] = np.append(log.items, np.int32(-1)), np.append(days, 0), begin
        return found

    @cached_property
    def _behavior(self) -> Any:
        from recexp.environments.electronics.liking import Behavior

        return Behavior(**BEHAVIOR)

    @cached_property
    def _terms(self) -> Any:
        from recexp.environments.electronics.slates import Terms

        weights: dict[Counted, float] = self.weights if self.reward == "weighted" else {self.reward: 1.0}
        return Terms(
            price=self.catalog.price,
            margin=self.catalog.margin,
            weights=np.array([weights.get(name, 0.0) for name in COUNTED]),
            leave=self.leave,
            content=self.content,
            back=self.back,
            loyalty=self.loyalty,
            gap=self.gap,
            days=self.days,
            pages=self.pages,
        )

    def _in_threads(self, kernel: Callable[..., None], b: int, *given: Any) -> None:
        threads.map_rows(lambda start, stop: kernel(start, stop, *given), b)
