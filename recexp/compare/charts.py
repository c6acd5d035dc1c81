"""Charts as inline SVG, which need nothing from outside, in colours for all eyes (Okabe and Ito)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from recexp.compare.axes import Axis, positions, shown

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#7A7A00", "#444444")
WIDTH, HEIGHT = 560, 340
_LETTER = 6.8
"""The mean width of a letter, in pixels."""


@dataclass(frozen=True)
class Point:
    """A model in a scatter plot."""

    label: str
    x: float
    y: float


def bars(rows: Sequence[tuple[str, float, float, float]]) -> str:
    """Draw (label, value, low, high), best first, as bars with their intervals (NaN for none)."""
    left = _room([label for label, *_ in rows])
    height, step = 44 + 22 * len(rows), 22
    ends = [end for _, value, low, high in rows for end in (value, low, high) if math.isfinite(end)]
    axis = Axis.of([0.0, *ends], left, WIDTH - 70)
    parts = [_x_axis(axis, 10, height - 24)]
    for place, (label, value, low, high) in enumerate(rows):
        y = 12 + place * step
        said = f"{label}: {value:.4f}" + (f" ({low:.4f} to {high:.4f})" if math.isfinite(low) else "")
        end = axis.at(value)
        parts.append(f"<g><title>{escape(said)}</title>" + _text(left - 8, y + 12, label, "end")
                     + _rect(min(axis.at(0), end), y + 2, abs(end - axis.at(0)), 14, COLOURS[0]))  # fmt: skip
        edge = end
        if math.isfinite(low):
            edge = axis.at(high)
            parts.append(_line(axis.at(low), y + 9, edge, y + 9, "ink"))
            parts += [_line(axis.at(x), y + 5, axis.at(x), y + 13, "ink") for x in (low, high)]
        parts.append(_text(max(edge, end) + 6, y + 13, f"{value:.4f}") + "</g>")
    return _svg(WIDTH, height, parts)


def scatter(points: Sequence[Point], x_name: str, y_name: str, *, log: bool = False, front: Sequence[int] = ()) -> str:
    """Draw models as points; `front` are the places of those that a dashed line joins."""
    x_axis = Axis.of([p.x for p in points], 62, WIDTH - 20, log=log)
    y_axis = Axis.of([p.y for p in points], HEIGHT - 46, 14)
    parts = [_x_axis(x_axis, 14, HEIGHT - 46, x_name), _y_axis(y_axis, 62, WIDTH - 20, y_name)]
    places = [(x_axis.at(p.x), y_axis.at(p.y)) for p in points]
    if len(front) > 1:
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in sorted(places[i] for i in front))
        parts.append(f'<polyline points="{joined}" class="front"/>')
    labels = positions(places, [p.label for p in points], _LETTER, WIDTH - 2, HEIGHT - 46)
    for number, (point, (x, y), where) in enumerate(zip(points, places, labels)):
        colour = COLOURS[0] if number in front or not front else "#8a8a8a"
        said = f"{point.label}: {y_name} {point.y:.4f}, {x_name} {shown(point.x)}"
        parts.append(f'<g><title>{escape(said)}</title><circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>')
        parts.append((_text(where[0], where[1], point.label) if where else "") + "</g>")
    return _svg(WIDTH, HEIGHT, parts)


def lines(
    series: Mapping[str, Sequence[tuple[float, float]]], x_name: str, y_name: str, groups: Sequence[str] = ()
) -> str:
    """Draw a line a model over (x, y); with `groups`, x are the places of these labels."""
    rows = math.ceil(len(series) / 3)
    top, bottom = 16 + 18 * rows, HEIGHT + 18 * rows - 46
    xs = [x for points in series.values() for x, _ in points]
    x_axis = Axis.of([-0.3, len(groups) - 0.7] if groups else xs, 62, WIDTH - 20, tight=True)
    y_axis = Axis.of([y for points in series.values() for _, y in points], bottom, top)
    parts = [_y_axis(y_axis, 62, WIDTH - 20, y_name), _line(62, bottom, WIDTH - 20, bottom, "axis")]
    if groups:
        parts += [_text(x_axis.at(place), bottom + 16, group, "middle") for place, group in enumerate(groups)]
        parts.append(_text((62 + WIDTH - 20) / 2, bottom + 36, x_name, "middle", "name"))
    else:
        parts.append(_x_axis(x_axis, top, bottom, x_name))
    for number, (label, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        at = [(x_axis.at(x), y_axis.at(y)) for x, y in points]
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        parts.append(f'<g><title>{escape(label)}</title><polyline points="{joined}" class="curve" stroke="{colour}"/>')
        if len(at) <= 30:
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in at]
        x, y = 62 + (number % 3) * 165, 12 + 18 * (number // 3)
        parts.append(_rect(x, y - 4, 14, 4, colour) + _text(x + 20, y + 3, _cut(label, 22)) + "</g>")
    return _svg(WIDTH, HEIGHT + 18 * rows, parts)


def critical_difference(
    labels: Sequence[str], ranks: np.ndarray, difference: float, groups: Sequence[Sequence[int]]
) -> str:  # fmt: skip
    """Draw mean ranks on a line, best left; bars join models that are not told apart (Demsar 2006, figure 1)."""
    k, half = len(labels), math.ceil(len(labels) / 2)
    side = _room([f"{label} (1.00)" for label in labels]) + 20
    width, line_y = 2 * side + 420, 70.0
    axis = Axis(1.0, float(max(k, 2)), side, width - side, False, [float(t) for t in range(1, k + 1)])
    base = line_y + 16 + 9 * len(groups)
    parts = [_line(axis.at(1), line_y, axis.at(k), line_y, "ink")]
    for tick in axis.ticks:
        parts.append(_line(axis.at(tick), line_y - 6, axis.at(tick), line_y, "ink"))
        parts.append(_text(axis.at(tick), line_y - 11, f"{tick:g}", "middle"))
    reach = min(difference, k - 1.0)
    parts.append(_line(axis.at(1), 22, axis.at(1 + reach), 22, "ink"))
    parts += [_line(axis.at(x), 17, axis.at(x), 27, "ink") for x in (1, 1 + reach)]
    parts.append(_text(axis.at(1 + reach / 2), 14, f"critical difference {difference:.2f}", "middle"))
    for place, (label, rank) in enumerate(zip(labels, ranks)):
        left = place < half
        y = base + 20 * (place if left else k - 1 - place) + 8
        x, end = axis.at(float(rank)), side - 10 if left else width - side + 10
        parts.append(f'<polyline points="{x:.1f},{line_y} {x:.1f},{y:.1f} {end:.1f},{y:.1f}" class="leader"/>')
        name = f"{label} ({rank:.2f})"
        parts.append(_text(end + (-5 if left else 5), y + 4, name, "end" if left else "start"))
    for level, group in enumerate(groups):
        first, last = axis.at(float(ranks[group[0]])) - 4, axis.at(float(ranks[group[-1]])) + 4
        parts.append(_line(first, line_y + 10 + 9 * level, last, line_y + 10 + 9 * level, "clique"))
    return _svg(width, base + 20 * half + 12, parts)


def _room(labels: Sequence[str]) -> float:
    return min(280.0, 16 + _LETTER * max(map(len, labels)))


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"


def _x_axis(axis: Axis, top: float, bottom: float, name: str = "") -> str:
    parts = [_line(axis.start, bottom, axis.stop, bottom, "axis")]
    for tick in axis.ticks:
        x = axis.at(tick)
        parts += [_line(x, top, x, bottom, "grid"), _text(x, bottom + 16, shown(tick), "middle")]
    return "".join([*parts, _text((axis.start + axis.stop) / 2, bottom + 36, name, "middle", "name")])


def _y_axis(axis: Axis, left: float, right: float, name: str) -> str:
    parts = []
    for tick in axis.ticks:
        y = axis.at(tick)
        parts += [_line(left, y, right, y, "grid"), _text(left - 6, y + 4, shown(tick), "end")]
    middle = (axis.start + axis.stop) / 2
    turned = f'transform="translate(14,{middle:.1f}) rotate(-90)" text-anchor="middle" class="name"'
    return "".join([*parts, f"<text {turned}>{escape(name)}</text>"])


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img">{"".join(parts)}</svg>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "label") -> str:
    shown_text = escape(_cut(text, 40))
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{shown_text}</text>'
