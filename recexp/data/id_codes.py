"""Which user or item an id from outside means: one rule for the command line, Python, a served model and files."""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

_DECIMAL = re.compile(r"0|-?[1-9][0-9]{0,19}")


class IdCodes:
    """Codes of the ids of one side, by whatever a person or a program gives for an id.

    An id that is an integer is matched by an integer (not by a bool), by the same number as decimal text (not by 007,
    1_96 or +5), and by a whole float so small that no other integer is rounded to it. An id that is text is matched by
    the same text alone.

    Parameters
    ----------
    ids : (n,), integers, or text (dtype object); an id's code is its position.
    """

    def __init__(self, ids: np.ndarray) -> None:
        self._codes = {one: code for code, one in enumerate(ids.tolist())}
        self._text = ids.dtype == object

    def code(self, value: Any) -> int:
        """Return the code of the id that `value` means, -1 where it means none."""
        if self._text:
            return self._codes.get(value, -1) if isinstance(value, str) else -1
        return self._codes.get(_integer(value), -1)

    def codes(self, values: Iterable[Any]) -> np.ndarray:
        """Return int32 (m,): the code of each of m values, as `code` does."""
        return np.fromiter(map(self.code, values), np.int32)


def _integer(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value) if _DECIMAL.fullmatch(value) else None
    if isinstance(value, float | np.floating):
        exact = 2 ** (np.finfo(type(value)).nmant + 1)  # from here on, neighboring integers are one float
        return int(value) if abs(value) < exact and value == int(value) else None
    if isinstance(value, int | np.integer) and not isinstance(value, bool | np.timedelta64):
        return int(value)
    return None


def may_hold_ids(given: Any) -> bool:
    """Whether something may be a list of ids: no text, whose letters are no ids, nothing else that is one, no table."""
    return isinstance(given, Iterable) and not isinstance(given, str | bytes) and getattr(given, "ndim", 1) == 1
