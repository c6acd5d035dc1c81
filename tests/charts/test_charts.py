"""What is drawn lies where the numbers say, by hand: 560 pixels wide, axes from round tick to round tick."""

import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from recexp import charts
from recexp.charts import Picture, Point
from recexp.charts.axes import Axis

SVG = "{http://www.w3.org/2000/svg}"
BLUE, ORANGE = "#0072B2", "#E69F00"
LEFT, RIGHT = 62, 540
"""The pixels between which x lies in charts of points."""


def parsed(picture: Picture | None) -> ET.Element:
    assert picture is not None
    return ET.fromstring(picture.file("title"))


def of(picture: ET.Element, tag: str, kind: str | None = None) -> list[ET.Element]:
    return [e for e in picture.iter(f"{SVG}{tag}") if kind is None or e.get("class") == kind]


def points(polyline: ET.Element) -> list[tuple[float, float]]:
    return [tuple(map(float, pair.split(","))) for pair in polyline.attrib["points"].split()]


def at(element: ET.Element, *names: str) -> list[float]:
    return [float(element.attrib[name]) for name in names]


def texts(picture: ET.Element) -> dict[str, ET.Element]:
    return {str(e.text): e for e in of(picture, "text")}


def test_axes_end_at_round_ticks() -> None:
    axis = Axis.of([0.12, 0.31], 100, 200)
    assert axis.ticks == pytest.approx([0.10, 0.15, 0.20, 0.25, 0.30, 0.35])
    assert [axis.pixel(value) for value in (0.10, 0.225, 0.35)] == pytest.approx([100, 150, 200])
    log = Axis.of([0.02, 5], 0, 300, log=True)
    assert log.ticks == [0.01, 0.1, 1, 10] and [log.pixel(value) for value in log.ticks] == pytest.approx(
        [0, 100, 200, 300]
    )
    assert Axis.of([3.0, 3.0], 0, 100).pixel(3.0) in (0, 100)
    assert len(Axis.of([0.1 + 0.2, 0.3], 0, 100).ticks) > 1  # one bit apart
    tight = Axis.of([1, 4], 0, 30, tight=True)
    assert (tight.pixel(1), tight.pixel(4)) == (0, 30)


def test_lines_pass_through_their_points() -> None:
    """x from 0 to 10; y from 0 to 1 between the pixels 312 (with one row of names) and 34."""
    picture = parsed(charts.lines({"a": [(0, 0.0), (5, 1.0), (10, 0.5)], "b": [(0, 1.0), (10, 0.0)]}, "x", "y"))
    first, second = of(picture, "polyline", "curve")
    middle = (LEFT + RIGHT) / 2
    assert points(first) == [(LEFT, 312), (middle, 34), (RIGHT, 173)] and points(second) == [(LEFT, 34), (RIGHT, 312)]
    assert (first.get("stroke"), second.get("stroke")) == (BLUE, ORANGE)
    assert [rect.get("fill") for rect in of(picture, "rect") if rect.get("x")] == [BLUE, ORANGE]


def test_groups_lie_side_by_side_with_their_intervals_and_without_what_is_not_known() -> None:
    series = {"a": [(0.5, 0.4, 0.6), (1.0, 0.9, 1.0)], "b": [(0.0, math.nan, math.nan), None]}
    picture = parsed(charts.grouped(series, "y", [("few", "n = 40"), ("many", "n = 50")]))
    named = texts(picture)
    few, many = at(named["few"], "x")[0], at(named["many"], "x")[0]
    assert few < at(named["n = 40"], "x")[0] + 1 < many and at(named["n = 40"], "y") > at(named["few"], "y")
    first, second, third = (at(dot, "cx", "cy") for dot in of(picture, "circle"))  # a's two, then b's one
    assert abs(first[0] - few) < 20 and abs(second[0] - many) < 20 and first[0] < third[0] < few + 20
    unit = (third[1] - second[1]) / 1.0  # pixels from 0 to 1
    spreads = [at(line, "x1", "y1", "y2") for line in of(picture, "line", "spread")]
    assert spreads == [
        pytest.approx([x, y + 0.1 * unit, y - up * unit], abs=0.2) for (x, y), up in ((first, 0.1), (second, 0.0))
    ]
    assert [dot.get("fill") for dot in of(picture, "circle")] == [BLUE, BLUE, ORANGE]


