"""What charts are made of: text, lines, boxes and axes. Colors are those of Okabe and Ito (2008)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from recexp.charts.axes import Axis, format_number

COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#7A7A00", "#444444")
WIDTH, HEIGHT = 560, 340
LETTER = 6.8
"""The mean width of a letter, in pixels."""
LETTERS = 40
"""Of longer words the rest is left out."""
_HEAD = 34
_STYLE = """
.chart { max-width: 100%; height: auto; display: block; font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
.chart text { fill: #1c2430; } .chart .name { fill: #5b6675; } .chart .title { font-size: 15px; font-weight: 600; }
.chart .grid { stroke: #e8ebef; } .chart .axis { stroke: #9aa4b1; } .chart .ink { stroke: #1c2430; stroke-width: 1.4; }
.chart .front { fill: none; stroke: #0072B2; stroke-dasharray: 5 4; } .chart .curve { fill: none; stroke-width: 1.8; }
.chart .leader { fill: none; stroke: #5b6675; stroke-width: .8; } .chart .spread { stroke: #8a8a8a; stroke-width: 1.4; }
.chart .halo { paint-order: stroke; stroke: #fff; stroke-width: 3px; stroke-linejoin: round; }
.chart .clique { stroke: #1c2430; stroke-width: 4; stroke-linecap: round; }
"""


@dataclass(frozen=True)
class Picture:
    """A drawing of so many pixels; as text it is an element of an HTML page."""

    width: float
    height: float
    body: str

    def __str__(self) -> str:
        return _svg("", self.width, self.height, self.body)

    def file(self, title: str) -> str:
        """Return a file of its own, on white and under a title."""
        head = f'<rect width="100%" height="100%" fill="#fff"/>{text(14, 22, title, kind="title", limit=90)}'
        moved = f'<g transform="translate(0,{_HEAD})">{self.body}</g>'
        xmlns = ' xmlns="http://www.w3.org/2000/svg"'
        return _svg(xmlns, self.width, self.height + _HEAD, head + moved) + "\n"


def stacked(pictures: Sequence[Picture | None]) -> Picture | None:
    """Return pictures one above another, None for none."""
    height, width, parts = 0.0, 0.0, []
    for picture in filter(None, pictures):
        parts.append(f'<g transform="translate(0,{height:.0f})">{picture.body}</g>')
        height, width = height + picture.height, max(width, picture.width)
    return Picture(width, height, "".join(parts)) if parts else None


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Draw from one point to another; `kind` is a class of the style."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def polyline(points: Sequence[tuple[float, float]], kind: str, rest: str = "") -> str:
    """Draw through all points; `rest` are more attributes."""
    return f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" class="{kind}"{rest}/>'


def box(x: float, y: float, width: float, height: float, color: str) -> str:
    """Fill a rectangle."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{color}"/>'


def dot(x: float, y: float, radius: float, color: str) -> str:
    """Fill a circle."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{color}"/>'


def text(x: float, y: float, words: str, anchor: str = "start", kind: str = "label", limit: int = LETTERS) -> str:
    """Write at most `limit` letters on the line y; `anchor` says which part of the words is at x."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(_cut(words, limit))}</text>'


def rotated_text(x: float, y: float, words: str, turn: int = -90, anchor: str = "middle") -> str:
    """Write turned by so many degrees."""
    at = f'transform="translate({x:.1f},{y:.1f}) rotate({turn})" text-anchor="{anchor}"'
    return f'<text {at} class="name">{escape(_cut(words))}</text>'


def with_tooltip(words: str, parts: str) -> str:
    """Say `words` where the pointer rests on the parts."""
    return f"<g><title>{escape(_cut(words, 200))}</title>{parts}</g>"


def label_width(labels: Sequence[str]) -> float:
    """Return the width that labels take, and a gap."""
    return min(280.0, 16 + LETTER * max(map(len, labels)))


def legend(labels: Sequence[str], left: float) -> tuple[list[str], float]:
    """Draw the name and color of each series at the top, in up to three columns; return them and the height of all."""
    wide = 40 + LETTER * min(max(map(len, labels)), LETTERS)
    columns = max(1, min(3, int((WIDTH - left) / wide)))
    drawn = []
    for number, label in enumerate(labels):
        x, y = left + (number % columns) * wide, 12 + 18 * (number // columns)
        drawn.append(box(x, y - 4, 14, 4, COLORS[number % len(COLORS)]) + text(x + 20, y + 3, label))
    return drawn, 18.0 * math.ceil(len(labels) / columns)


def x_axis(axis: Axis, top: float, bottom: float, name: str = "") -> str:
    """Draw a horizontal axis at the bottom, its grid up to the top, and its name."""
    parts = [line(axis.start, bottom, axis.stop, bottom, "axis")]
    for tick in axis.ticks:
        x = axis.pixel(tick)
        parts += [line(x, top, x, bottom, "grid"), text(x, bottom + 18, format_number(tick), "middle")]
    return "".join([*parts, text((axis.start + axis.stop) / 2, bottom + 36, name, "middle", "name")])


def y_axis(axis: Axis, left: float, right: float, name: str) -> str:
    """Draw the grid of a vertical axis, its numbers to the left of it, and its name."""
    parts = []
    for tick in axis.ticks:
        y = axis.pixel(tick)
        parts += [line(left, y, right, y, "grid"), text(left - 6, y + 4, format_number(tick), "end")]
    return "".join([*parts, rotated_text(14, (axis.start + axis.stop) / 2, name)])


def _cut(words: str, limit: int = LETTERS) -> str:
    """Return words that are not too long, without control characters, which XML may not hold."""
    words = "".join(letter if letter.isprintable() else " " for letter in words)
    return words if len(words) <= limit else words[: limit - 1] + "…"


def _svg(attributes: str, width: float, height: float, body: str) -> str:
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    return f'<svg{attributes} {size} class="chart" role="img"><style>{_STYLE}</style>{body}</svg>'
