"""Fields: what is known of a user, an item and a moment, as codes that vectors are learned for.

A field is `user`, `item`, or a column: `users.age`, `items.genres`, `context.hour`. Each has a code of its own for what
is missing or was not in train, 0. A field with one code a row (an id, a category, a quantile) is a column of `codes`;
others (several categories, of which the mean counts, and numbers) are sparse rows of weights, one matrix a field.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp

from recexp.data import Column, Dataset
from recexp.data.interactions import CLICKED
from recexp.errors import ConfigError, DataError

log = logging.getLogger(__name__)

TABLES = ("users", "items", "context")

Task = Literal["click", "rating", "rank"]


@dataclass(frozen=True)
class Encoded:
    """The fields of n users, items or moments.

    Attributes
    ----------
    codes : int32 (n, f), the fields with one code a row.
    bags : float32 CSR (n, size) a field: the weights of its codes.
    """

    codes: np.ndarray
    bags: list[sp.csr_array]

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def known(self) -> np.ndarray:
        """bool (n,): whether any field has a code that train has."""
        known = [*(self.codes > 0).T, *(bag[:, [0]].toarray()[:, 0] == 0 for bag in self.bags)]
        return np.any([np.zeros(len(self), bool), *known], axis=0)

    def take(self, rows: np.ndarray) -> "Encoded":
        """Return the fields of some rows."""
        return Encoded(self.codes[rows], [bag[rows] for bag in self.bags])


def named_fields(data: Dataset, wanted: Sequence[str] | None) -> list[str]:
    """Return the names of the fields to learn from: those `wanted`, None: all but texts and whether a row was clicked.

    Raises ConfigError for a field that the data do not have, a text, and the label.
    """
    columns = _columns(data)
    usable = ["user", "item", *(name for name, column in columns.items() if column.kind != "text")]
    labels = [f"context.{name}" for name in CLICKED]
    if wanted is None:
        texts = [name for name, column in columns.items() if column.kind == "text"]
        if texts:
            log.info("texts are not used as fields: %s", ", ".join(texts))
        return [name for name in usable if name not in labels]
    for name in wanted:
        if name in columns and columns[name].kind == "text":
            raise ConfigError(f"algorithm.fields: {name} is a text, and fields are categories or numbers")
        if name not in usable:
            raise ConfigError(f"algorithm.fields: {data.name} has no {name}; available: {', '.join(usable)}")
        if name in labels:
            raise ConfigError(f"algorithm.fields: {name} says what is to be predicted")
    return list(wanted)


def learn(data: Dataset, names: Iterable[str], quantiles: int | None) -> dict[str, dict[str, Any]]:
    """Return how each field is encoded, by name, learned from the rows of train; constant fields are left out.

    Only what train rows have gets a code. Numbers are standardized over train rows, prices that are all above 0 by
    their logarithm; with `quantiles` they become as many codes, of about as many rows each.

    Raises DataError where no field is left.
    """
    rows, columns = data.interactions, _columns(data)
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        if name in ("user", "item"):
            known = rows.known_users if name == "user" else rows.known_items
            how: dict[str, Any] = {"kind": "id", "size": int(known.sum()) + 1}
        else:
            used = {"users": rows.users, "items": rows.items}.get(name.partition(".")[0])
            how = _learned(columns[name] if used is None else columns[name].take(used), quantiles)
        if how["size"] > 1:
            found[name] = how
        else:
            log.info("field %s is left out: it is the same in all rows", name)
    if not found:
        raise DataError(f"algorithm.fields: all fields are the same in all rows of {data.name}")
    return found


def ids(known: np.ndarray) -> np.ndarray:
    """Return int32 (n,): the code of each user or item, given which are `known`, bool (n,)."""
    return np.where(known, np.cumsum(known), 0).astype(np.int32)


def encode(
    fields: Mapping[str, dict[str, Any]], columns: Mapping[str, Column], n: int, of_ids: np.ndarray | None = None
) -> Encoded:
    """Return `fields` of one table with n rows, given its `columns`; one that is not there is missing in all rows.

    `of_ids`, int32 (n,), are the codes of the field `user` or `item`, see `ids`.
    """
    codes: list[np.ndarray] = []
    bags: list[sp.csr_array] = []
    for name, how in fields.items():
        column = columns.get(name.partition(".")[2])
        if how["kind"] == "id":
            codes.append(np.zeros(n, np.int32) if of_ids is None else of_ids)
        elif how["kind"] in ("category", "quantiles"):
            codes.append(np.zeros(n, np.int32) if column is None else _codes(how, column))
        else:
            bags.append(_nothing(n, how["size"]) if column is None else _weights(how, column))
    return Encoded(np.array(codes, np.int32).T.reshape(n, len(codes)), bags)


def of_table(fields: Mapping[str, dict[str, Any]], table: str) -> dict[str, dict[str, Any]]:
    """Return the fields of users (and who they are), items (and which they are) or the context."""
    first = {"users": "user", "items": "item"}.get(table, "")
    return {name: how for name, how in fields.items() if name == first or name.partition(".")[0] == table}


def sizes(fields: Mapping[str, dict[str, Any]]) -> tuple[list[int], list[int]]:
    """Return how many codes each field has: those with one code a row, and the others."""
    single = {name for name, how in fields.items() if how["kind"] in ("id", "category", "quantiles")}
    return [how["size"] for name, how in fields.items() if name in single], [
        how["size"] for name, how in fields.items() if name not in single
    ]


def _columns(data: Dataset) -> dict[str, Column]:
    """Return the columns of users, items and context, by name of the field."""
    tables = zip(TABLES, (data.users, data.items, data.interactions.context))
    return {f"{table}.{name}": column for table, columns in tables for name, column in columns.items()}


def _learned(column: Column, quantiles: int | None) -> dict[str, Any]:
    """Return how a column of train rows is encoded; of size 1 where it says nothing."""
    if column.kind in ("category", "multi_category"):
        counts = np.bincount(column.values[column.values >= 0], minlength=len(column.categories))
        names = [name for name, count in zip(column.categories, counts) if count]
        constant = len(names) < 2 and counts.sum() in (0, len(column))
        return {"kind": column.kind, "names": names, "size": 1 if constant else len(names) + 1}
    values = column.values[np.isfinite(column.values)].astype(np.float64)
    logarithm = column.kind == "price" and bool((values > 0).all())
    values = np.log(values) if logarithm else values
    if not len(values) or (values.min() == values.max() and len(values) == len(column)):
        return {"kind": "number", "size": 1}
    if quantiles is not None:
        edges = np.unique(np.quantile(values, np.arange(1, quantiles) / quantiles))
        return {"kind": "quantiles", "log": logarithm, "edges": edges, "size": len(edges) + 2}
    scale = float(values.std()) or 1.0
    return {"kind": "number", "log": logarithm, "mean": float(values.mean()), "scale": scale, "size": 2}


def _codes(how: Mapping[str, Any], column: Column) -> np.ndarray:
    """Return int32 (n,): the code of each row of a category column, or of numbers in quantiles."""
    if how["kind"] == "category":
        code = _code_of(how["names"], column.categories)
        return np.append(code, np.int32(0))[column.values]
    values, known = _numbers(how, column)
    return np.where(known, np.searchsorted(how["edges"], values, side="right") + 1, 0).astype(np.int32)


def _weights(how: Mapping[str, Any], column: Column) -> sp.csr_array:
    """Return float32 CSR (n, size): what each code weighs in each row of several categories, or of a number."""
    if how["kind"] == "number":
        values, known = _numbers(how, column)
        weights = np.where(known, (values - how["mean"]) / how["scale"], 1).astype(np.float32)
        return sp.csr_array((weights, known.astype(np.int32), np.arange(len(known) + 1)), shape=(len(known), 2))
    code = _code_of(how["names"], column.categories)
    has = column.indicators()
    there = code[has.indices] > 0
    kept = np.append(0, np.cumsum(there))[has.indptr]
    bags = sp.csr_array((has.data[there], code[has.indices[there]], kept), shape=(len(column), how["size"]))
    counts = np.diff(kept)
    bags.data /= np.repeat(counts, counts).astype(np.float32)
    empty = np.flatnonzero(counts == 0)
    missing = sp.coo_array((np.ones(len(empty), np.float32), (empty, np.zeros_like(empty))), shape=bags.shape)
    return sp.csr_array(bags + missing.tocsr())


def _numbers(how: Mapping[str, Any], column: Column) -> tuple[np.ndarray, np.ndarray]:
    """Return float64 (n,), the numbers or their logarithms, 0 where they are missing, and where they are there."""
    values = column.values.astype(np.float64)
    known = np.isfinite(values) & ((values > 0) if how["log"] else True)
    values = np.where(known, values, 1.0)
    return (np.log(values) if how["log"] else values), known


def _code_of(known: Sequence[str], categories: Sequence[str]) -> np.ndarray:
    """Return int32 (n_categories,): the code of each category, 0 for those that train did not have."""
    code = {name: number for number, name in enumerate(known, 1)}
    return np.array([code.get(name, 0) for name in categories], np.int32).reshape(-1)


def _nothing(n: int, size: int) -> sp.csr_array:
    """Return float32 CSR (n, size) in which each row has the code of what is missing."""
    ones, zeros = np.ones(n, np.float32), np.zeros(n, np.int32)
    return sp.csr_array((ones, zeros, np.arange(n + 1)), shape=(n, size))