def test_labels_of_a_crowd_are_all_there_and_do_not_collide() -> None:
    """Twenty models within a few pixels, as the good ones are where a poor one stretches the axis."""
    crowd = [Point(f"model {n:02}", 0.3 + 0.002 * (n % 5), 0.30 + 0.001 * n) for n in range(20)]
    picture = parsed(charts.scatter([*crowd, Point("poor", 0.0, 0.0)], "x", "y"))
    boxes = []
    for point in crowd:
        x, y = at(texts(picture)[point.label], "x", "y")
        boxes.append((x, y - 9, x + 6 * len(point.label), y + 2))
    assert not [
        (a, b)
        for n, a in enumerate(boxes)
        for b in boxes[:n]
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]
    assert of(picture, "line", "leader") and not of(picture, "line", "spread")


def test_a_label_does_not_lie_on_the_front() -> None:
    """Which leaves `best` to the right, just where its label would be; samples of the line are a pixel apart."""
    models = [Point("best", 0.2, 0.31), Point("broad", 0.3, 0.30), Point("poor", 0.0, 0.1)]
    picture = parsed(charts.scatter(models, "x", "y", best=[0, 1]))
    (left, begin), (right, end) = points(of(picture, "polyline", "front")[0])
    x, y = at(texts(picture)["best"], "x", "y")
    for n in range(round(right - left)):
        above = begin + (end - begin) * n / (right - left)
        assert not (x < left + n < x + 24 and y - 9 < above < y + 2)


def test_dots_are_not_joined() -> None:
    picture = parsed(charts.lines({"a": [(0, 0.0), (1, 1.0)], "b": [(0, 1.0), (1, 0.0)]}, "x", "y", dots=["a"]))
    assert [curve.get("stroke") for curve in of(picture, "polyline")] == [ORANGE]
    assert [dot.get("fill") for dot in of(picture, "circle")] == [BLUE, BLUE]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_left_out(bad: float) -> None:
    picture = parsed(charts.lines({"a": [(0, bad), (5, 1.0), (10, 0.0)], "b": [(1, bad)]}, "x", "y"))
    (curve,) = of(picture, "polyline")
    assert len(points(curve)) == 2 and "b" not in texts(picture)
    assert charts.lines({"a": [(0, bad)]}, "x", "y") is None and charts.stacked([None]) is None


def test_bars_are_as_long_as_their_values() -> None:
    picture = parsed(charts.bars([("best", 0.4, 0.3, 0.5), ("worst", 0.1, math.nan, math.nan)]))
    best, worst = (rect for rect in of(picture, "rect") if rect.get("x"))
    assert at(best, "width")[0] == pytest.approx(4 * at(worst, "width")[0], abs=0.2)
    unit = at(best, "width")[0] / 0.4
    start = at(best, "x")[0]
    whiskers = {tuple(at(line, "x1", "x2")) for line in of(picture, "line", "ink")}
    low, high = round(start + 0.3 * unit, 1), round(start + 0.5 * unit, 1)
    assert whiskers == {(low, high), (low, low), (high, high)}
    assert at(texts(picture)["best"], "y") < at(texts(picture)["worst"], "y")


def test_negative_bars_go_to_the_left() -> None:
    up, down = (
        r for r in of(parsed(charts.bars([("a", 1.0, 0.5, 1.5), ("b", -1.0, -1.5, -0.5)])), "rect") if r.get("x")
    )
    assert at(down, "x")[0] + at(down, "width")[0] == pytest.approx(at(up, "x")[0], abs=0.2)


