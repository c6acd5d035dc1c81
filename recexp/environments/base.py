"""Environment: what policies act in; what they see of it, and what comes of a list."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from recexp.data import Column, Dataset
from recexp.errors import ConfigError, DataError


@dataclass(frozen=True)
class Observation:
    """What a policy sees of b visitors who are about to be shown a list each: nothing that a store would not know.

    Attributes
    ----------
    visitors : int32 (b,), codes, those of users in the environment's dataset.
    users : the table of all users by column, row i describes code i.
    context : what is known of the moment, columns of b rows, those of the dataset's context.
    timestamps : int64 (b,), seconds since 1970.
    steps : int32 (b,), lists that each visitor has been shown before.
    visits : int32 (b,), visits before this one.
    history : int32 (b, h), the items clicked last, oldest first, -1 before they begin.
    bought : int32 (b, o), the items bought last, likewise; `bought_at`, int64 (b, o), when: seconds since 1970.
    shown : int32 (b, s), the items shown earlier in this visit, -1 where there are no more.
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
        """Return a column of the context, or of the users' table, of b rows. Raises DataError for an unknown name."""
        if name in self.context:
            return self.context[name]
        if name in self.users:
            return self.users[name].take(self.visitors)
        known = ", ".join(dict.fromkeys([*self.context, *self.users]))
        raise DataError(f"an observation has no column {name}; it has {known}")


@dataclass(frozen=True)
class Outcome:
    """What came of b lists of k items.

    Attributes
    ----------
    clicks, carts, purchases : bool (b, k).
    revenue, margin : float64 (b, k), of what was bought.
    reward : float64 (b,), what the environment counts.
    left : bool (b,), who ended the visit.
    """

    clicks: np.ndarray
    carts: np.ndarray
    purchases: np.ndarray
    revenue: np.ndarray
    margin: np.ndarray
    reward: np.ndarray
    left: np.ndarray


class State(ABC):
    """Where b visitors stand, hidden from policies."""

    @property
    @abstractmethod
    def done(self) -> np.ndarray:
        """bool (b,): who will not come again."""

    @abstractmethod
    def take(self, rows: np.ndarray) -> Self:
        """Return some of the visitors, by a mask or their numbers."""

    @abstractmethod
    def __len__(self) -> int:
        """Return b."""


class Environment(ABC):
    """A world in which a policy shows lists to visitors, many at once. A subclass is decorated with `@params`.

    Whatever is drawn depends on the environment, the seed, the visitor and what it is for alone: two policies meet the
    same luck, and neither threads nor who else is in a block change anything.

    Attributes
    ----------
    slate : items of a list.
    reward : the name of what is counted: click, purchase, revenue ...
    """

    slate: int
    reward: str

    @property
    @abstractmethod
    def n_visitors(self) -> int:
        """How many visitors there are; they have codes from 0."""

    @abstractmethod
    def dataset(self) -> Dataset:
        """Return what the store has recorded so far; user codes are visitors, item codes are those of lists."""

    @abstractmethod
    def begin(self, visitors: np.ndarray, seed: int) -> Any:
        """Return the state of visitors, int32 (b,), as they come for the first time."""

    @abstractmethod
    def observe(self, state: Any) -> Observation:
        """Return what a policy sees."""

    @abstractmethod
    def act(self, state: Any, items: np.ndarray) -> Outcome:
        """Show lists, int (b, slate), and return what comes of them; `state` moves on to the next lists."""

    @abstractmethod
    def truth(self, observation: Observation, candidates: np.ndarray) -> np.ndarray:
        """Return float64 (b, c): the reward to be expected of each candidate, int32 (c,), in the first place."""

    @property
    def candidates(self) -> np.ndarray:
        """int32 (c,): the items that may be shown, ascending."""
        return np.arange(self.dataset().n_items, dtype=np.int32)

    def check(self) -> None:
        """Raise ConfigError where a list is longer than what there is to show; called before anything is simulated."""
        if self.slate > (n := len(self.candidates)):
            raise ConfigError(f"environment.slate: a list of {self.slate} is longer than the {n} items there are")


def check_slates(items: np.ndarray, b: int, k: int, n_items: int) -> None:
    """Raise DataError unless `items` are b lists of k item codes without repeats."""
    if items.shape != (b, k) or items.dtype.kind not in "iu":
        raise DataError(f"lists must be integers ({b}, {k}), a row a visitor (got {items.dtype} {items.shape})")
    if items.size and not (items.min() >= 0 and items.max() < n_items):
        raise DataError(f"lists must hold item codes from 0 to {n_items - 1} (got {items.min()} to {items.max()})")
    ordered = np.sort(items, axis=1)
    if (again := ordered[:, 1:] == ordered[:, :-1]).any():
        raise DataError(f"a list must not repeat an item (item {ordered[:, 1:][again][0]} comes twice)")


def check_values(table: Mapping[str, Column], reward: str) -> None:
    """Raise DataError where an items' table cannot give a reward of money: no price, or a margin above it.

    `reward` is the name of what is counted: revenue, margin.
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
