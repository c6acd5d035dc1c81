"""Recommend what a customer can pay, or what is not too cheap for them."""

from typing import Annotated, Self

import numpy as np
from pydantic import AfterValidator, Field

from recexp.data import Column, Dataset, Queries
from recexp.errors import ConfigError, DataError
from recexp.params import params
from recexp.rerankers.base import Allowed, Restriction
from recexp.rerankers.columns import item_numbers


def _rising(bounds: list) -> list:
    low, high = bounds
    if low is not None and high is not None and low > high:
        raise ValueError(f"the lowest comes first, for example [{high:g}, {low:g}]")
    return bounds


EVERYONE = "everyone"
"""The name of those who are in no group."""
Share = Annotated[float, Field(ge=0, le=1)]
Bounds = Annotated[list[float | None], Field(min_length=2, max_length=2), AfterValidator(_rising)]
"""The lowest and the highest price; None: there is no such bound."""


@params
class PriceRange(Restriction):
    """Lists hold items in a range of prices: one for all users, or one for each group of them.

    A range goes from one quantile of the prices of the group's train rows to another, both prices included; or it is
    given. Users of no group, such as unknown ones, get the range of everyone. An item without a price is in no range.

    Parameters
    ----------
    column : the column of the items table that holds the price.
    by : a category column of the users table whose groups have ranges of their own; None: there is one range.
    quantiles : of the prices in train: where a range begins and ends.
    ranges : given ranges by name of the group, `everyone` among them, in place of those from quantiles.
    """

    column: str
    by: str | None
    quantiles: Annotated[list[Share], Field(min_length=2, max_length=2), AfterValidator(_rising)]
    ranges: dict[str, Bounds] | None

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]  # of the class where it depends on no field
        return frozenset({f"items.{self.column}", *([f"users.{self.by}"] if self.by else [])})

    def fit(self, train: Dataset) -> Self:
        prices, groups = item_numbers(train, self.column), self._groups(train)
        if (below := prices < 0).any():
            first = int(below.argmax())
            raise DataError(
                f"reranker.column: {self.column} is negative for {below.sum()} of {len(prices)} items of {train.name}, "
                f"the first is {train.item_ids[first]} ({prices[first]:g}); a price is 0 or more"
            )
        names = [*groups.categories, EVERYONE]
        self.groups_ = np.where(groups.values >= 0, groups.values, len(names) - 1).astype(np.int32)
        paid, payer = prices[train.interactions.items], self.groups_[train.interactions.users]
        self.masks_ = np.empty((len(names), len(prices)), bool)
        for group, name in enumerate(names):
            own = paid[payer == group] if name != EVERYONE else paid
            low, high = self._bounds(name, paid if np.isnan(own).all() else own)
            self.masks_[group] = (prices >= low) & (prices <= high)
            if not self.masks_[group].any():
                wanted = f"{self.column} from {low:g} to {high:g}"
                raise DataError(f"reranker: no item of {train.name} has a {wanted}, the range of {name}")
        return self

    def allowed(self, queries: Queries) -> Allowed:
        known = queries.users >= 0
        groups = np.where(known, self.groups_[queries.users], len(self.masks_) - 1)
        return Allowed(self.masks_, groups)

    def _groups(self, train: Dataset) -> Column:
        """Return the group of each user, a category column. Raises ConfigError or DataError."""
        column = Column.category([None] * train.n_users) if self.by is None else train.users[self.by]
        if column.kind != "category":
            raise DataError(
                f"reranker.by: {self.by} is a {column.kind} column of {train.name}; it must be a category column"
            )
        known = [*column.categories, EVERYONE]
        if unknown := [name for name in self.ranges or {} if name not in known]:
            raise ConfigError(
                f"reranker.ranges: there is no group {unknown[0]} of users; there are: {', '.join(known)}"
            )
        return column

    def _bounds(self, name: str, paid: np.ndarray) -> tuple[float, float]:
        """Return the range of a group, given the prices that it paid."""
        if self.ranges and name in self.ranges:
            low, high = self.ranges[name]
            return (-np.inf if low is None else low, np.inf if high is None else high)
        if np.isnan(paid).all():
            raise DataError(f"reranker.column: no item with a row has a {self.column}")
        first, last = np.nanquantile(paid, self.quantiles, method="nearest")
        return float(first), float(last)