def test_points_lie_on_a_logarithmic_axis_and_the_front_joins_its_own() -> None:
    """1, 10 and 100 seconds are equally far apart; y from 0 to 1 between the pixels 294 and 14."""
    models = [Point("fast", 1, 0.0), Point("middle", 10, 0.2), Point("slow", 100, 1.0)]
    picture = parsed(charts.scatter(models, "seconds", "ndcg", log=True, best=[0, 2]))
    places = [tuple(at(dot, "cx", "cy")) for dot in of(picture, "circle")]
    assert places == [(LEFT, 294), ((LEFT + RIGHT) / 2, 238), (RIGHT, 14)]
    (front,) = of(picture, "polyline", "front")
    assert points(front) == [places[0], places[2]]
    assert [dot.get("fill") for dot in of(picture, "circle")] == [BLUE, "#8a8a8a", BLUE]


def test_a_line_reaches_as_far_as_a_value_has_been() -> None:
    models = [Point("steady", 1, 0.0, 1), Point("varying", 10, 1.0, 100)]
    picture = parsed(charts.scatter(models, "seconds", "ndcg", log=True, best=[0, 1], front=False))
    _, (x, y) = (at(dot, "cx", "cy") for dot in of(picture, "circle"))
    assert [at(line, "x1", "y1", "x2", "y2") for line in of(picture, "line", "spread")] == [[x, y, RIGHT, y]]
    assert not of(picture, "polyline", "front")


def test_ranks_lead_to_their_names_and_bars_join_what_is_alike() -> None:
    ranks = np.array([1.0, 2.0, 3.0])
    picture = parsed(charts.critical_difference(["a", "b", "c"], ranks, 1.0, [[0, 1]]))
    ticks = [at(texts(picture)[str(n)], "x")[0] for n in (1, 2, 3)]
    leaders = [points(leader) for leader in of(picture, "polyline", "leader")]
    assert [leader[0][0] for leader in leaders] == pytest.approx(ticks, abs=0.1)
    for name, leader in zip(("a (1.00)", "b (2.00)", "c (3.00)"), leaders):
        x, y = at(texts(picture)[name], "x", "y")
        assert abs(x - leader[-1][0]) <= 6 and y - 4 == pytest.approx(leader[-1][1], abs=0.1)
    (clique,) = of(picture, "line", "clique")
    assert at(clique, "x1", "x2") == pytest.approx([ticks[0] - 4, ticks[1] + 4], abs=0.1)
    (wide,) = (line for line in of(picture, "line", "ink") if at(line, "y1", "y2") == [22, 22])
    assert at(wide, "x1", "x2") == pytest.approx(ticks[:2], abs=0.1)  # the critical difference, 1


def test_long_names_keep_their_rank_and_control_characters_are_left_out() -> None:
    names = ["x" * 60, "a\x1bb", "c"]
    picture = parsed(charts.critical_difference(names, np.array([1.0, 2.0, 3.0]), 1.0, []))
    assert [name for name in texts(picture) if name.endswith("(1.00)")] and "a b (2.00)" in texts(picture)


def test_parallel_lines_are_the_darker_the_later() -> None:
    picture = parsed(charts.parallel([[0, 1], [0.5, 0.5], [1, 0]], ["p", "q"], [{0.0: "low", 1.0: "high"}, {}]))
    lines = of(picture, "polyline")
    (x1, bottom), (x2, top) = points(lines[0])
    assert points(lines[2]) == [(x1, top), (x2, bottom)] and points(lines[1])[0][1] == (top + bottom) / 2
    assert [line.get("stroke") for line in lines] == [BLUE, BLUE, ORANGE]
    shades = [float(line.attrib["stroke-opacity"]) for line in lines]
    assert shades == sorted(shades) and shades[-1] == 1
    low, high = (at(texts(picture)[mark], "y")[0] for mark in ("low", "high"))
    assert low == bottom - 3 and high == top - 3


def test_stacked_pictures_do_not_overlap() -> None:
    one, two = Picture(100, 40, "<g/>"), Picture(200, 60, "<g/>")
    both = charts.stacked([one, None, two])
    assert both is not None and (both.width, both.height) == (200, 100)
    assert re.findall(r"translate\(0,(\d+)\)", both.body) == ["0", "40"]
