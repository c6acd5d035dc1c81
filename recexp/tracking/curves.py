"""The learning curves of a run in the making."""

import re
from collections.abc import Mapping

from recexp.errors import DataError

_NAME, _MAX_STEP = re.compile(r"\w[\w\-. ]*", re.ASCII), 2**63
"""What the store takes as a name and as a step."""
Point = tuple[str, float, int, int]
"""A value of a metric: its name, the value, milliseconds since 1970, and the step."""


class Curves:
    """The points of learning curves so far, `points`, and which of them have been sent to the store."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self._n_sent = 0

    def add(self, step: int, values: Mapping[str, float], moment: int) -> None:
        """Add the values of a step; raises DataError for what is no point of a curve."""
        for name, value in values.items():
            if not (isinstance(name, str) and _NAME.fullmatch(name) and hasattr(value, "__float__")):
                raise DataError(
                    f"log_step: {name!r}: {value!r} is not valid; names consist of letters, digits, _ - . and "
                    "spaces, values are numbers"
                )
        if not abs(int(step)) < _MAX_STEP:
            raise DataError(f"log_step: step {step} is too large; it must fit in 64 bits")
        self.points += [(f"training/{name}", float(value), moment, int(step)) for name, value in values.items()]

    def unsent(self) -> list[Point]:
        """Return the points that have not been sent, which are taken to be sent now."""
        unsent = self.points[self._n_sent :]
        self._n_sent = len(self.points)
        return unsent

    def by_name(self) -> dict[str, list[tuple[int, float]]]:
        """Return the curves: (step, value) pairs by name."""
        curves: dict[str, list[tuple[int, float]]] = {}
        for name, value, _, step in self.points:
            curves.setdefault(name.removeprefix("training/"), []).append((step, value))
        return curves
