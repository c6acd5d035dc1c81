"""The report shows what was found: the best cell, the front, slices and what each model is against the leader."""

import re
from typing import Any

import numpy as np

from recexp.comparison import report
from recexp.evaluation.slices import Slice
from recexp.evidence import run_files
from recexp.rng import generator


def values(level: float, name: str, u: int = 60) -> np.ndarray:
    return level + generator(9, name).normal(0, 0.02, u)


def timed(shelf: Any, name: str, level: float, seconds: float) -> Any:
    costs = {"cost/fit_seconds": seconds, "cost/recommend_seconds": 0.0}
    return shelf.run(name, values(level, name), metrics=costs)


def figure(html: str, title: str) -> str:
    found = re.search(rf"<figure><h3>{title}</h3>(.*?)</figure>", html, re.S)
    assert found is not None, title
    return found[1]


def test_the_best_cell_and_the_front_are_those_of_the_best(shelf: Any) -> None:
    """`slow` is best and `quick` cheapest; `poor` is beaten in both by `quick`."""
    for name, level, seconds in (("slow", 0.5, 100.0), ("quick", 0.4, 1.0), ("poor", 0.3, 10.0)):
        timed(shelf, name, level, seconds)
    html = report.as_html(shelf, shelf.compare())
    rows = re.findall(r'<td class="name">(.*?)</td>(.*?)</tr>', html)
    assert [name for name, _ in rows] == ["slow", "quick", "poor"]
    assert ['class="best"' in rest for _, rest in rows] == [True, False, False]
    chart = figure(html, "Accuracy against cost")
    dots = dict(re.findall(r"<title>(\w+): [^<]*</title><circle ([^>]*)/>", chart))
    (front,) = re.findall(r'<polyline points="([^"]*)" class="front"', chart)
    place = {name: ",".join(re.findall(r'c[xy]="([\d.]+)"', dot)) for name, dot in dots.items()}
    assert set(front.split()) == {place["slow"], place["quick"]}


def test_slices_are_of_the_compared_metric_and_without_what_has_no_value(shelf: Any) -> None:
    for name, level in (("one", 0.5), ("two", 0.4)):
        run = shelf.run(name, values(level, name))
        rows = [
            Slice("user_activity", group, 30, metric, value, value, value)
            for metric, shift in (("ndcg_at_10", 0.0), ("recall_at_10", 7.0))
            for group, value in (("few", level + shift), ("some", np.nan), ("many", level + 0.2 + shift))
        ]
        run_files.write_slices(shelf.folder / run.id, rows)
    chart = figure(report.as_html(shelf, shelf.compare()), "By user activity")
    assert len(re.findall("<polyline", chart)) == 2 and len(re.findall("<circle", chart)) == 4
    assert not re.search(r">7(\.\d)?<", chart)  # recall's values are on no axis
    assert all(f">{group}<" in chart for group in ("few", "some", "many"))


def test_tests_of_fewer_users_than_the_means_are_told(shelf: Any) -> None:
    """A metric that some lists have no value of: 20 users of one model, and 10 others of the second."""
    one, two = values(0.5, "one"), values(0.4, "two")
    one[:20], two[50:] = np.nan, np.nan
    shelf.run("one", one)
    shelf.run("two", two)
    found = shelf.compare()
    assert found.boards[0].pairs[0].users == 30
    assert any("tests of those for which both have, 30 of 60 or more" in note for note in found.notes)
