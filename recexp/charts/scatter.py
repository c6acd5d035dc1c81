"""Points with names."""

from collections.abc import Sequence
from dataclasses import dataclass

from recexp.charts.axes import Axis, format_number, label_positions
from recexp.charts.svg import COLORS, HEIGHT, LETTER, WIDTH, Picture, dot, polyline, text, with_tooltip, x_axis, y_axis


@dataclass(frozen=True)
class Point:
    """A model in a scatter plot."""

    label: str
    x: float
    y: float


def scatter(
    points: Sequence[Point], x_name: str, y_name: str, *, log: bool = False, front: Sequence[int] = ()
) -> Picture:
    """Draw models as points; `front` are the indices of those that a dashed line joins."""
    across = Axis.of([p.x for p in points], 62, WIDTH - 20, log=log)
    up = Axis.of([p.y for p in points], HEIGHT - 46, 14)
    parts = [x_axis(across, 14, HEIGHT - 46, x_name), y_axis(up, 62, WIDTH - 20, y_name)]
    pixels = [(across.pixel(p.x), up.pixel(p.y)) for p in points]
    if len(front) > 1:
        parts.append(polyline(sorted(pixels[i] for i in front), "front"))
    labels = label_positions(pixels, [p.label for p in points], LETTER, WIDTH - 2, HEIGHT - 46)
    for number, (point, (x, y), where) in enumerate(zip(points, pixels, labels)):
        color = COLORS[0] if number in front or not front else "#8a8a8a"
        tooltip = f"{point.label}: {y_name} {point.y:.4f}, {x_name} {format_number(point.x)}"
        parts.append(with_tooltip(tooltip, dot(x, y, 5, color) + (text(*where, point.label) if where else "")))
    return Picture(WIDTH, HEIGHT, "".join(parts))
