"""ElectronicsStore: an environment in which policies show lists to the visitors of an electronics store."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, cast

import numpy as np
from pydantic import Field

from recexp import threads
from recexp.data import Column, Dataset
from recexp.data.ordering import ascending
from recexp.environments.base import Environment, Observation, Outcome, State, check_slates
from recexp.environments.electronics import calendar
from recexp.environments.electronics.rows import DAY, MOMENT, dataset, interactions, moment
from recexp.environments.electronics.tables import SCRATCH, VISITOR
from recexp.environments.electronics.world import BEHAVIOR, EVENTS, World
from recexp.environments.luck import keys_of
from recexp.errors import ConfigError
from recexp.params import NonNegativeFloat, PositiveFloat, PositiveInt, params

Counted = Literal["click", "cart", "purchase", "revenue", "margin"]
COUNTED: tuple[Counted, ...] = ("click", "cart", "purchase", "revenue", "margin")
Pages = Annotated[int, Field(ge=1, le=50)]


@dataclass(frozen=True)
class StoreState(State):
    """The simulation state of visitors.

    Attributes
    ----------
    visitors : records (b,), see `tables.VISITOR`.
    shown : int32 (b, s), the items shown in this visit, padded with -1.
    """

    visitors: np.ndarray
    shown: np.ndarray

    @property
    def done(self) -> np.ndarray:
        return self.visitors["done"]

    def take(self, rows: np.ndarray) -> "StoreState":
        return StoreState(self.visitors[rows], self.shown[rows])

    def __len__(self) -> int:
        return len(self.visitors)


@params
class ElectronicsStore(World, Environment):
    """The year after the world's log: visitors arrive, see lists page by page, click, buy and return.

    Preferences and the probabilities of clicks, cart additions and purchases are those of the world (see `World`);
    the lists replace the store's own pages. The item in position j is clicked with probability j^-eta times the
    probability given its liking; visitors ignore items already shown in the visit. After a page with c clicks a visitor
    leaves with log-odds `leave` - `content` c. The visitor returns with log-odds `back` + `loyalty` times the clicks
    per page of the visit, after an exponentially distributed number of days with mean `gap`. An episode ends when a
    visitor does not return, or `days` after the first visit.

    Parameters
    ----------
    n_users, n_products, n_visits, explained, homophily, noise, concentration, eta, seed : see `World`.
    slate : number of items in a list.
    reward : click, purchase, revenue, margin, or weighted: the sum weighted by `weights`.
    weights : weights of click, cart, purchase, revenue and margin in a weighted reward.
    pages : maximum number of lists in a visit.
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
        rows = interactions(self, log, ascending(log.times))
        kept = np.isin(cast(Column, rows.events).values, [EVENTS.index(name) for name in self.kept])
        rows = rows.take(kept)
        context = {name: column for name, column in rows.context.items() if name in MOMENT}
        ones = np.ones(len(rows), np.float32)
        rows = replace(rows, values=ones, explicit=False, sessions=None, context=context)
        return dataset(self, "electronics store", rows)

    def begin(self, visitors: np.ndarray, seed: int) -> StoreState:
        from recexp.environments.electronics import slates

        state = np.zeros(len(visitors), VISITOR)
        state["code"] = visitors
        state["key"] = keys_of(seed, f"electronics {self.seed}", visitors)
        state["history"], _ = self._last(visitors, "view", state["history"].shape[1])
        state["bought"], state["bought_days"] = self._last(visitors, "purchase", state["bought"].shape[1])
        self._in_threads(slates.begin, len(state), self.tables, state, calendar.YEAR_DAYS)
        return StoreState(state, np.full((len(state), self.pages * self.slate), -1, np.int32))

    def observe(self, state: StoreState) -> Observation:
        s = state.visitors
        days = s["day"] * DAY
        bought = s["bought"].copy()
        return Observation(
            visitors=s["code"].astype(np.int32),
            users=self._dataset.users,
            context=moment(self, s["code"], days + s["hour"] * 3600, s["device"]),
            timestamps=calendar.START + days + s["seconds"],
            steps=s["steps"].astype(np.int32),
            visits=s["visits"].astype(np.int32),
            history=s["history"].copy(),
            bought=bought,
            bought_at=np.where(bought >= 0, calendar.START + s["bought_days"].astype(np.int64) * DAY, -1),
            shown=state.shown.copy(),
        )

    def act(self, state: StoreState, items: np.ndarray) -> Outcome:
        from recexp.environments.electronics import slates

        b, k = len(state), self.slate
        check_slates(items, b, k, self.n_products)
        clicks, carts, purchases = (np.zeros((b, k), bool) for _ in range(3))
        revenue, margin = np.zeros((b, k)), np.zeros((b, k))
        outcome = Outcome(clicks, carts, purchases, revenue, margin, np.zeros(b), np.zeros(b, bool))
        lists = np.ascontiguousarray(items, np.int32)
        given = self.tables, self._behavior, self._terms, state.visitors, state.shown, lists
        self._in_threads(slates.look, b, *given, *vars(outcome).values())
        return outcome

    def truth(self, observation: Observation, candidates: np.ndarray) -> np.ndarray:
        from recexp.environments.electronics import slates

        seen, out = np.zeros(len(observation), VISITOR), np.empty((len(observation), len(candidates)))
        seen["code"], seen["bought"] = observation.visitors, observation.bought
        seen["day"] = (observation.timestamps - calendar.START) // DAY
        for name in ("hour", "device"):
            seen[name] = observation.context[name].values
        seen["bought_days"] = (observation.bought_at - calendar.START) // DAY  # of nothing, where nothing was bought
        given = self.tables, self._behavior, self._terms, seen, candidates, out
        self._in_threads(slates.expected, len(out), *given)
        return out

    def _last(self, visitors: np.ndarray, event: str, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return items and days of each visitor's last n such events in the log, int32 (b, n), left-padded with -1."""
        items, days, begin = self._histories[event]
        at = begin[visitors + 1][:, None] - np.arange(n, 0, -1)
        at = np.where(at >= begin[visitors][:, None], at, -1)
        return items[at], days[at]

    @cached_property
    def _histories(self) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Items and days of events, grouped by user in time order, followed by -1 and 0, and each user's offset."""
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
        amounts = np.array([weights.get(name, 0.0) for name in COUNTED])
        return Terms(
            weights=amounts,
            counts_carts=bool(amounts[1:].any()),
            leave=self.leave,
            content=self.content,
            back=self.back,
            loyalty=self.loyalty,
            gap=self.gap,
            days=self.days,
            pages=self.pages,
        )

    def _in_threads(self, kernel: Callable[..., None], b: int, *given: Any) -> None:
        threads.map_rows(lambda start, stop: kernel(start, stop, np.zeros(1, SCRATCH), *given), b)
