"""ItemTable: what a model keeps of the items table, to name what it recommends and to choose among it."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recexp.data import Column
from recexp.errors import DataError

TITLE_LENGTH = 200
"""Characters of a title that are kept: a product's description is longer."""
SHOWN = 12
"""Names that an error lists."""
_TITLE = re.compile(r"(.*_)?title|((item|product|article|film|movie)_?)?name", re.IGNORECASE)


def title_column(columns: Mapping[str, Column]) -> str | None:
    """Return which column holds titles: text called title or name, else the first text, else categories so called.

    For single words in a column `name` are read as categories. `brand_name` holds no titles.
    """
    texts = [name for name, column in columns.items() if column.kind == "text"]
    words = [name for name, column in columns.items() if column.kind == "category" and _TITLE.fullmatch(name)]
    called = [name for name in texts if _TITLE.fullmatch(name)]
    return next(iter([*called, *texts, *words]), None)


@dataclass(frozen=True)
class ItemTable:
    """Titles, categories and prices of n items; the other columns of the items table are not kept.

    Attributes
    ----------
    titles : object (n,) of str, empty where unknown; None where no column holds titles.
    categories : the category and multi_category columns, n rows each, by name.
    prices : float32 (n,), the columns of prices by name, NaN where a price is missing.
    """

    titles: np.ndarray | None = None
    categories: Mapping[str, Column] = field(default_factory=dict)
    prices: Mapping[str, np.ndarray] = field(default_factory=dict)

    @staticmethod
    def of(columns: Mapping[str, Column]) -> "ItemTable":
        """Return what is kept of an items table."""
        title = title_column(columns)
        return ItemTable(
            None if title is None else _texts(columns[title]),
            {name: c for name, c in columns.items() if c.kind in ("category", "multi_category") and name != title},
            {name: column.values for name, column in columns.items() if column.kind == "price"},
        )

    def having(self, conditions: Mapping[str, str | Sequence[str]]) -> np.ndarray:
        """Return bool (n,): which items have one of the given categories in each of the given columns.

        Raises DataError for a column or a category that no item has, and where no item is left.
        """
        chosen = np.array(True)
        for name, wanted in conditions.items():
            if name not in self.categories:
                raise DataError(f"there is no item category column {name!r}; {self._columns(name)}")
            column, names = self.categories[name], [wanted] if isinstance(wanted, str) else list(wanted)
            number = {category: code for code, category in enumerate(column.categories)}
            for category in names:
                if category not in number:
                    known = _near(str(category), column.categories)
                    raise DataError(f"no item has {name}={category}; {known.format(f'{name} has')}")
            ones = np.zeros(len(number), np.float32)
            ones[[number[category] for category in names]] = 1
            chosen = chosen & (column.indicators() @ ones > 0)
        if not chosen.any():
            raise DataError(f"no item has {' and '.join(f'{name}={wanted}' for name, wanted in conditions.items())}")
        return chosen

    def priced(self, low: float | None, high: float | None, column: str | None = None) -> np.ndarray:
        """Return bool (n,): which items have a price from `low` to `high`, both included; None: without such a bound.

        `column` names the column of prices; None: the only one, or that called price. Raises DataError where there is
        no such column.
        """
        if not self.prices:
            raise DataError("a range of prices needs a price column of the items table; the model was given none")
        chosen = column or (next(iter(self.prices)) if len(self.prices) == 1 else "price")
        if chosen not in self.prices:
            there = f"the price columns are {', '.join(self.prices)}"
            raise DataError(f"there is no price column {column}; {there}" if column else f"{there}; name one of them")
        prices = self.prices[chosen]
        return (prices >= (-np.inf if low is None else low)) & (prices <= (np.inf if high is None else high))

    def _columns(self, name: str) -> str:
        if not self.categories:
            return "the model was trained without an items table that has category columns"
        return _near(name, list(self.categories)).format("the columns are")

    def pack(self) -> tuple[dict[str, list[str]], dict[str, np.ndarray]]:
        """Return the names of the columns of categories and of prices, and all arrays by name."""
        arrays = {} if self.titles is None else {"titles": self.titles}
        arrays |= {f"price.{number}": prices for number, prices in enumerate(self.prices.values())}
        for number, column in enumerate(self.categories.values()):
            arrays[f"category.{number}.codes"] = column.values
            arrays[f"category.{number}.names"] = np.array(column.categories, object)
            if column.offsets is not None:
                arrays[f"category.{number}.offsets"] = column.offsets
        return {"categories": list(self.categories), "prices": list(self.prices)}, arrays

    @staticmethod
    def unpack(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray], n: int) -> "ItemTable":
        """Return what was packed, of n items. Raises ValueError or KeyError where the arrays do not fit together."""
        titles = arrays.get("titles")
        if titles is not None and (titles.dtype != object or titles.shape != (n,)):
            raise ValueError(f"titles is {titles.dtype} {titles.shape}, not text ({n},)")
        categories, prices = (_names(header, key) for key in ("categories", "prices"))
        return ItemTable(
            titles,
            {name: _column(number, arrays, n) for number, name in enumerate(categories)},
            {name: _prices(number, arrays, n) for number, name in enumerate(prices)},
        )


def _texts(column: Column) -> np.ndarray:
    if column.kind == "category":
        return np.array([*column.categories, ""], object)[column.values]
    return np.array([text[:TITLE_LENGTH] for text in column.values.tolist()], object)


def _names(header: Mapping[str, Any], key: str) -> list[str]:
    """Return the names of columns that a header lists; earlier formats have none of prices."""
    names: list[str] = header.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{key} must be a list of names (got {names!r:.50})")
    return names


def _prices(number: int, arrays: Mapping[str, np.ndarray], n: int) -> np.ndarray:
    prices = arrays[f"price.{number}"]
    if prices.dtype != np.float32 or prices.shape != (n,):
        raise ValueError(f"price column {number} is {prices.dtype} {prices.shape}, not float32 ({n},)")
    return prices


def _column(number: int, arrays: Mapping[str, np.ndarray], n: int) -> Column:
    codes, names = (arrays[f"category.{number}.{part}"] for part in ("codes", "names"))
    offsets = arrays.get(f"category.{number}.offsets")
    lowest = -1 if offsets is None else 0
    fits = codes.dtype == np.int32 and codes.ndim == 1 and names.dtype == object and names.ndim == 1
    fits = fits and bool(((codes >= lowest) & (codes < len(names))).all())
    if offsets is None:
        fits = fits and len(codes) == n
    else:
        fits = fits and offsets.dtype == np.int64 and offsets.shape == (n + 1,)
        fits = fits and offsets[0] == 0 and offsets[-1] == len(codes) and bool((np.diff(offsets) >= 0).all())
    if not fits:
        raise ValueError(f"category column {number} does not describe {n} items")
    return Column("category" if offsets is None else "multi_category", codes, tuple(names.tolist()), offsets)


def _near(name: str, known: Sequence[str]) -> str:
    """Return the nearest of the names that there are, and the first of all after {}."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return f"{hint}{{}} {', '.join(known[:SHOWN])}{more}"
