"""The report shows what was found: the best cell, the front, slices and what each model is against the leader."""

import re
from typing import Any

import numpy as np

from recexp.comparison import report
from recexp.evaluation.slices import Slice
from recexp.evidence import run_files
from recexp.evidence.table import Table
from recexp.rng import generator


def values(level: float, name: str, u: int = 60) -> np.ndarray:
    return level + generator(9, name).normal(0, 0.02, u)


def timed(shelf: Any, name: str, level: float, seconds: float) -> Any:
    costs = {"cost/fit_cpu_seconds": seconds, "cost/recommend_cpu_seconds": 0.0}
    return shelf.run(name, values(level, name), metrics=costs)


def figure(html: str, title: str) -> str:
    found = re.search(rf"<figure><h3>{title}</h3>(.*?)</figure>", html, re.S)
    assert found is not None, title
    return found[1]


def blue(chart: str) -> set[str]:
    return {
        name
        for name, fill in re.findall(r'<title>(\w+): [^<]*</title>.*?<circle [^>]*fill="(.*?)"', chart)
        if fill == "#0072B2"
    }


def test_the_best_cell_is_that_of_the_best_and_those_stand_out_that_are_not_beaten(shelf: Any) -> None:
    """`slow` is best and `quick` cheapest; `poor` is beaten in both by `quick`."""
    for name, level, seconds in (("slow", 0.5, 100.0), ("quick", 0.4, 1.0), ("poor", 0.3, 10.0)):
        timed(shelf, name, level, seconds)
    html = report.as_html(shelf, shelf.compare())
    rows = re.findall(r'<td class="name">(.*?)</td>(.*?)</tr>', html)
    assert [name for name, _ in rows] == ["slow", "quick", "poor"]
    assert ['class="best"' in rest for _, rest in rows] == [True, False, False]
    chart = figure(html, "Accuracy against cost")
    assert blue(chart) == {"slow", "quick"} and 'class="front"' not in chart
    assert "With a single run, the variation is unknown" in chart


def test_a_model_is_not_beaten_by_one_that_is_cheaper_in_some_runs_alone(shelf: Any) -> None:
    """`good` took from 1 to 8 seconds, `fair` from 2 to 3, `poor` from 9 to 10, on two machines."""
    for name, level, seconds in (("good", 0.5, (1.0, 8.0)), ("fair", 0.4, (3.0, 2.0)), ("poor", 0.3, (9.0, 10.0))):
        for seed, cpu in enumerate(seconds):
            costs = {"cost/fit_cpu_seconds": cpu - 0.5, "cost/recommend_cpu_seconds": 0.5}
            wall = {"cost/fit_seconds": 30.0 if name == "poor" else cpu}
            host = {"recexp.host": f"machine {seed}"}
            shelf.run(name, values(level, f"{name} {seed}"), seed=seed, metrics={**costs, **wall}, tags=host)
    found = shelf.compare()
    assert [(row.cpu_seconds, row.most_cpu_seconds) for row in found.boards[0].rows] == [(1, 8), (2, 3), (9, 10)]
    chart = figure(report.as_html(shelf, found), "Accuracy against cost")
    assert blue(chart) == {"good", "fair"}
    assert "linear algebra threads waited for each other: poor." in chart
    assert "Runs are from several machines" in chart and "a single run" not in chart


def test_facts_of_the_data_are_those_of_the_best_models_newest_run(shelf: Any) -> None:
    for name, level in (("one", 0.5), ("two", 0.4)):
        run = shelf.run(name, values(level, name))
        rows = [("**train**", f"{name} <1,000>"), ("**test**", "200")]
        summary = {"tables": [Table(("data", "rows"), rows, ["of 1998"]).plain()]}
        (shelf.folder / run.id / "summary.yaml").write_text(run_files.as_yaml(summary))
    html = report.as_html(shelf, shelf.compare())
    assert "<td><b>train</b></td><td>one &lt;1,000&gt;</td>" in html and "two &lt;" not in html
    assert "<p>of 1998</p>" in html and "as recorded by" in html and "one seed 1</a></summary>" in html
    (shelf.folder / shelf.found[0].id / "summary.yaml").write_text("tables: [{}]")
    assert "as recorded by" not in report.as_html(shelf, shelf.compare())


def test_each_run_is_linked_by_its_seed_and_the_words_are_explained(shelf: Any) -> None:
    for seed in range(1, 8):
        shelf.run("one", values(0.5, f"{seed}"), seed=seed)
    shelf.run("two", values(0.4, "two"))
    html = report.as_html(shelf, shelf.compare())
    ids = [run.id for run in shelf.found]
    linked = re.findall(r'href="http://127\.0\.0\.1:5000/#/experiments/1/runs/(\w+)\?[^"]*" title="\w+">(\d)</a>', html)
    assert linked == [*zip(ids[:5], "12345"), (ids[7], "1")] and "and 2 more</td>" in html
    assert "<dt>ndcg@10</dt><dd>DCG(k) / DCG of a perfect list" in html and "; higher is better</dd>" in html


def test_slices_are_of_the_compared_metric_and_without_what_has_no_value(shelf: Any) -> None:
    for name, level in (("one", 0.5), ("two", 0.4)):
        run = shelf.run(name, values(level, name))
        rows = [
            Slice("user_activity", group, 30, metric, value, value, value)
            for metric, shift in (("ndcg_at_10", 0.0), ("recall_at_10", 7.0))
            for group, value in (("few", level + shift), ("some", np.nan), ("many", level + 0.2 + shift))
        ]
        rows += [Slice("user_activity", "handful", 29, "ndcg_at_10", 0.9, 0.1, 1.0)]
        rows += [
            Slice("user_warmth", group, n, "ndcg_at_10", 0.5, 0.4, 0.6) for group, n in (("cold", 7), ("warm", 90))
        ]
        run_files.write_slices(shelf.folder / run.id, rows)
    html = report.as_html(shelf, shelf.compare())
    assert "By user warmth" not in html  # one group is left, with nothing to compare it with
    chart = figure(html, "By user activity")
    assert len(re.findall("<circle", chart)) == 4 and len(re.findall('class="spread"', chart)) == 4
    assert "Too few to show: handful (29)." in chart and ">handful<" not in chart and chart.count(">n = 30<") == 3
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
    assert any("tests over those for which both have one, at least 30 of 60" in note for note in found.notes)
