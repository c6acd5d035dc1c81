"""Business metrics: held-out purchases among the recommended items, and their value."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from recexp.data import Column, Dataset
from recexp.errors import DataError
from recexp.metrics.base import JudgedLists, ListMetric
from recexp.metrics.plain import ids_of
from recexp.params import params


@params
class Purchases(ListMetric):
    """A list metric based on held-out purchases.

    A purchase is a relevant item for which the user has a held-out row with this event; in data without events, every
    relevant item is a purchase.

    Parameters
    ----------
    event : name of the purchase event, if the data have events.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"relevant"})
    event: str

    def problem(self, dataset: Dataset) -> str:
        events = dataset.interactions.events
        if events is None:
            return ""
        found = [events.categories[code] for code in np.unique(events.values) if code >= 0]
        return "" if self.event in found else f"{dataset.name} has no {self.event} rows, but {', '.join(found)}"

    def bought(self, judged: JudgedLists) -> np.ndarray:
        """Return bool (b, n): which listed items were bought."""
        return judged.cached(("bought", self.event), lambda: self._bought(judged))

    def _bought(self, judged: JudgedLists) -> np.ndarray:
        rows = judged.test
        if rows is None or rows.events is None:
            return judged.hits
        sold = rows.take(rows.events.values == rows.events.categories.index(self.event))
        lists, places = np.nonzero(judged.hits)
        pairs = judged.queries.users[lists].astype(np.int64) * rows.n_items + judged.items[lists, places]
        bought = np.zeros_like(judged.hits)
        bought[lists, places] = np.isin(pairs, sold.users.astype(np.int64) * rows.n_items + sold.items)
        return bought


@params
class Conversion(Purchases):
    """1 if any of the first k items of a list was bought, else 0; the mean is the share of lists with a purchase.

    Analogous to the conversion rate of a shop, the share of visits with a purchase (Jannach and Jugovac 2019, Measuring
    the business value of recommender systems). An empty list has 0, as does the list of a user without a held-out
    purchase; without a relevant item the value is undefined.
    """

    def problem(self, dataset: Dataset) -> str:
        if not dataset.has("events") and not dataset.has("item_prices"):
            return f"{dataset.name} has neither events nor prices of items, so that its rows may be no purchases"
        return super().problem(dataset)

    def values(self, judged: JudgedLists, k: int) -> np.ndarray:
        return np.asarray(self.bought(judged)[:, :k].any(axis=1), np.float64)


@params
class Revenue(Purchases):
    """Sum of the prices of the purchased items among the first k of a list, in the currency of the prices.

    The sales associated with a list (Jannach and Jugovac 2019, Measuring the business value of recommender systems). An
    item counts once, regardless of quantity. An empty list has 0; without a relevant item the value is undefined.

    Parameters
    ----------
    column : column of the items table with the price.
    """

    bounds: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    column: str

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]  # of the class where it depends on no field
        return frozenset({"relevant", f"items.{self.column}"})

    def problem(self, dataset: Dataset) -> str:
        return price_problem(dataset, self.column) or super().problem(dataset)

    def remedy(self, name: str, dataset: Dataset) -> str:
        prices = [column for column, values in dataset.items.items() if values.kind == "price"]
        if not prices:
            return ""
        file = f"a copy of conf/metric/{name}.yaml in a config folder of yours"
        return f"its price columns are {', '.join(prices)}: {file} can name them, as in column: {prices[0]}"

    def values(self, judged: JudgedLists, k: int) -> np.ndarray:
        worth = judged.train.items[self.column].values.astype(np.float64)
        sold: np.ndarray = np.where(self.bought(judged)[:, :k], worth[judged.items[:, :k]], 0.0).sum(axis=1)
        return sold

    def __call__(  # type: ignore[override]  # on other data than metrics of relevance alone
        self,
        ranked: Sequence[Hashable],
        relevant: Collection[Hashable] = (),
        k: int | None = None,
        *,
        worth: Mapping[Hashable, float],
    ) -> float:
        """Return the value of one list cut at `k` (None: its length); the `relevant` items are the purchased ones.

        `worth` maps items to their prices or margins. Raises DataError if it lacks a purchased item.
        """
        best, wanted = ids_of(ranked, "ranked", ranked=True), ids_of(relevant, "relevant")
        if missing := [item for item in wanted if item not in worth]:
            raise DataError(f"worth has no value for {missing[0]!r}, which was bought")
        if not wanted:
            return float("nan")
        judged = JudgedLists.of_ids([best], [wanted], {}, {}, None)
        column = Column.numeric([worth.get(item, 0.0) for item in judged.train.item_ids])
        judged = replace(judged, train=replace(judged.train, items={self.column: column}))
        return float(self.values(judged, self._cutoff(k, len(best)))[0])


@params
class Margin(Revenue):
    """Sum of the margins (price minus cost, as an amount) of the purchased items among the first k of a list.

    The part of `Revenue` that the shop keeps. A margin is at most the price; a negative margin means a sale below cost.
    An item counts once, regardless of quantity. An empty list has 0; without a relevant item the value is undefined.

    Parameters
    ----------
    column : column of the items table with the margin per item, in the currency of the prices.
    price : column with the price.
    """

    bounds: ClassVar[tuple[float, float]] = (float("-inf"), float("inf"))
    price: str

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        return frozenset({"relevant", f"items.{self.column}", f"items.{self.price}"})

    def problem(self, dataset: Dataset) -> str:
        found = _missing(dataset, self.column) or price_problem(dataset, self.price)
        if found:
            return found
        margins, prices = (dataset.items[name].values for name in (self.column, self.price))
        if (above := margins > prices).any():
            item = int(above.argmax())
            shown = f"{margins[item]:g} for a {self.price} of {prices[item]:g}"
            return _describe(dataset, above, f"a {self.column} above their {self.price}", shown)
        return Purchases.problem(self, dataset)


def price_problem(dataset: Dataset, name: str) -> str:
    """Return a text on what is wrong with a price column; empty if every item has a non-negative price."""
    if found := _missing(dataset, name):
        return found
    prices = dataset.items[name].values
    if not (below := prices < 0).any():
        return ""
    return _describe(dataset, below, f"a negative {name}", f"{prices[int(below.argmax())]:g}")


def _missing(dataset: Dataset, name: str) -> str:
    column = dataset.items[name]
    if column.kind not in ("numeric", "price"):
        return f"items.{name} of {dataset.name} is a {column.kind} column; it must hold numbers"
    unknown = ~np.isfinite(column.values)
    return _describe(dataset, unknown, f"no {name}", "empty") if unknown.any() else ""


def _describe(dataset: Dataset, wrong: np.ndarray, what: str, shown: str) -> str:
    first = dataset.item_ids[int(wrong.argmax())]
    return f"{wrong.sum()} of {len(wrong)} items of {dataset.name} have {what}, the first is {first} ({shown})"
