"""Mean ranks, and which of them do not differ significantly."""

import math
from collections.abc import Sequence

import numpy as np

from recexp.charts.axes import Axis
from recexp.charts.svg import Picture, label_width, line, polyline, text, with_tooltip

_LETTERS = 32
"""Of a longer name the rest is left out, so that there is room for the rank."""


def critical_difference(
    labels: Sequence[str], ranks: np.ndarray, difference: float, groups: Sequence[Sequence[int]]
) -> Picture:
    """Draw mean ranks best left; lines join models that do not differ significantly (Demsar 2006, figure 1)."""
    k, half = len(labels), math.ceil(len(labels) / 2)
    side = label_width([f"{label} (1.00)" for label in labels]) + 20
    width, line_y = 2 * side + 420, 70.0
    axis = Axis(1.0, float(max(k, 2)), side, width - side, False, [float(t) for t in range(1, k + 1)])
    base = line_y + 16 + 9 * len(groups)
    parts = [line(axis.pixel(1), line_y, axis.pixel(k), line_y, "ink")]
    for tick in axis.ticks:
        parts.append(line(axis.pixel(tick), line_y - 6, axis.pixel(tick), line_y, "ink"))
        parts.append(text(axis.pixel(tick), line_y - 11, f"{tick:g}", "middle"))
    reach = min(difference, k - 1.0)
    parts.append(line(axis.pixel(1), 22, axis.pixel(1 + reach), 22, "ink"))
    parts += [line(axis.pixel(x), 17, axis.pixel(x), 27, "ink") for x in (1, 1 + reach)]
    parts.append(text(axis.pixel(1 + reach / 2), 14, f"critical difference {difference:.2f}", "middle"))
    for number, (label, rank) in enumerate(zip(labels, ranks)):
        left = number < half
        y = base + 20 * (number if left else k - 1 - number) + 8
        x, end = axis.pixel(float(rank)), side - 10 if left else width - side + 10
        parts.append(polyline([(x, line_y), (x, y), (end, y)], "leader"))
        name = f"{label if len(label) <= _LETTERS else label[: _LETTERS - 1] + '…'} ({rank:.2f})"
        parts.append(with_tooltip(label, text(end + (-5 if left else 5), y + 4, name, "end" if left else "start")))
    for level, group in enumerate(groups):
        first, last = axis.pixel(float(ranks[group[0]])) - 4, axis.pixel(float(ranks[group[-1]])) + 4
        parts.append(line(first, line_y + 10 + 9 * level, last, line_y + 10 + 9 * level, "clique"))
    return Picture(width, base + 20 * half + 12, "".join(parts))
