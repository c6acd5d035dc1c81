"""The contract of environments."""

from dataclasses import fields

import numpy as np

from recexp import threads
from recexp.environments.base import Environment, Observation, Outcome
from recexp.testing.checking import check_kind, equal_arrays, expect, quiet, run_checks

MOST = 1000
"""Lists after which an episode should have ended."""


@quiet()
def check_environment(environment: Environment) -> None:
    """Show lists in an environment; raise if it violates the contract of environments."""
    check_kind(environment, Environment)
    environment.check()
    run_checks(environment, CHECKS, environment)


def the_dataset_has_its_visitors(environment: Environment) -> None:
    """User codes of the dataset are visitors; candidates are items of the dataset, ascending."""
    data, candidates = environment.dataset(), environment.candidates
    expect(data.n_users == environment.n_visitors, f"{data.n_users} users and {environment.n_visitors} visitors")
    expect(len(candidates) and (np.diff(candidates) > 0).all(), "candidates must ascend")
    expect(candidates[0] >= 0 and candidates[-1] < data.n_items, "candidates must be item codes of the dataset")


def threads_and_blocks_do_not_matter(environment: Environment) -> None:
    """The behavior of a visitor depends only on seed, visitor and list."""
    visitors = np.arange(min(60, environment.n_visitors), dtype=np.int32)
    with threads.limit(1):
        whole = _played(environment, visitors)
    with threads.limit(2):
        parts = [_played(environment, part) for part in np.array_split(visitors, 3)]
    for name, values in whole.items():
        equal_arrays(np.concatenate([part[name] for part in parts]), values, f"{name} depends on the block or threads")


def outcomes_make_sense(environment: Environment) -> None:
    """Every purchase was in the cart, and every item in the cart was clicked; rewards are finite numbers."""
    state = environment.begin(np.arange(min(60, environment.n_visitors), dtype=np.int32), 1)
    outcome = environment.act(state, _lists(environment, environment.observe(state)))
    expect(not (outcome.carts & ~outcome.clicks).any(), "something is in the cart that was not clicked")
    expect(not (outcome.purchases & ~outcome.carts).any(), "something was bought that was not in the cart")
    expect(np.isfinite(outcome.reward).all(), "a reward is not finite")


def the_truth_is_a_number_for_each_candidate(environment: Environment) -> None:
    """`truth` returns finite float64 (b, c)."""
    seen = environment.observe(environment.begin(np.arange(3, dtype=np.int32), 1))
    truth = environment.truth(seen, environment.candidates)
    expected = (3, len(environment.candidates))
    expect(truth.shape == expected and np.isfinite(truth).all(), f"truth must be {expected} finite numbers")


def episodes_end(environment: Environment) -> None:
    """Every visitor is done in the end."""
    state = environment.begin(np.arange(min(20, environment.n_visitors), dtype=np.int32), 1)
    for _ in range(MOST):
        environment.act(state, _lists(environment, environment.observe(state)))
        state = state.take(~state.done)
        if not len(state):
            return
    expect(False, f"{len(state)} of 20 visitors are not done after {MOST} lists")


def _lists(environment: Environment, seen: Observation) -> np.ndarray:
    """Return lists that depend only on visitor and step."""
    candidates = environment.candidates
    start = (7 * seen.visitors + 3 * seen.steps)[:, None] + np.arange(environment.slate)
    return candidates[start % len(candidates)]


def _played(environment: Environment, visitors: np.ndarray) -> dict[str, np.ndarray]:
    """Return the observations of visitors and the outcome of one list each, by name."""
    state = environment.begin(visitors, 1)
    seen = environment.observe(state)
    outcome = environment.act(state, _lists(environment, seen))
    after = environment.observe(state)
    found: dict[str, np.ndarray] = {one.name: getattr(outcome, one.name) for one in fields(Outcome)}
    for when, one in (("before", seen), ("after", after)):
        arrays = {field.name: getattr(one, field.name) for field in fields(Observation)}
        found |= {f"{name} {when}": array for name, array in arrays.items() if isinstance(array, np.ndarray)}
    return found


CHECKS = (
    the_dataset_has_its_visitors,
    threads_and_blocks_do_not_matter,
    outcomes_make_sense,
    the_truth_is_a_number_for_each_candidate,
    episodes_end,
)
