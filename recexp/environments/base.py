"""Environment: the interface of simulators, their observations and the outcomes of recommendation lists."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from recexp.data import Column, Dataset
from recexp.errors import ConfigError, DataError


@dataclass(frozen=True)
class Observation:
    """What a policy sees of b visitors, each about to be shown one list. It holds only what a real store would know.

    Attributes
    ----------
    visitors : int32 (b,), user codes in the environment's dataset.
    users : the columns of the users table; row i describes the user with code i.
    context : the dataset's context columns, b rows each, at the time of the list.
    timestamps : int64 (b,), seconds since 1970.
    steps : int32 (b,), number of lists each visitor has already been shown.
    visits : int32 (b,), number of earlier visits.
    history : int32 (b, h), the most recently clicked items, oldest first, padded with -1 on the left.
    bought : int32 (b, o), the most recently bought items, in the same layout; `bought_at`, int64 (b, o), their times in
        seconds since 1970.
    shown : int32 (b, s), the items shown earlier in this visit, padded with -1.
    """

    visitors: np.ndarray
    users: Mapping[str, Column]
    context: Mapping[str, Column]
    timestamps: np.ndarray
    steps: np.ndarray
    visits: np.ndarray
    history: np.ndarray
    bought: np.ndarray
    bought_at: np.ndarray
    shown: np.ndarray

    def __len__(self) -> int:
        return len(self.visitors)

    def column(self, name: str) -> Column:
        """Return a column of the context or of the users table, with b rows. Raises DataError for an unknown name."""
        if name in self.context:
            return self.context[name]
        if name in self.users:
            return self.users[name].take(self.visitors)
        known = ", ".join(dict.fromkeys([*self.context, *self.users]))
        raise DataError(f"an observation has no column {name}; it has {known}")


@dataclass(frozen=True)
class Outcome:
    """The outcome of b lists of k items.

    Attributes
    ----------
    clicks, carts, purchases : bool (b, k).
    revenue, margin : float64 (b, k), from the purchases.
    reward : float64 (b,), the environment's reward for each list.
    left : bool (b,), whether the visitor ended the visit.
    """

    clicks: np.ndarray
    carts: np.ndarray
    purchases: np.ndarray
    revenue: np.ndarray
    margin: np.ndarray
    reward: np.ndarray
    left: np.ndarray


class State(ABC):
    """The simulation state of b visitors, hidden from policies."""

    @property
    @abstractmethod
    def done(self) -> np.ndarray:
        """bool (b,): whether each visitor is gone for good."""

    @abstractmethod
    def take(self, rows: np.ndarray) -> Self:
        """Return the state of some of the visitors, selected by a mask or by row numbers."""

    @abstractmethod
    def __len__(self) -> int:
        """Return b."""


class Environment(ABC):
    """A simulator in which a policy shows lists to many visitors at once. Decorate subclasses with `@params`.

    Each random draw depends only on the environment, the seed, the visitor and the purpose of the draw. Two policies
    therefore face the same random numbers, and neither the thread count nor the rest of a block changes results.

    Attributes
    ----------
    slate : number of items in a list.
    reward : name of the reward: click, purchase, revenue ...
    """

    slate: int
    reward: str

    @property
    @abstractmethod
    def n_visitors(self) -> int:
        """Number of visitors; their codes start at 0."""

    @abstractmethod
    def dataset(self) -> Dataset:
        """Return the data logged so far; user codes identify visitors, item codes are those used in lists."""

    @abstractmethod
    def begin(self, visitors: np.ndarray, seed: int) -> Any:
        """Return the state of visitors, int32 (b,), at the start of their first visit."""

    @abstractmethod
    def observe(self, state: Any) -> Observation:
        """Return what a policy sees of the state."""

    @abstractmethod
    def act(self, state: Any, items: np.ndarray) -> Outcome:
        """Show lists, int (b, slate), return their outcome and advance `state` in place."""

    @abstractmethod
    def truth(self, observation: Observation, candidates: np.ndarray) -> np.ndarray:
        """Return float64 (b, c): the expected reward of each candidate, int32 (c,), in the first position."""

    @property
    def candidates(self) -> np.ndarray:
        """int32 (c,): the items that may be shown, ascending."""
        return np.arange(self.dataset().n_items, dtype=np.int32)

    def check(self) -> None:
        """Raise ConfigError if a list is longer than the number of candidates; called before the simulation starts."""
        if self.slate > (n := len(self.candidates)):
            raise ConfigError(f"environment.slate: a list of {self.slate} is longer than the {n} items there are")


def check_slates(items: np.ndarray, b: int, k: int, n_items: int) -> None:
    """Raise DataError unless `items` holds b lists of k distinct item codes."""
    if items.shape != (b, k) or items.dtype.kind not in "iu":
        raise DataError(f"lists must be integers ({b}, {k}), a row a visitor (got {items.dtype} {items.shape})")
    if items.size and not (items.min() >= 0 and items.max() < n_items):
        raise DataError(f"lists must hold item codes from 0 to {n_items - 1} (got {items.min()} to {items.max()})")
    ordered = np.sort(items, axis=1)
    if (again := ordered[:, 1:] == ordered[:, :-1]).any():
        raise DataError(f"a list must not repeat an item (item {ordered[:, 1:][again][0]} comes twice)")


def check_values(table: Mapping[str, Column], reward: str) -> None:
    """Raise DataError if an items table cannot yield a monetary reward: no price, or a margin above the price.

    `reward` is the name of the reward: revenue or margin.
    """
    for name in ("price", "margin") if reward == "margin" else ("price",):
        if name not in table:
            raise DataError(
                f"reward={reward} needs a column {name} of the items; there are {', '.join(table) or 'none'}"
            )
    price = table["price"].values
    if not (price >= 0).all():
        raise DataError(
            f"item {int(np.argmin(price >= 0))}: a price must be 0 or more (got {price[~(price >= 0)][0]:g})"
        )
    if "margin" in table and (above := table["margin"].values > price).any():
        at = int(np.argmax(above))
        raise DataError(f"item {at}: its margin {table['margin'].values[at]:g} is above its price {price[at]:g}")
