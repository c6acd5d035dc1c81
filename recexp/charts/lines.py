"""Lines over steps or groups."""

import math
from collections.abc import Collection, Mapping, Sequence

from recexp.charts import svg
from recexp.charts.axes import Axis
from recexp.charts.svg import COLORS, HEIGHT, LETTER, WIDTH, Picture, polyline, text

_DOTS = 30
"""A line of no more points shows them."""


def lines(
    series: Mapping[str, Sequence[tuple[float, float]]],
    x_name: str,
    y_name: str,
    groups: Sequence[str] = (),
    dots: Collection[str] = (),
) -> Picture | None:
    """Draw (x, y) points by name, joined unless their name is in `dots`; with `groups`, x are their places.

    Points that are not finite are left out, and so are names without points; None where nothing is left.
    """
    finite = {name: [point for point in points if all(map(math.isfinite, point))] for name, points in series.items()}
    series = {name: points for name, points in finite.items() if points}
    if not series:
        return None
    wide = 40 + LETTER * min(max(map(len, series)), svg.LETTERS)
    columns = max(1, min(3, int((WIDTH - 62) / wide)))
    rows = math.ceil(len(series) / columns)
    top, bottom = 16 + 18 * rows, HEIGHT + 18 * rows - 46
    xs = [x for points in series.values() for x, _ in points]
    across = Axis.of([-0.3, len(groups) - 0.7] if groups else xs, 62, WIDTH - 20, tight=True)
    up = Axis.of([y for points in series.values() for _, y in points], bottom, top)
    parts = [svg.y_axis(up, 62, WIDTH - 20, y_name), svg.line(62, bottom, WIDTH - 20, bottom, "axis")]
    if groups:
        parts += [text(across.pixel(number), bottom + 16, group, "middle") for number, group in enumerate(groups)]
        parts.append(text((62 + WIDTH - 20) / 2, bottom + 36, x_name, "middle", "name"))
    else:
        parts.append(svg.x_axis(across, top, bottom, x_name))
    for number, (label, points) in enumerate(series.items()):
        color = COLORS[number % len(COLORS)]
        at = [(across.pixel(x), up.pixel(y)) for x, y in points]
        drawn = "" if label in dots else polyline(at, "curve", f' stroke="{color}"')
        if label in dots or (len(at) <= _DOTS and not dots):
            drawn += "".join(svg.dot(x, y, 3, color) for x, y in at)
        x, y = 62 + (number % columns) * wide, 12 + 18 * (number // columns)
        parts.append(svg.with_tooltip(label, drawn + svg.box(x, y - 4, 14, 4, color) + text(x + 20, y + 3, label)))
    return Picture(WIDTH, HEIGHT + 18 * rows, "".join(parts))
