"""Points with names."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from recexp.charts.axes import Axis, format_number, label_positions
from recexp.charts.svg import (
    COLORS,
    HEIGHT,
    LETTER,
    LETTERS,
    WIDTH,
    Picture,
    dot,
    line,
    polyline,
    text,
    with_tooltip,
    x_axis,
    y_axis,
)

_BESIDE = 12
"""Pixels between a point and a label that needs no line to it."""


@dataclass(frozen=True)
class Point:
    """A model in a scatter plot; a thin line reaches as far as x has been, `most_x`."""

    label: str
    x: float
    y: float
    most_x: float | None = None


def scatter(
    points: Sequence[Point],
    x_name: str,
    y_name: str,
    *,
    log: bool = False,
    best: Sequence[int] | None = None,
    front: bool = True,
) -> Picture:
    """Draw models as points; `best` are the indices of those that stand out, which a dashed line joins as a `front`."""
    reach = [p.x if p.most_x is None else p.most_x for p in points]
    across = Axis.of([*(p.x for p in points), *reach], 62, WIDTH - 20, log=log)
    up = Axis.of([p.y for p in points], HEIGHT - 46, 14)
    parts = [x_axis(across, 14, HEIGHT - 46, x_name), y_axis(up, 62, WIDTH - 20, y_name)]
    pixels = [(across.pixel(p.x), up.pixel(p.y)) for p in points]
    joined = sorted(pixels[i] for i in best or ()) if front else []
    if len(joined) > 1:
        parts.append(polyline(joined, "front"))
    ends = [across.pixel(most) for most in reach]
    parts += [line(x, y, end, y, "spread") for (x, y), end in zip(pixels, ends) if end > x]
    labels = label_positions(pixels, [p.label for p in points], LETTER, WIDTH - 2, HEIGHT - 46, ends, joined)
    for number, (point, (x, y), where) in enumerate(zip(points, pixels, labels)):
        color = COLORS[0] if best is None or number in best else "#8a8a8a"
        until = "" if point.most_x is None else f" to {format_number(point.most_x)}"
        tooltip = f"{point.label}: {y_name} {point.y:.4f}, {x_name} {format_number(point.x)}{until}"
        leader = "" if where is None else _leader(x, y, *where, point.label)
        drawn = dot(x, y, 5, color) + (text(*where, point.label, kind="halo") if where else "")
        parts.append(with_tooltip(tooltip, leader + drawn))
    return Picture(WIDTH, HEIGHT, "".join(parts))


def _leader(x: float, y: float, left: float, base: float, label: str) -> str:
    """Join a point to its label where that is not beside it."""
    right, middle = left + LETTER * min(len(label), LETTERS), base - 4
    end = min(max(x, left), right), min(max(y, middle - 5), middle + 6)
    return "" if math.dist((x, y), end) <= _BESIDE else line(x, y, *end, "leader")
