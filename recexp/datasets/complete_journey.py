"""The Complete Journey (84.51): a year of the groceries of some households."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recexp.data import Column, Dataset
from recexp.data.moments import Moment, derived
from recexp.datasets.base import Source
from recexp.errors import DataError
from recexp.io import Features, RawLog, Role, code_log, exists, lookup, numbers, parse_log, read_features, read_table
from recexp.io.header import listed
from recexp.params import Location, params

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

_FOLDERS = ("", "complete-journey", "complete_journey")
_TABLES, _ENDINGS = ("transactions", "products", "demographics"), (".parquet", ".csv", ".csv.gz")
_COLUMNS: Mapping[Role, str] = {
    "user": "household_id",
    "item": "product_id",
    "quantity": "quantity",
    "timestamp": "transaction_timestamp",
    "session": "basket_id",
}
_MONEY = ("sales_value", "retail_disc", "coupon_match_disc")
_PRODUCTS = ("manufacturer_id", "department", "brand", "product_category", "product_type", "package_size")
_HOUSEHOLDS = ("age", "income", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count")


@params
class CompleteJourney(Source):
    """Purchases: a basket is a session, a value a quantity; lines with quantity 0 are left out.

    The context of a line is its `price`, what the store got for one, and its `discount`, what the store took off the
    shelf price of one. Items have a `price`, the median of their lines, and what the table of products says of them;
    users, where they told, their demographics.

    Parameters
    ----------
    root : the folder with the tables transactions, products and demographics, parquet or csv (.gz). null: the folder
        that the environment variable RECEXP_DATA names, or complete-journey or complete_journey there.
    derive : context columns made of the times, in UTC: hour, weekday.
    """

    root: Location | None
    derive: list[Moment]

    def check(self) -> None:
        if self.location() is None:
            where = "the folder that the environment variable RECEXP_DATA names" if self.root is None else self.root
            raise DataError(f"dataset.root: {listed(_TABLES)} (.parquet or .csv) are not all in {where}")

    def location(self) -> Path | None:
        given = self.root or os.environ.get("RECEXP_DATA")
        if not given:
            return None
        base = Path(given).expanduser()
        folders = [base] if self.root else [base / name for name in _FOLDERS]
        return next((folder for folder in folders if all(_table(folder, name) for name in _TABLES)), None)

    def files(self) -> dict[str, Path] | None:
        folder = self.location()
        found = {} if folder is None else {name: _table(folder, name) for name in _TABLES}
        return {name: path for name, path in found.items() if path is not None} or None

    def load(self) -> Dataset:
        self.check()
        files = self.files() or {}
        lines = files["transactions"]
        raw = parse_log(
            _priced(read_table(lines, separator=None), lines),
            lines,
            columns=_COLUMNS,
            time_format=None,
            context={"price": "price", "discount": "numeric"},
        )
        users = _about(files["demographics"], "household_id", _HOUSEHOLDS)
        items = _about(files["products"], "product_id", _PRODUCTS)
        items = Features(items.ids, {**items.columns, "price": _usual_prices(raw, items.ids)})
        return derived(Dataset(self.name, *code_log(raw, explicit=False, users=users, items=items)), self.derive)


def _table(folder: Path, name: str) -> Path | None:
    """Return the file of a table in a folder, whatever it ends with."""
    return next((path for ending in _ENDINGS if exists(path := folder / f"{name}{ending}")), None)


def _about(path: Path, id_column: str, columns: tuple[str, ...]) -> Features:
    return read_features(path, id_column=id_column, kinds=dict.fromkeys(columns, "category"), separator=None)


def _priced(table: "pa.Table", path: Path) -> "pa.Table":
    """Return the lines that sell something, with what one of it cost and was reduced by."""
    import pyarrow as pa

    if absent := [name for name in (*_COLUMNS.values(), *_MONEY) if name not in table.column_names]:
        raise DataError(f"{path}: no column {', '.join(absent)}; its columns are {', '.join(table.column_names)}")
    quantity = numbers(table["quantity"], f"{path}: column quantity")
    table = table.filter(pa.array(quantity > 0))
    log.info("%d of %d lines left; the rest have quantity 0", len(table), len(quantity))
    sales, *discounts = (numbers(table[name], f"{path}: column {name}") for name in _MONEY)
    sold = quantity[quantity > 0]
    table = table.append_column("price", pa.array(sales / sold))
    return table.append_column("discount", pa.array(sum(discounts) / sold))


def _usual_prices(raw: RawLog, item_ids: np.ndarray) -> Column:
    """Return the median price of each of `item_ids` (n,) over its lines, NaN where it has none."""
    import pandas as pd

    medians = pd.Series(raw.context["price"].values).groupby(raw.items.codes).median()
    return Column.numeric(medians.to_numpy(), "price").take(lookup(item_ids, raw.items.known))
