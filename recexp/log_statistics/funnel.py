"""From a view to the cart and the purchase."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from recexp.data import Dataset
from recexp.data.event_kinds import Kind
from recexp.data.ordering import distinct

ACTIVE = 10
"""Rows from which on a user counts as active, as in the released sets that hold such users alone."""

STEPS: tuple[Kind, ...] = ("view", "cart", "purchase")


def funnel(parts: Mapping[Kind, Dataset]) -> dict[str, float]:
    """Return rates by events, such as cart_per_view, and by user and item, pair_cart_per_view, of active users.

    By events a rate is of one count over the other. By user and item it is the share of pairs with the earlier event
    that have the later one, too, over users with 10 rows or more of the steps' kinds.
    """
    steps = {kind: parts[kind].interactions for kind in STEPS if kind in parts}
    if len(steps) < 2:
        return {}
    rows = np.sum([np.bincount(part.users, minlength=part.n_users) for part in steps.values()], axis=0)
    active = rows >= ACTIVE
    pairs = {kind: distinct(part.pair_numbers[active[part.users]]) for kind, part in steps.items()}
    found = {}
    for earlier, later in combinations(steps, 2):
        found[f"{later}_per_{earlier}"] = len(steps[later]) / len(steps[earlier])
        both = np.intersect1d(pairs[earlier], pairs[later], assume_unique=True)
        if len(pairs[earlier]):
            found[f"pair_{later}_per_{earlier}"] = len(both) / len(pairs[earlier])
    return found
