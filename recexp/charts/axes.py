"""Axes and positions of labels: the arithmetic of charts."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

_TICKS = 5
_RINGS = 14
"""How far from its point a label may lie, in lines of text."""
_ALIKE = 1e-9
"""Values that differ by less, as a share, differ in rounding alone."""


@dataclass(frozen=True)
class Axis:
    """Where values from `low` to `high` lie between the pixels `start` and `stop`."""

    low: float
    high: float
    start: float
    stop: float
    log: bool
    ticks: list[float]

    @staticmethod
    def of(values: Sequence[float], start: float, stop: float, *, log: bool = False, tight: bool = False) -> "Axis":
        """Return an axis that holds all values, which are finite (on a `log` one above 0), with round ticks.

        `tight` ends at the outermost values.
        """
        low, high = min(values), max(values)
        if high - low <= _ALIKE * max(abs(low), abs(high)):
            low = high
        if log:
            first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
            last = max(last, first + 1)
            return Axis(10.0**first, 10.0**last, start, stop, True, [10.0**e for e in range(first, last + 1)])
        step = _round_step((high - low) / _TICKS or abs(high) / _TICKS or 1.0)
        first, last = math.floor(low / step), math.ceil(high / step)
        if last == first:
            last += 1
        ticks = [number * step for number in range(first, last + 1)]
        if tight and high > low:
            return Axis(low, high, start, stop, False, [tick for tick in ticks if low <= tick <= high])
        return Axis(first * step, last * step, start, stop, False, ticks)

    def pixel(self, value: float) -> float:
        """Return the pixel of a value."""
        low, high, value = map(math.log10, (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        return self.start + (value - low) / (high - low) * (self.stop - self.start)


def format_number(value: float) -> str:
    """Return a number as it stands at a tick."""
    return "0" if abs(value) < 1e-12 else f"{value:.4g}"


def label_positions(
    points: Sequence[tuple[float, float]],
    labels: Sequence[str],
    letter: float,
    width: float,
    height: float,
    reach: Sequence[float] = (),
    curve: Sequence[tuple[float, float]] = (),
) -> list[tuple[float, float] | None]:
    """Return where the label of each point begins, as near as is clear of points and other labels; None: nowhere.

    `reach` are the x to which a line goes from each point, `curve` the points that another line joins.
    """
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in points]
    taken += [(x, y - 3, end, y + 3) for (x, y), end in zip(points, reach)]
    taken += [(x - 3, y - 3, x + 3, y + 3) for x, y in _along(curve)]
    found: list[tuple[float, float] | None] = []
    for (x, y), label in zip(points, labels):
        length = letter * min(len(label), 40)
        for left, base in _places(x, y, length):
            box = (left - 3, base - 11, left + length + 3, base + 4)
            inside = box[0] >= 58 and box[2] <= width and box[1] >= 0 and box[3] <= height
            if inside and not any(_meet(box, other) for other in taken):
                taken.append(box)
                found.append((left, base))
                break
        else:
            found.append(None)
    return found


def _places(x: float, y: float, length: float) -> Iterator[tuple[float, float]]:
    """Yield where a label may begin, the best first: beside the point, above and below, then in rings around it."""
    yield from [(x + 9, y + 4), (x - 9 - length, y + 4), (x - length / 2, y - 10), (x - length / 2, y + 19)]
    for ring in range(1, _RINGS):
        across, up = 9 + 12 * ring, 14 * ring
        for lift in (-up, up):
            yield from [(x + 9, y + 4 + lift), (x - 9 - length, y + 4 + lift), (x - length / 2, y + 4 + lift)]
        for rise in (-up / 2, up / 2, 0.0):
            yield from [(x + across, y + 4 + rise), (x - across - length, y + 4 + rise)]


def _along(curve: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Yield points on the lines that join those of a curve, at most a few pixels apart."""
    for (x, y), (right, end) in pairwise(curve):
        steps = math.ceil(math.dist((x, y), (right, end)) / 5)
        yield from ((x + (right - x) * step / steps, y + (end - y) * step / steps) for step in range(1, steps))


def _meet(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= step * 0.999)
