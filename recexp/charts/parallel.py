"""Parallel coordinates."""

from collections.abc import Mapping, Sequence

from recexp.charts.svg import COLORS, HEIGHT, WIDTH, Picture, label_width, line, polyline, rotated_text, text

_BOTTOM = 110
"""Pixels for the names below the axes."""


def parallel(heights: Sequence[Sequence[float]], names: Sequence[str], ticks: Sequence[Mapping[float, str]]) -> Picture:
    """Draw a line each over an axis a name, from 0 to 1: the later the darker, the last in another color.

    Parameters
    ----------
    heights : of each line, on each axis.
    names, ticks : of each axis; ticks are labels by height.
    """
    top, bottom = 18, HEIGHT - 20
    left = max(40.0, 0.82 * label_width(names[:1]))  # the first name leans to the left of its axis
    at = [left + number * (WIDTH - left - 70) / max(1, len(names) - 1) for number in range(len(names))]
    parts = []
    for x, name, marks in zip(at, names, ticks):
        parts += [line(x, top, x, bottom, "axis"), rotated_text(x + 4, bottom + 16, name, -35, "end")]
        parts += [
            text(x + 4, bottom + (top - bottom) * height - 3, mark, kind="name") for height, mark in marks.items()
        ]
    for number, values in enumerate(heights):
        last = number == len(heights) - 1
        share = 0.15 + 0.85 * number / max(1, len(heights) - 1)
        style = f' stroke="{COLORS[1 if last else 0]}" stroke-opacity="{share:.2f}"'
        points = [(x, bottom + (top - bottom) * height) for x, height in zip(at, values)]
        parts.append(polyline(points, "curve", style))
    return Picture(WIDTH, HEIGHT + _BOTTOM - 20, "".join(parts))
