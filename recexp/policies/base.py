"""Policy: what decides which items a visitor is shown."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recexp.environments.base import Environment, Observation, Outcome, check_slates
from recexp.environments.luck import Luck
from recexp.errors import DataError

TOLERANCE = 1e-6


@dataclass(frozen=True)
class Decisions:
    """b lists that were shown, and what came of them.

    Attributes
    ----------
    observation : of whom, when.
    items : int32 (b, k).
    propensities : float64 (b, k), the probability of each item in its place given those before it.
    outcome : what came of it.
    """

    observation: Observation
    items: np.ndarray
    propensities: np.ndarray
    outcome: Outcome


class Policy(ABC):
    """Chooses the items of lists. A subclass is decorated with `@params`; its fields are what can be set.

    What it learns goes to attributes whose names end in `_`.

    Class attributes
    ----------------
    upper_bound : whether it knows what no policy can know; `recexp compare` shows what it reaches, and tests it not.
    """

    upper_bound: ClassVar[bool] = False

    def check(self) -> None:  # noqa: B027
        """Raise ConfigError or DataError where what the policy reads is missing; called before the world is made."""

    def fit(self, environment: Environment, seed: int) -> None:  # noqa: B027
        """Learn from `environment.dataset()`, what the store has recorded; called once, before the first list."""

    @abstractmethod
    def act(self, observation: Observation, candidates: np.ndarray, rng: Luck) -> tuple[np.ndarray, np.ndarray]:
        """Return lists, int (b, k), without repeats, and the propensity of each item in its place, float (b, k).

        A propensity is the probability with which the item stands there given the observation and the items before it.

        Parameters
        ----------
        observation : of b visitors.
        candidates : int32 (c,), the items that may be shown.
        rng : what is drawn from: `rng.random(n)` is float64 (b, n), a row a visitor, of streams of their own.
        """

    @abstractmethod
    def probabilities(self, observation: Observation, candidates: np.ndarray) -> np.ndarray:
        """Return float64 (b, c): the probability of each candidate in the first place."""

    def update(self, decisions: Decisions) -> None:  # noqa: B027
        """Learn from what came of lists; nothing, unless the policy learns while it acts.

        It is called once a list of all visitors of a block: what is learned depends on how many are simulated at once.
        """


def lists_of(
    policy: Policy, observation: Observation, candidates: np.ndarray, rng: Luck, k: int, n_items: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a policy's `act` gives; raises DataError, in one line, where it is no lists or no propensities."""
    name, b = type(policy).__name__, len(observation)
    try:
        given = policy.act(observation, candidates, rng)
    except DataError as error:
        raise DataError(f"{name}.act: {error}") from error
    try:
        items, propensities = (np.asarray(part) for part in given)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}.act must return lists and propensities, two arrays ({error})") from error
    if items.dtype.kind == "f" and np.isnan(items).any():
        raise DataError(f"{name}.act gave NaN for {np.isnan(items).sum()} items")
    try:
        check_slates(items, b, k, n_items)
    except DataError as error:
        raise DataError(f"{name}.act: {error}") from error
    if propensities.shape != (b, k):
        raise DataError(f"{name}.act: propensities must be ({b}, {k}), one an item (got {propensities.shape})")
    if not (wrong := (propensities > 0) & (propensities <= 1 + TOLERANCE)).all():
        raise DataError(
            f"{name}.act: a propensity must be above 0 and at most 1 (got {propensities[~wrong].ravel()[0]:g}, "
            f"{(~wrong).sum()} such)"
        )
    return items, propensities


def check_probabilities(policy: Policy, given: np.ndarray, b: int, c: int) -> np.ndarray:
    """Return what a policy's `probabilities` gave; raises DataError unless each row is a distribution."""
    name, given = type(policy).__name__, np.asarray(given)
    if given.shape != (b, c):
        raise DataError(f"{name}.probabilities must return ({b}, {c}), one a candidate (got {given.shape})")
    if np.isnan(given).any():
        raise DataError(f"{name}.probabilities gave NaN, {np.isnan(given).sum()} times")
    sums = given.sum(axis=1)
    if (given < 0).any() or (off := np.abs(sums - 1) > TOLERANCE).any():
        what = f"negative ones ({given.min():g})" if (given < 0).any() else f"rows that sum to {sums[off][0]:g}, not 1"
        raise DataError(f"{name}.probabilities gave {what}")
    return given
