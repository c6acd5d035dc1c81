"""What a served model is asked, whatever MLflow has made of the request: checked, as Python values."""

import json
import math
import reprlib
from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import INTERNAL_ERROR, INVALID_PARAMETER_VALUE, MlflowException

MAX_ITEMS = 1000
PRICES = ("price_from", "price_to")


class Failure(MlflowException):
    """What a server answers in one line, with status 500: MLflow's would begin with the request's data."""

    code = INTERNAL_ERROR

    def __init__(self, line: str) -> None:
        self.line = " ".join(line.split())
        super().__init__(self.line, error_code=self.code)

    @property
    def message(self) -> str:
        return self.line

    @message.setter
    def message(self, longer: str) -> None:
        pass


class BadRequest(Failure):
    """The same with status 400: what was asked cannot be answered."""

    code = INVALID_PARAMETER_VALUE


def number_of_items(params: dict[str, Any] | None) -> int:
    """Return the parameter k, 10 where it is null or absent."""
    k = (params or {}).get("k")
    if k is None:
        return 10
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= MAX_ITEMS:
        raise BadRequest(f"k must be between 1 and {MAX_ITEMS} (got {reprlib.repr(k)})")
    return int(k)


def prices(params: dict[str, Any] | None) -> tuple[float | None, float | None]:
    """Return the parameters price_from and price_to, None for one that is null or absent."""
    low, high = ((params or {}).get(name) for name in PRICES)
    for name, bound in zip(PRICES, (low, high)):
        number = isinstance(bound, int | float | np.number) and not isinstance(bound, bool) and math.isfinite(bound)
        if bound is not None and not number:
            raise BadRequest(f"{name} must be a number (got {reprlib.repr(bound)})")
    return low, high


def columns(table: pd.DataFrame) -> tuple[list[Any], list[list[Any] | None], list[dict[str, Any] | None]]:
    """Return the user of each row, None where there is none, and the history and the context, or None."""
    names = [str(name) for name in table.columns]
    who = {"user_id", "history"}
    if not who & set(names) or set(names) - who - {"context"} or len(set(names)) < len(names):
        raise BadRequest(
            f"the columns must be user_id, history or both (got {', '.join(names) or 'none of them'}), with context "
            "where the model reads it"
        )
    absent = [None] * len(table)
    users, histories, contexts = (
        table[name].tolist() if name in names else absent for name in ("user_id", "history", "context")
    )
    return (
        [_user(value, row) for row, value in enumerate(users, 1)],
        [_history(value, row) for row, value in enumerate(histories, 1)],
        [_context(value, row) for row, value in enumerate(contexts, 1)],
    )


def _user(value: Any, row: int) -> Any:
    if _is_null(value):
        return None
    if not isinstance(value, str | bool | int | float | np.number | np.bool_) or value in (math.inf, -math.inf):
        raise BadRequest(f"user_id: row {row} is not an id: {reprlib.repr(value)}; ids are numbers or text")
    return value


def _history(value: Any, row: int) -> list[Any] | None:
    """Return a history: a list, or, as csv has it, the text of a json list."""
    if _is_null(value):
        return None
    items = _decoded(value)
    items = items.tolist() if isinstance(items, np.ndarray) else items
    if not isinstance(items, list | tuple) or any(isinstance(item, list | tuple | dict | np.ndarray) for item in items):
        raise BadRequest(f"history: row {row} is not a list of item ids: {reprlib.repr(value)}")
    return [None if _is_null(item) else item for item in items]


def _context(value: Any, row: int) -> dict[str, Any] | None:
    """Return a context: an object of names and values, or the text of one."""
    if _is_null(value):
        return None
    found = _decoded(value)
    if not isinstance(found, dict):
        raise BadRequest(f"context: row {row} is not an object of names and values: {reprlib.repr(value)}")
    return found


def _decoded(value: Any) -> Any:
    """Return what the text of json stands for, None where it is no json; other values as they are."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _is_null(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)
