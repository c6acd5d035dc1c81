"""Turns contexts that a person gives, {"weekday": "monday"}, into the typed columns that a model reads."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from recexp.data import Column
from recexp.data.column import Kind
from recexp.errors import DataError, unknown


def context_columns(given: Iterable[Any], n: int, kinds: Mapping[str, Kind]) -> dict[str, Column]:
    """Return columns of n rows, of the names that any of the n contexts has; what one lacks is missing.

    A context is a mapping of names to values, or None. `kinds` are those of the columns that the model reads. Raises
    DataError for another name, a value of another kind, and another number of contexts.
    """
    contexts = [context or {} for context in given]
    if len(contexts) != n:
        raise DataError(f"{len(contexts)} contexts given for {n} users")
    for context in contexts:
        if not isinstance(context, Mapping):
            raise DataError(f"context: must name columns and their values (got {type(context).__name__})")
        if strange := [name for name in context if name not in kinds]:
            if not kinds:
                raise DataError(f"context: the model reads none (got {strange[0]})")
            raise DataError(unknown("context", str(strange[0]), list(kinds)))
    names = dict.fromkeys(name for context in contexts for name in context)
    return {name: _column(name, [context.get(name) for context in contexts], kinds[name]) for name in names}


def _column(name: str, values: list[Any], kind: Kind) -> Column:
    if kind in ("numeric", "price"):
        return Column.numeric([_number(name, value) for value in values], kind)
    if kind == "multi_category":
        lists = [value if isinstance(value, list | tuple) else [] if value is None else [value] for value in values]
        return Column.multi_category([[_name(one) for one in some] for some in lists])
    return Column.category([None if value is None else _name(value) for value in values])


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
