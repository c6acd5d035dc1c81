"""The contract of policies."""

import copy
from dataclasses import dataclass, fields, replace

import numpy as np

from recexp.config.experiments import make
from recexp.data import Column
from recexp.environments.base import Environment, Observation
from recexp.environments.luck import Luck
from recexp.params import describe
from recexp.policies.base import Decisions, Policy, check_probabilities, lists_of
from recexp.testing.checking import check_kind, equal_arrays, expect, quiet, run_checks

SMALL = ("environment.n_users=200", "environment.n_products=120", "environment.n_visits=3000", "environment.slate=5")
DRAWS = 30


@quiet()
def check_policy(policy: Policy, environment: Environment | None = None) -> None:
    """Let a policy show lists in an environment; raise if it violates the contract of policies::

        check_policy(MyPolicy(epsilon=0.1))

    Without `environment` it is a small electronics store.
    """
    check_kind(policy, Policy)
    world = make("environment=electronics", *SMALL) if environment is None else environment
    run_checks(policy, CHECKS, Case(policy, world))


@dataclass(frozen=True)
class Case:
    """A policy, and the environment of the check."""

    unfitted: Policy
    environment: Environment

    def fitted(self) -> Policy:
        """Return a fitted copy."""
        policy = copy.deepcopy(self.unfitted)
        policy.fit(self.environment, 1)
        return policy

    def seen(self) -> Observation:
        """Return the observation of the first visitors after one list each."""
        state = self.environment.begin(np.arange(min(100, self.environment.n_visitors), dtype=np.int32), 1)
        first = self.environment.candidates[: self.environment.slate]
        self.environment.act(state, np.tile(first, (len(state), 1)))
        return self.environment.observe(state.take(~state.done))

    def act(self, policy: Policy, seen: Observation, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Return lists and propensities, checked."""
        rng, n_items = Luck(seed, seen.visitors, seen.steps), self.environment.dataset().n_items
        return lists_of(policy, seen, self.environment.candidates, rng, self.environment.slate, n_items)

    def probabilities(self, policy: Policy, seen: Observation) -> np.ndarray:
        """Return the probabilities of the first place, checked."""
        candidates = self.environment.candidates
        return check_probabilities(policy, policy.probabilities(seen, candidates), len(seen), len(candidates))


def fit_changes_no_field(case: Case) -> None:
    """Learned attributes end in _, and fields stay unchanged."""
    expect(describe(case.fitted()) == describe(case.unfitted), "fit changed a field")


def lists_are_of_candidates(case: Case) -> None:
    """Lists hold candidates, without repeats, and propensities are in (0, 1]."""
    items, _ = case.act(case.fitted(), case.seen())
    expect(np.isin(items, case.environment.candidates).all(), "act gave items that are no candidates")


def the_same_seed_gives_the_same_lists(case: Case) -> None:
    """A second fit with the same seed gives the same lists: draw only from `rng` and `seed`."""
    seen = case.seen()
    equal_arrays(
        case.act(case.fitted(), seen)[0], case.act(case.fitted(), seen)[0], "a second time it gave other lists"
    )


def who_else_is_asked_about_does_not_matter(case: Case) -> None:
    """A visitor's list does not depend on the other visitors of the block."""
    policy, seen = case.fitted(), case.seen()
    some = np.arange(len(seen)) % 3 == 0
    whole, part = case.act(policy, seen)[0], case.act(policy, taken(seen, some))[0]
    equal_arrays(part, whole[some], "visitors who were asked about without the others got other lists")


def propensities_are_the_probabilities(case: Case) -> None:
    """The propensity of the first item equals its value in `probabilities`."""
    policy, seen = case.fitted(), case.seen()
    items, propensities = case.act(policy, seen)
    at = np.searchsorted(case.environment.candidates, items[:, 0])
    said = case.probabilities(policy, seen)[np.arange(len(seen)), at]
    equal_arrays(propensities[:, 0], said, "act and probabilities disagree on the first place", close=True)


def items_come_as_often_as_the_probabilities_say(case: Case) -> None:
    """Over many draws, the frequencies of first items match `probabilities` within 5 standard errors."""
    policy, seen = case.fitted(), case.seen()
    chances = case.probabilities(policy, seen)
    worth = np.random.default_rng(1).standard_normal(len(case.environment.candidates))
    mean = chances @ worth
    expected, variance = DRAWS * mean.sum(), DRAWS * (chances @ worth**2 - mean**2).sum()
    drawn = [case.act(policy, seen, seed)[0][:, 0] for seed in range(DRAWS)]
    found = worth[np.searchsorted(case.environment.candidates, np.concatenate(drawn))].sum()
    off = abs(found - expected) / np.sqrt(variance + 1e-9)
    expect(off < 5, f"the first items are {off:.1f} standard errors off what probabilities says")


def update_takes_decisions(case: Case) -> None:
    """`update` accepts the outcome of lists."""
    policy = case.fitted()
    state = case.environment.begin(np.arange(5, dtype=np.int32), 1)
    seen = case.environment.observe(state)
    items, propensities = case.act(policy, seen)
    policy.update(Decisions(seen, items, propensities, case.environment.act(state, items)))


def taken(seen: Observation, rows: np.ndarray) -> Observation:
    """Return some rows of an observation, selected by a mask."""
    arrays = {one.name: getattr(seen, one.name) for one in fields(seen)}
    some = {name: array[rows] for name, array in arrays.items() if isinstance(array, np.ndarray)}
    context: dict[str, Column] = {name: column.take(np.flatnonzero(rows)) for name, column in seen.context.items()}
    return replace(seen, **some, context=context)


CHECKS = (
    fit_changes_no_field,
    lists_are_of_candidates,
    the_same_seed_gives_the_same_lists,
    who_else_is_asked_about_does_not_matter,
    propensities_are_the_probabilities,
    items_come_as_often_as_the_probabilities_say,
    update_takes_decisions,
)
