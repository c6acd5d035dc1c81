"""Frappe (Baltrunas et al., 2015): which apps people used in which context, as data of clicks."""

from collections.abc import Mapping
from pathlib import Path

from recexp.data import Dataset
from recexp.datasets.release import Release
from recexp.errors import DataError
from recexp.io import Role, code_log, exists, parse_log, read_table
from recexp.params import params

_COLUMNS: Mapping[Role, str | None] = {
    "user": "user",
    "item": "item",
    "rating": "label",
    "timestamp": None,
    "event": None,
    "session": None,
    "fold": "fold",
}
_CONTEXT = ("daytime", "weekday", "isweekend", "homework", "cost", "weather", "country", "city")
_PARTS = {"train": "train.csv.gz", "validation": "valid.csv.gz", "test": "test.csv.gz"}


@params
class Frappe(Release):
    """Labels, 1: the user used the app in this context, 0: drawn at random. Eight context columns; no times.

    The parts are those of He and Chua (SIGIR 2017), used by BARS as frappe_x1: split=parts splits by them. An app that
    a user used in several contexts, or in the same one again, has as many rows.
    """

    marker = _PARTS["train"]
    other_files = (_PARTS["validation"], _PARTS["test"])

    def read(self, base: Path) -> Dataset:
        import pyarrow as pa

        tables = []
        for part, name in _PARTS.items():
            if not exists(base / name):
                raise DataError(f"dataset.root: {base} has no {name}")
            table = read_table(base / name, separator=",")
            wanted = ("label", "user", "item", *_CONTEXT)
            if absent := [column for column in wanted if column not in table.column_names]:
                raise DataError(f"{base / name}: no column {', '.join(absent)}; its columns are {table.column_names}")
            tables.append(table.append_column("fold", pa.array([part] * len(table))))
        raw = parse_log(
            pa.concat_tables(tables),
            base,
            columns=_COLUMNS,
            time_format=None,
            context=dict.fromkeys(_CONTEXT, "category"),
        )
        return Dataset(self.name, *code_log(raw, explicit=True))
