"""UCI Online Retail (Chen, Sain and Guo, 2012): invoices of a British gift shop."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from recexp.data import Column, Dataset
from recexp.data.moments import Moment, derived
from recexp.datasets.base import Source
from recexp.errors import DataError
from recexp.io import Features, RawLog, Role, code_log, exists, numbers, parse_log, read_table
from recexp.params import Location, TimeFormat, params

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

_COLUMNS: Mapping[Role, str] = {
    "user": "CustomerID",
    "item": "StockCode",
    "rating": "Quantity",
    "timestamp": "InvoiceDate",
    "session": "InvoiceNo",
}
_FOLDERS = ("", "online-retail", "online_retail")
_NAMES = ("online_retail.parquet", "online_retail.csv", "online_retail.csv.gz")
_DESCRIBING = ("Description", "UnitPrice", "Country")


@params
class OnlineRetail(Source):
    """Purchases: an invoice is a session, a value a quantity; cancellations and lines without customer are left out.

    Items have the `description` of their first line that has one and a `price`, the median of their lines; users the
    `country` of their first line.

    Parameters
    ----------
    path : the table, parquet or csv, with the columns InvoiceNo, StockCode, Description, Quantity, InvoiceDate,
        UnitPrice, CustomerID and Country. null: online_retail.parquet or .csv (.gz) in the folder that the environment
        variable RECEXP_DATA names, or in online-retail or online_retail there.
    time_format : how times are written (strptime); null: ISO 8601, or already times (parquet).
    derive : context columns made of the times, in UTC: hour, weekday.
    """

    path: Location | None
    time_format: TimeFormat | None
    derive: list[Moment]

    def check(self) -> None:
        where = self.location()
        if where is None:
            raise DataError(
                "dataset.path: set it to the location of the table, or set the environment variable RECEXP_DATA to the "
                f"folder of {' or '.join(_NAMES)}"
            )
        if not exists(where):
            raise DataError(f"dataset.path: {where}: no such file")

    def location(self) -> Path | None:
        if self.path is not None:
            return Path(self.path).expanduser()
        shared = os.environ.get("RECEXP_DATA")
        folders = [Path(shared).expanduser() / name for name in _FOLDERS] if shared else []
        return next((folder / name for folder in folders for name in _NAMES if exists(folder / name)), None)

    def files(self) -> dict[str, Path] | None:
        path = self.location()
        return None if path is None else {"path": path}

    def load(self) -> Dataset:
        self.check()
        path = self.location() or Path()
        table = read_table(path, separator=None)
        missing = [name for name in (*_COLUMNS.values(), *_DESCRIBING) if name not in table.column_names]
        if missing:
            raise DataError(f"{path}: no column {', '.join(missing)}; its columns are {', '.join(table.column_names)}")
        table = _sold(table, path)
        raw = parse_log(table, path, columns=_COLUMNS, time_format=self.time_format, context={})
        users, items = _described(table, raw, path)
        return derived(Dataset(self.name, *code_log(raw, explicit=False, users=users, items=items)), self.derive)


def _sold(table: "pa.Table", path: Path) -> "pa.Table":
    """Return the lines that sell something to a known customer."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.is_valid(table["CustomerID"])
    cancelled = pc.fill_null(pc.starts_with(table["InvoiceNo"].cast(pa.string()), "C"), False)
    kept = table.filter(pc.and_(known, pc.invert(cancelled)))
    log.info(
        "%d of %d lines dropped: %d without a customer, the rest cancellations",
        len(kept),
        len(table),
        len(table) - pc.sum(known).as_py(),
    )
    if not len(kept):
        raise DataError(f"{path}: each line lacks a customer or is a cancellation")
    return kept


def _described(table: "pa.Table", raw: RawLog, path: Path) -> tuple[Features, Features]:
    """Return what the lines say of users and of items."""
    import pandas as pd

    description, _, country = (table[name].to_pandas() for name in _DESCRIBING)
    lines = pd.DataFrame(
        {
            "user": raw.users.values,
            "item": raw.items.values,
            "country": country,
            "description": description,
            "price": numbers(table["UnitPrice"], f"{path}: column UnitPrice"),
        }
    )
    users = lines.groupby("user")["country"].first()
    items = lines.groupby("item").agg({"description": "first", "price": "median"})
    texts = items["description"].astype(object).where(items["description"].notna(), None)
    return (
        Features(users.index.to_numpy(), {"country": Column.category(users.fillna("").tolist())}),
        Features(
            items.index.to_numpy().astype(raw.items.known.dtype),
            {
                "description": Column.text([text and text.strip() for text in texts]),
                "price": Column.numeric(items["price"].to_numpy(), "price"),
            },
        ),
    )
