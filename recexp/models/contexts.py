"""Turns contexts that a person gives, {"weekday": "monday"}, into the typed columns that a model reads."""

import logging
import math
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np

from recexp.data import Column
from recexp.data.column import Kind
from recexp.errors import DataError, unknown

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


def seen(column: Column) -> Column:
    """Return a column without rows: the kind of one of train, and the categories that any of its rows has."""
    if column.kind not in ("category", "multi_category"):
        return _empty(column.kind, [])
    counts = np.bincount(column.values[column.values >= 0], minlength=len(column.categories))
    return _empty(column.kind, [name for name, count in zip(column.categories, counts) if count])


def pack(context: Mapping[str, Column]) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Return the kinds of columns without rows, see `seen`, by name, and their categories as arrays."""
    arrays = {f"context.{n}.names": np.array(column.categories, object) for n, column in enumerate(context.values())}
    return {name: column.kind for name, column in context.items()}, arrays


def unpack(kinds: Mapping[str, Kind], arrays: Mapping[str, np.ndarray]) -> dict[str, Column]:
    """Return what was packed. Raises ValueError or KeyError for what cannot have been."""
    if not isinstance(kinds, Mapping) or not all(kind in get_args(Kind) for kind in kinds.values()):
        raise ValueError(f"context must hold kinds of columns by name (got {kinds!r:.50})")
    names = [arrays[f"context.{number}.names"].tolist() for number in range(len(kinds))]
    return {name: _empty(kind, categories) for (name, kind), categories in zip(kinds.items(), names)}


def context_columns(given: "Iterable[Any] | pd.DataFrame", n: int, known: Mapping[str, Column]) -> dict[str, Column]:
    """Return columns of n rows, of the names that any of the n contexts has; what one lacks is missing.

    A context is a mapping of names to values, or None; a DataFrame has one a row. `known` are the columns that the
    model reads, see `seen`; a category that train did not have counts as missing, which a warning says. A model that
    reads none gets none, and a warning says that. Raises DataError for another name, a value of another kind, and
    another number of contexts.
    """
    contexts = [{} if context is None else context for context in _records(given)]
    if len(contexts) != n:
        raise DataError(f"{len(contexts)} contexts given for {n} users")
    if wrong := [context for context in contexts if not isinstance(context, Mapping)]:
        raise DataError(f"context: must name columns and their values (got {type(wrong[0]).__name__})")
    names = dict.fromkeys(name for context in contexts for name in context)
    if names and not known:
        log.warning("context: the model reads none, and %s changes nothing", ", ".join(map(str, names)))
        return {}
    if strange := [name for name in names if name not in known]:
        raise DataError(unknown("context", str(strange[0]), list(known)))
    return {name: _column(name, [context.get(name) for context in contexts], known[name]) for name in names}


def _empty(kind: Kind, categories: Sequence[str]) -> Column:
    """Return a column without rows."""
    dtype = {"text": object, "numeric": np.float32, "price": np.float32}.get(kind, np.int32)
    offsets = np.zeros(1, np.int64) if kind == "multi_category" else None
    return Column(kind, np.empty(0, dtype), tuple(categories), offsets)


def _records(given: "Iterable[Any] | pd.DataFrame") -> list[Any]:
    """Return contexts one by one, those of a DataFrame by row."""
    if hasattr(given, "to_dict"):
        return cast("list[Any]", given.to_dict("records"))
    return list(given)


def _column(name: str, values: list[Any], known: Column) -> Column:
    if known.kind in ("numeric", "price"):
        return Column.numeric([_number(name, value) for value in values], known.kind)
    rows = [value if isinstance(value, list | tuple) else [value] for value in values]
    named = [[_name(one) for one in some if not _is_missing(one)] for some in rows]
    had = set(known.categories)
    if new := dict.fromkeys(one for some in named for one in some if one not in had):
        log.warning("context: %s is not in train and counts as missing", reprlib.repr(f"{name}={next(iter(new))}"))
    kept = [[one for one in some if one in had] for some in named]
    if known.kind == "multi_category":
        return Column.multi_category(kept)
    if wrong := [some for some in rows if len(some) > 1]:
        raise DataError(f"context: {name} must be one category (got {wrong[0]!r})")
    return Column.category([some[0] if some else None for some in kept])


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _name(value: Any) -> str:
    """Return the name of a category; a whole number is written without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _number(name: str, value: Any) -> float:
    try:
        number = math.nan if value is None else float(value)
    except (TypeError, ValueError):
        number = math.inf
    if math.isinf(number):
        raise DataError(f"context: {name} must be a number (got {value!r})")
    return number
