"""A gymnasium wrapper for environments: one visitor, one list per step, on the same loops as the batch simulation.

Importing this module registers the store: `gymnasium.make("recexp.environments.gym:ElectronicsStore-v0")`.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs import registration

from recexp.data import Column
from recexp.environments.base import Environment, Observation, Outcome

STORE = "ElectronicsStore-v0"
SEEDS = 2**31
LISTS = ("history", "bought", "shown")
"""Lists of items that are observed."""


class Slate(spaces.Space[np.ndarray]):
    """Lists of k distinct items out of n: int64 (k,). Like `MultiDiscrete`, but without repeats."""

    def __init__(self, n: int, k: int, seed: int | np.random.Generator | None = None) -> None:
        self.n, self.k = n, k
        super().__init__((k,), np.int64, seed)

    @property
    def is_np_flattenable(self) -> bool:
        return True

    def sample(self, mask: np.ndarray | None = None, probability: np.ndarray | None = None) -> np.ndarray:
        """Return a random list: uniform over the items in `mask`, bool (n,), or drawn by `probability`, (n,)."""
        weights = probability if mask is None else np.asarray(mask, float)
        shares = None if weights is None else np.asarray(weights, float) / np.sum(weights)
        return self.np_random.choice(self.n, self.k, replace=False, p=shares)

    def contains(self, x: Any) -> bool:
        """Return whether `x` is a list of k distinct items."""
        items = np.asarray(x)
        if items.shape != (self.k,) or items.dtype.kind not in "iu":
            return False
        return bool(((items >= 0) & (items < self.n)).all() and len({*items.tolist()}) == self.k)

    def __repr__(self) -> str:
        return f"Slate({self.n}, {self.k})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slate) and (self.n, self.k) == (other.n, other.k)


class VisitorEnv(gymnasium.Env[dict[str, Any], np.ndarray]):
    """One visitor of an environment, from the first list to the last; each episode is a new visitor.

    Action: a list of distinct item codes (`Slate`). Reward: the environment's reward. `info` holds the outcome of the
    step: clicks, carts, purchases, revenue, margin, left (the visit ended).

    Parameters
    ----------
    environment : of the group environment.
    """

    def __init__(self, environment: Environment) -> None:
        environment.check()
        self.environment = environment
        self.action_space = Slate(environment.dataset().n_items, environment.slate)
        self._state = environment.begin(np.zeros(1, np.int32), 0)
        seen = environment.observe(self._state)
        columns = {name: _space(column) for name, column in _columns(seen).items()}
        last = environment.dataset().n_items - 1
        lists = {name: spaces.Box(-1, last, getattr(seen, name)[0].shape, np.int32) for name in LISTS}
        self.observation_space = spaces.Dict(columns | lists)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Start with a new visitor, or with `options={"visitor": code}`; the same seed gives the same episode."""
        super().reset(seed=seed)
        drawn = int(self.np_random.integers(self.environment.n_visitors))
        visitor = drawn if options is None else int(options.get("visitor", drawn))
        self._state = self.environment.begin(np.array([visitor], np.int32), int(self.np_random.integers(SEEDS)))
        return _observed(self.environment.observe(self._state)), {"visitor": visitor}

    def step(self, action: np.ndarray) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Show a list; the episode ends when the visitor is gone for good."""
        outcome = self.environment.act(self._state, np.asarray(action)[None])
        seen = _observed(self.environment.observe(self._state))
        return seen, float(outcome.reward[0]), bool(self._state.done[0]), False, _funnel(outcome)


def _columns(seen: Observation) -> dict[str, Column]:
    """Return the non-text user and context columns by name; a context column hides a user column of the same name."""
    known = {**seen.users, **seen.context}
    return {name: column for name, column in known.items() if column.kind not in ("text", "multi_category")}


def _space(column: Column) -> spaces.Space[Any]:
    if column.categories:
        return spaces.Discrete(len(column.categories) + 1, start=-1)
    low, high = np.nanmin(column.values), np.nanmax(column.values)
    return spaces.Box(low, high, (1,), np.float32)


def _observed(seen: Observation) -> dict[str, Any]:
    """Return the observation of the single visitor in the format of the observation space."""
    found: dict[str, Any] = {}
    for name, column in _columns(seen).items():
        value = column.values[0 if name in seen.context else seen.visitors[0]]
        found[name] = np.int64(value) if column.categories else np.array([value], np.float32)
    return found | {name: getattr(seen, name)[0] for name in LISTS}


def _funnel(outcome: Outcome) -> dict[str, Any]:
    return {
        "clicks": int(outcome.clicks.sum()),
        "carts": int(outcome.carts.sum()),
        "purchases": int(outcome.purchases.sum()),
        "revenue": float(outcome.revenue.sum()),
        "margin": float(outcome.margin.sum()),
        "left": bool(outcome.left[0]),
    }


if STORE not in registration.registry:
    registration.register(STORE, entry_point="recexp.plugins.gymnasium_plugin:electronics_store")
