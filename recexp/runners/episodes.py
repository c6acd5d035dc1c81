"""Episodes: batch simulation of a policy showing lists to visitors until they are gone, and its outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from recexp import progress
from recexp.data import Column
from recexp.environments.base import Environment, Outcome
from recexp.environments.luck import Luck
from recexp.policies.base import Decisions, Policy, lists_of

DAY = 86_400
RETURN_DAYS = 30


@dataclass(frozen=True)
class Episodes:
    """n lists of k items shown to v visitors, in the order shown within each block; each array row is one list.

    Attributes
    ----------
    visitors : int32 (v,), codes of the simulated visitors, ascending.
    who : int32 (n,), the index of each list's visitor in `visitors`.
    steps, visits : int32 (n,), the number of the list and of the visit for its visitor, from 0.
    timestamps : int64 (n,), seconds since 1970.
    context : context columns, n rows each.
    items, propensities : int32 and float64 (n, k).
    clicks, carts, purchases, revenue, margin : (n, k), see `Outcome`; `reward` is float64 (n,).
    """

    visitors: np.ndarray
    who: np.ndarray
    steps: np.ndarray
    visits: np.ndarray
    timestamps: np.ndarray
    context: Mapping[str, Column]
    items: np.ndarray
    propensities: np.ndarray
    clicks: np.ndarray
    carts: np.ndarray
    purchases: np.ndarray
    revenue: np.ndarray
    margin: np.ndarray
    reward: np.ndarray

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return float64 (v,): values (n,) or (n, k) summed by visitor."""
        of_lists = values.reshape(len(self.who), -1).sum(axis=1)
        sums: np.ndarray = np.bincount(self.who, weights=of_lists, minlength=len(self.visitors))
        return sums

    def units(self) -> dict[str, np.ndarray]:
        """Return float64 (v,) by metric: one value per visitor; the mean over visitors is the metric.

        For a ratio of two sums over visitors, R = sum(a) / sum(b), a visitor's value is R + (a - R b) / mean(b). The
        mean is R, and the variance between visitors gives that of R (delta method; Budylin et al. 2018, "Consistent
        transformation of ratio metrics").
        """
        lists, places = self.sums(np.ones(len(self.who))), self.items.shape[1]
        visits, buying = self._visits()
        orders = self.sums(self.purchases)
        per_thousand = {"orders": orders, "revenue": self.sums(self.revenue), "margin": self.sums(self.margin)}
        return {
            "reward": self.sums(self.reward),
            "click_through_rate": linearized(self.sums(self.clicks), places * lists),
            "conversion": linearized(buying, visits),
            **{f"{name}_per_1000_lists": linearized(1000 * a, lists) for name, a in per_thousand.items()},
            "repeat_rate_30_days": self._came_again(),
            "lists": lists,
        }

    def _visits(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the number of visits of each visitor, and of visits with a purchase, float64 (v,) each."""
        _, first, visit = np.unique(
            self.who.astype(np.int64) << 32 | self.visits, return_index=True, return_inverse=True
        )
        bought = np.bincount(visit, weights=self.purchases.any(axis=1)) > 0
        owner, n = self.who[first], len(self.visitors)
        return np.bincount(owner, minlength=n).astype(float), np.bincount(owner, weights=bought, minlength=n)

    def _came_again(self) -> np.ndarray:
        """Return float64 (v,): 1 for visitors seen 30 days or more after their first list, else 0."""
        first = np.full(len(self.visitors), np.iinfo(np.int64).max)
        np.minimum.at(first, self.who, self.timestamps)
        later = self.timestamps - first[self.who] >= RETURN_DAYS * DAY
        return (self.sums(later) > 0).astype(float)


def linearized(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return float64 (v,) whose mean is sum(values) / sum(counts); see `Episodes.units`."""
    ratio = values.sum() / counts.sum()
    units: np.ndarray = ratio + (values - ratio * counts) / counts.mean()
    return units


def simulate(
    environment: Environment, policy: Policy, visitors: np.ndarray, *, seed: int, block: int, what: str = "simulate"
) -> Episodes:
    """Let a fitted policy show lists to visitors, `block` of them at a time, until all are gone.

    Parameters
    ----------
    visitors : int32 (v,), codes.
    seed : seed of the draws; the same seed gives two policies the same random numbers.
    what : label of the progress bar.
    """
    candidates, n_items = environment.candidates, environment.dataset().n_items
    parts: list[tuple[np.ndarray, Decisions]] = []
    with progress.bar(len(visitors), what) as advance:
        for start in range(0, len(visitors), block):
            who = np.arange(start, min(start + block, len(visitors)), dtype=np.int32)
            state, b = environment.begin(visitors[who], seed), len(who)
            while len(state):
                seen = environment.observe(state)
                luck = Luck(seed, seen.visitors, seen.steps)
                items, propensities = lists_of(policy, seen, candidates, luck, environment.slate, n_items)
                outcome = environment.act(state, items.astype(np.int32, copy=False))
                decisions = Decisions(seen, items, propensities, outcome)
                policy.update(decisions)
                parts.append((who, decisions))
                going = ~state.done
                who, state = who[going], state.take(going)
            advance(b)
    return _joined(visitors, parts)


def _joined(visitors: np.ndarray, parts: list[tuple[np.ndarray, Decisions]]) -> Episodes:
    seen, outcomes = [d.observation for _, d in parts], [d.outcome for _, d in parts]
    names = {field.name for field in fields(Episodes)}
    of_outcome = {
        field.name: np.concatenate([getattr(one, field.name) for one in outcomes])
        for field in fields(Outcome)
        if field.name in names
    }
    return Episodes(
        visitors=visitors,
        who=np.concatenate([who for who, _ in parts]),
        steps=np.concatenate([one.steps for one in seen]),
        visits=np.concatenate([one.visits for one in seen]),
        timestamps=np.concatenate([one.timestamps for one in seen]),
        context={name: _column([one.context[name] for one in seen]) for name in seen[0].context},
        items=np.concatenate([d.items for _, d in parts]),
        propensities=np.concatenate([d.propensities for _, d in parts]),
        **of_outcome,
    )


def _column(parts: list[Column]) -> Column:
    return Column(parts[0].kind, np.concatenate([part.values for part in parts]), parts[0].categories)
