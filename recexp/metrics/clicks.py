"""Offline click-through rate, estimated by replay of a log of impressions."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from recexp.data import Dataset
from recexp.errors import DataError
from recexp.metrics.base import Answers, Measured, Metric
from recexp.params import params
from recexp.statistics.bootstrap import number_owners


@params
class ClickThroughRate(Metric):
    """Clicks / impressions, over the held-out impressions whose item is among the first k of a list of their user.

    An impression is a row that records whether a shown item was clicked (`Interactions.clicked`). Only impressions of
    items that the model recommends count: the replay method of Li et al. (2011, Unbiased offline evaluation of
    contextual-bandit-based news article recommendation algorithms, section 3). It is unbiased for lists of one item if
    the log showed items uniformly at random; otherwise it favors items that the log showed to the right users. If all
    items are listed, it is the click-through rate of the log. Without such an impression the value is undefined. A user
    with several queries has several lists; it is enough that one of them holds the item.
    """

    unit = "impression"
    needs: ClassVar[frozenset[str]] = frozenset({"impressions"})

    def problem(self, dataset: Dataset) -> str:
        try:
            return "" if dataset.interactions.clicked is not None else f"{dataset.name} has no impressions"
        except DataError as error:
            return str(error)

    def measure(self, answers: Answers, cutoffs: Sequence[int]) -> Measured | None:
        lists, shown = answers.lists, answers.lists.test
        if shown is None or shown.clicked is None:
            return None
        pairs = lists.queries.users[:, None].astype(np.int64) * shown.n_items + lists.items
        listed = (lists.items >= 0) & (lists.queries.users >= 0)[:, None]
        held_out = shown.users.astype(np.int64) * shown.n_items + shown.items
        found = [np.isin(held_out, pairs[:, :k][listed[:, :k]]) for k in cutoffs]
        values = [np.where(matched, shown.clicked, np.nan) for matched in found]
        return Measured(values, number_owners(shown.users, np.zeros(len(shown), np.int64)))

    def stored_table(self, unit: str) -> str | None:
        return None
