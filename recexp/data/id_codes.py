"""Which user or item an external id means: one rule for the command line, Python, a served model and files."""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

_DECIMAL = re.compile(r"0|-?[1-9][0-9]{0,19}")
_PADDED = re.compile(r"\s*0*([0-9]{1,20})(\.0+)?\s*", re.ASCII)


class IdCodes:
    """Maps ids of users or items, as a person or a program gives them, to codes.

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

    def near(self, value: Any) -> int | str | None:
        """Return the id that is the same number as `value`, which means none: 007 for 7; None where there is none."""
        number = _number(value)
        return None if number is None else self._by_number.get(number)

    def hint(self, value: Any) -> str:
        """Return the question whether such an id is meant, for a message: ` (did you mean '007'?)`; else nothing."""
        near = self.near(value) if self.code(value) < 0 else None
        return "" if near is None else f" (did you mean {near!r}?)"

    @cached_property
    def _by_number(self) -> dict[str | None, int | str]:
        """The first id that is each number."""
        return {_number(one): one for one in reversed(self._codes)}


def _number(value: Any) -> str | None:
    """Return the digits of a number from 0, or of text that is one, without zeros before or behind; None of others."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | np.integer | np.floating):
        return None
    found = _PADDED.fullmatch(str(value)[:100])
    return None if found is None else found[1]


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
    """Whether a value may be a list of ids: it is iterable, but no text, whose letters are no ids, and no table."""
    return isinstance(given, Iterable) and not isinstance(given, str | bytes) and getattr(given, "ndim", 1) == 1
