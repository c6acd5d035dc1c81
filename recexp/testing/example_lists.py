"""Random lists with all inputs that a metric may read, small enough for loops in plain Python."""

import numpy as np
import scipy.sparse as sp

from recexp.data import Column, Dataset, Interactions, Queries
from recexp.metrics.base import Answers, JudgedLists
from recexp.metrics.predicted_ratings import PredictedRatings
from recexp.ranking import Lists


class ExampleLists:
    """Lists of up to 10 of 30 items, relevant items, train and features, in plain Python and in the format of metrics.

    With a `dataset`, lists hold its items, and it serves as train.

    Attributes
    ----------
    lists : the items of each list, best first; with `padded` of any length from 0.
    relevant : the relevant items of each list, at least one.
    train : the items of each user; one further user has no items, and two items have no users.
    features : the names of each item's categories, zero to three; brands : one name each, or None.
    predicted, actual : a rating for each list; with `labels` a probability and a label.
    shown, clicked : an item shown to the user of each list, and whether it was clicked.
    """

    def __init__(
        self,
        seed: int,
        *,
        queries: int = 40,
        padded: bool = True,
        dataset: Dataset | None = None,
        labels: bool = False,
    ) -> None:
        n_items = 30 if dataset is None else dataset.n_items
        length = min(n_items, 10)
        rng = np.random.default_rng(seed)
        self.n_items, self.length, self.dataset = n_items, length, dataset
        self.lists = [rng.permutation(n_items)[:length].tolist() for _ in range(queries)]
        if padded:
            self.lists = [ranked[: rng.integers(0, length + 1)] for ranked in self.lists]
        most = n_items // 2 + 1
        self.relevant = [set(rng.permutation(n_items)[: rng.integers(1, most)].tolist()) for _ in range(queries)]
        if dataset is None:
            self._draw_data(rng)
        self.predicted, self.actual = rng.normal(3, 1, (2, queries))
        if labels:
            self.predicted, self.actual = rng.random(queries), rng.integers(0, 2, queries).astype(np.float64)
        self.shown, self.clicked = rng.integers(0, n_items, queries), rng.random(queries) < 0.3

    def _draw_data(self, rng: np.random.Generator) -> None:
        """Draw train and features of items."""
        n_items = self.n_items
        weights = rng.random(n_items - 2) ** 3  # the last two items are never seen
        sizes = [8, 5, 5, 3, 1, 1, 8, 4, 6, 2, 7, 9]
        weights /= weights.sum()
        self.train = {u: rng.choice(n_items - 2, s, replace=False, p=weights).tolist() for u, s in enumerate(sizes)}
        self.features = {i: [f"c{c}" for c in rng.permutation(6)[: rng.integers(0, 4)]] for i in range(n_items)}
        self.brands = [f"b{c}" if c else None for c in rng.integers(0, 4, n_items)]

    def judged(self, order: np.ndarray | None = None) -> JudgedLists:
        """Return the lists in the given order, int (b,), or as they are."""
        order = np.arange(len(self.lists)) if order is None else order
        items = np.full((len(self.lists), self.length), -1, np.int32)
        target = sp.lil_array((len(self.lists), self.n_items), dtype=np.float32)
        for row, q in enumerate(order.tolist()):
            items[row, : len(self.lists[q])] = self.lists[q]
            target[row, sorted(self.relevant[q])] = 1
        data = self._data() if self.dataset is None else self.dataset
        lists = Lists(items, np.zeros(items.shape, np.float32))
        users = (order % data.n_users).astype(np.int32)
        queries = Queries.of_users(users, data.interactions, exclude_seen=False)
        return JudgedLists.of(
            lists, target.tocsr(), queries, data, np.ones(self.n_items, bool), self._impressions(users, order, data)
        )

    def _impressions(self, users: np.ndarray, order: np.ndarray, data: Dataset) -> Interactions:
        values, clicked = np.ones(len(order), np.float32), Column.numeric(self.clicked[order])
        items = self.shown[order].astype(np.int32)
        return Interactions(users, items, values, data.n_users, data.n_items, context={"clicked": clicked})

    def answers(self, order: np.ndarray | None = None) -> Answers:
        """Return lists and ratings in the given order, int (b,), or as they are."""
        order = np.arange(len(self.lists)) if order is None else order
        lists = self.judged(order)
        return Answers(lists, PredictedRatings(self.predicted[order], self.actual[order], lists.queries.users))

    def _data(self) -> Dataset:
        pairs = [(u, i) for u, seen in self.train.items() for i in [*seen, seen[0]]]  # with repeats
        users, items = np.array(pairs, np.int32).T.copy()
        n_users = len(self.train) + 1  # one user without rows
        rows = Interactions(users, items, np.ones(len(pairs), np.float32), n_users, self.n_items)
        table = {
            "genres": Column.multi_category([self.features[i] for i in range(self.n_items)]),
            "brand": Column.category(self.brands),
            "year": Column.numeric(np.arange(self.n_items)),
            "price": Column.numeric(np.arange(self.n_items) % 7 + 1, "price"),
            "margin": Column.numeric(np.arange(self.n_items) % 7 / 4),
        }
        city = Column.category(["north" if user % 3 else "south" for user in range(n_users)])
        ids = np.arange(n_users), np.arange(self.n_items)
        return Dataset("world", rows, *ids, users={"city": city}, items=table)
