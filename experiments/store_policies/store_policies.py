"""What policies earn in the simulated store, whether its truth behaves, and whether a log tells what a policy is worth.

    python experiments/store_policies/store_policies.py

prints the tables of the README beside it, in about a quarter of an hour on two cores. The tests run small instances.
"""

from collections.abc import Mapping

import numpy as np

import recexp
from recexp.environments import Environment, Luck
from recexp.evidence.evidence import Evidence
from recexp.policies import Policy
from recexp.runners.episodes import simulate

Interval = tuple[float, float, float]
SHOWN = ("reward", "click_through_rate", "orders_per_1000_lists", "revenue_per_1000_lists", "repeat_rate_30_days")


def store(**fields: object) -> Environment:
    """Return the store with some of its values changed."""
    environment = recexp.make("environment=electronics", *(f"environment.{name}={v}" for name, v in fields.items()))
    environment.check()
    return environment


def greedy(algorithm: str, **fields: object) -> Policy:
    """Return a policy that is greedy over an algorithm."""
    words = [f"policy.{key}={value}" for key, value in fields.items()]
    return recexp.make("policy=greedy_over", f"algorithm@policy.algorithm={algorithm}", *words)


def usual(*algorithms: str) -> dict[str, Policy]:
    """Return random, policies that are greedy over algorithms, and truth, by name."""
    between = {name: greedy(name) for name in algorithms}
    return {"random": recexp.make("policy=random"), **between, "truth": recexp.make("policy=truth")}


def learners(*algorithms: str) -> dict[str, Policy]:
    """Return the same list for all, the most popular items, and policies that show what a visitor has not clicked.

    Where liking is chance, that list is liked as any other; of what a visitor was shown and did not click, less is.
    """
    return {"popular": greedy("popularity", demote_seen="false"), **{name: greedy(name) for name in algorithms}}


def units(shop: Environment, policies: Mapping[str, Policy], visitors: int) -> dict[str, dict[str, np.ndarray]]:
    """Return the values of the same visitors under each policy, by metric."""
    who = np.sort(np.random.default_rng(1).choice(shop.n_visitors, visitors, replace=False)).astype(np.int32)
    found = {}
    for name, acting in policies.items():
        acting.fit(shop, 1)
        found[name] = simulate(shop, acting, who, seed=1, block=2000).units()
    return found


def means(values: Mapping[str, np.ndarray]) -> dict[str, Interval]:
    """Return mean and bootstrap interval of each metric."""
    evidence = Evidence.of_units("episodes", values, seed=1)
    return {name: (evidence.metrics[f"episodes/{name}"], *evidence.intervals[f"episodes/{name}"]) for name in values}


def gained(found: Mapping[str, Mapping[str, np.ndarray]], name: str, baseline: str, metric: str) -> Interval:
    """Return what a policy has more than another of the same visitors: mean and bootstrap interval."""
    return means({metric: found[name][metric] - found[baseline][metric]})[metric]


def coverage(shop: Environment, logging: Policy, target: Policy, visitors: int, repetitions: int) -> tuple[int, float]:
    """Return how often the 95 % interval of inverse propensity weighting holds the target's value, and that value.

    Each repetition logs one list of one item of each of `visitors` visitors.
    """
    for one in (logging, target):
        one.fit(shop, 1)
    logs, values, rng = [], [], np.random.default_rng(1)
    for seed in range(repetitions):
        who = np.sort(rng.choice(shop.n_visitors, visitors, replace=False)).astype(np.int32)
        state = shop.begin(who, seed)
        seen = shop.observe(state)
        chances = target.probabilities(seen, shop.candidates)
        values.append((chances * shop.truth(seen, shop.candidates)).sum(axis=1).mean())
        items, propensities = logging.act(seen, shop.candidates, Luck(seed, seen.visitors, seen.steps))
        rewards = shop.act(state, items).reward
        # inverse propensity weighting (Horvitz and Thompson 1952)
        weighted = rewards * chances[np.arange(visitors), items[:, 0]] / propensities[:, 0]
        half = 1.96 * weighted.std(ddof=1) / np.sqrt(visitors)
        logs.append((weighted.mean() - half, weighted.mean() + half))
    value = float(np.mean(values))
    return sum(low <= value <= high for low, high in logs), value


def cells(interval: Interval) -> str:
    mean, low, high = interval
    return f"{mean:.4g} ({low:.4g} to {high:.4g})"


def table(found: Mapping[str, Mapping[str, np.ndarray]]) -> str:
    """Return Markdown: a row a policy, a column a metric."""
    lines = [f"| policy | {' | '.join(SHOWN)} |", f"| --- |{' ---: |' * len(SHOWN)}"]
    for name, values in found.items():
        measured = means(values)
        lines.append(f"| {name} | {' | '.join(cells(measured[metric]) for metric in SHOWN)} |")
    return "\n".join(lines)


def main() -> None:
    big: dict[str, object] = {"n_users": 25_000, "n_visits": 200_000, "n_products": 1000}
    found = units(store(**big, reward="purchase"), usual("popularity", "ease"), 20_000)
    print(table(found), flush=True)
    for explained in (0.9, 0.5, 0.0):
        shop = store(**big, reward="click", explained=explained)
        found = units(shop, usual("content_based"), 20_000)
        more = gained(found, "content_based", "random", "click_through_rate")
        print(f"\nexplained={explained}: content_based - random, clicks per item: {cells(more)}", flush=True)
    found = units(store(**big, reward="click", noise=50.0), learners("ease", "item_knn", "als"), 20_000)
    for name in ("ease", "item_knn", "als"):
        more = gained(found, name, "popular", "click_through_rate")
        print(f"\nnoise=50: {name} - popularity, clicks per item: {cells(more)}", flush=True)
    shop = store(n_users=40_000, n_visits=300_000, n_products=120, slate=1, pages=1, reward="click")
    logging, target = greedy("popularity", temperature=1.0, epsilon=0.3), greedy("ease", temperature=0.7, epsilon=0.1)
    held, value = coverage(shop, logging, target, 20_000, 100)
    print(f"\nthe value {value:.4f} is in {held} of 100 intervals", flush=True)


if __name__ == "__main__":
    main()
