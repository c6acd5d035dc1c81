"""Lines over steps."""

import math
from collections.abc import Collection, Mapping, Sequence

from recexp.charts import svg
from recexp.charts.axes import Axis
from recexp.charts.svg import COLORS, HEIGHT, WIDTH, Picture, polyline

_DOTS = 30
"""A line of no more points shows them."""


def lines(
    series: Mapping[str, Sequence[tuple[float, float]]], x_name: str, y_name: str, dots: Collection[str] = ()
) -> Picture | None:
    """Draw (x, y) points by name, joined unless their name is in `dots`.

    Points that are not finite are left out, and so are names without points; None where nothing is left.
    """
    finite = {name: [point for point in points if all(map(math.isfinite, point))] for name, points in series.items()}
    series = {name: points for name, points in finite.items() if points}
    if not series:
        return None
    labels, head = svg.legend(list(series), 62)
    top, bottom = 16 + head, HEIGHT + head - 46
    across = Axis.of([x for points in series.values() for x, _ in points], 62, WIDTH - 20, tight=True)
    up = Axis.of([y for points in series.values() for _, y in points], bottom, top)
    parts = [svg.y_axis(up, 62, WIDTH - 20, y_name), svg.x_axis(across, top, bottom, x_name)]
    for number, (label, points) in enumerate(series.items()):
        color = COLORS[number % len(COLORS)]
        at = [(across.pixel(x), up.pixel(y)) for x, y in points]
        drawn = "" if label in dots else polyline(at, "curve", f' stroke="{color}"')
        if label in dots or (len(at) <= _DOTS and not dots):
            drawn += "".join(svg.dot(x, y, 3, color) for x, y in at)
        parts.append(svg.with_tooltip(label, drawn + labels[number]))
    return Picture(WIDTH, HEIGHT + head, "".join(parts))
