"""Checks and converts the arguments of metric calls in Python: lists of ids, tables by id, ratings."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Set
from typing import Any

import numpy as np

from recexp.data.id_codes import may_hold_ids
from recexp.errors import ConfigError, DataError


def ids_of(given: Any, name: str, *, ranked: bool = False) -> list[Hashable]:
    """Return the ids of any iterable of ids, in its order.

    Raises ConfigError for a value that is not a list of ids (a string, a table), or that has no order if `ranked`, and
    DataError for None or NaN among the ids; `name` is the argument's name in the message.
    """
    if not may_hold_ids(given) or (ranked and isinstance(given, Mapping | Set)):
        raise ConfigError(f"{name} must be a list of ids{', best first' * ranked} (got {type(given).__name__})")
    found = list(given)
    for place, item in enumerate(found, 1):
        if not isinstance(item, Hashable):
            raise ConfigError(f"{name} must be a list of ids (got {type(item).__name__} as number {place})")
        if item is None or (isinstance(item, float) and item != item):
            raise DataError(f"{name}: number {place} is {item}, which is not an id")
    return found


def id_lists_of(given: Any, name: str) -> list[list[Hashable]]:
    """Return lists of ranked ids, one per user, from any iterable except a mapping or a table. Raises as `ids_of`."""
    table = getattr(given, "ndim", 1) == 2 and not isinstance(given, np.ndarray)
    if isinstance(given, str | bytes | Mapping | Set) or not isinstance(given, Iterable) or table:
        raise ConfigError(f"{name} must be a list of lists of ids, one per user (got {type(given).__name__})")
    return [ids_of(ranked, f"{name}[{row}]", ranked=True) for row, ranked in enumerate(given)]


def lists_by_id(table: Any, name: str) -> dict[Hashable, list[Any]]:
    """Return a mapping or pandas Series from ids to collections as a dict of lists; {} for None.

    Raises ConfigError for any other type and for a duplicate id; `name` is the argument's name in the message.
    """
    if table is None:
        return {}
    if not hasattr(table, "items") or getattr(table, "ndim", 1) != 1:
        raise ConfigError(f"{name} must map each id to a list, as a dict or a pandas Series of lists does")
    pairs = list(table.items())
    if len(dict(pairs)) < len(pairs):
        twice = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        raise ConfigError(f"{name} holds {twice!r} twice; give one list per id: series.groupby(level=0).agg(list)")
    return {key: ids_of(values, f"{name}[{key!r}]") for key, values in pairs}


def ratings_of(given: Any, name: str) -> np.ndarray:
    """Return float64 (m,); raises DataError unless there is one finite number per row."""
    try:
        found = np.asarray(list(given) if isinstance(given, Iterator) else given, np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{name}: ratings must be finite numbers, one per row") from None
    if found.ndim != 1:
        raise DataError(f"{name}: ratings must be one per row (got {found.ndim} dimensions)")
    if not np.isfinite(found).all():
        row = int(np.argmin(np.isfinite(found)))
        raise DataError(f"{name}: row {row + 1} is {found[row]}; ratings must be finite numbers")
    return found
