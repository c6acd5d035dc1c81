"""Pictures are drawn for what there is, show it where it is, stay inside their frame, and need nothing else."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from recexp import charts
from recexp.evaluation.slices import Slice
from recexp.evidence.plots import write_curves, write_plots
from recexp.tuning.study_plots import write_study_plots

SVG = "{http://www.w3.org/2000/svg}"
SLICES = [
    Slice("user_activity", f"{n}-{n + 9} rows", 100 * n, metric, value, value - 0.05, value + 0.05)
    for metric, value in (("ndcg_at_5", 0.9), ("ndcg_at_10", 0.4), ("recall_at_10", 0.2))
    for n in (1, 10, 100)
] + [
    Slice("item_popularity", group, 50, f"found_at_{k}", value, value, value + 0.1)
    for k in (5, 10)
    for group, value in (("head", 0.5), ("mid", 0.2), ("tail", 0.0))
]
SCORES = np.array([[3.0, 2.0, 1.0], [2.5, 1.5, -np.inf]], np.float32)
HITS = np.array([[True, False, False], [True, False, False]])
CURVES = {"loss": [(1, 0.5), (2, 0.25)], "validation": [(1, 0.1), (2, 0.2)]}
STUDY = {
    "metric": "ndcg_at_10",
    "higher_is_better": True,
    "pruned": [2],
    "log": ["l2"],
    "importance": {"l2": 0.75, "kind": 0.25},
    "trials": [
        {"number": n, "value": value, "params": {"l2": l2, "kind": kind}}
        for n, value, l2, kind in ((1, 0.2, 1.0, "a"), (3, 0.1, 100.0, "b"), (4, 0.3, 10.0, "a"))
    ],
}


def drawn(folder: Path, slices: list[Slice], scores: np.ndarray, curves: dict) -> dict[str, ET.Element]:
    hits = np.zeros(scores.shape, bool) | HITS[:, : scores.shape[1]]
    write_plots(folder, slices=slices, scores=scores, hits=hits)
    write_curves(folder, curves)
    return {path.name: ET.parse(path).getroot() for path in folder.iterdir()}


def texts(picture: ET.Element) -> list[str]:
    return [str(text.text) for text in picture.iter(f"{SVG}text")]


def numbers(element: ET.Element, *names: str) -> list[float]:
    return [float(element.attrib[name]) for name in names]


def moved(element: ET.Element, tag: str, down: float = 0.0) -> Iterator[tuple[ET.Element, float]]:
    """Yield the elements of a kind, each with how far the groups around it are moved down."""
    for child in element:
        if child.tag == tag:
            yield child, down
        shift = re.fullmatch(r"translate\(0,(\d+)\)", child.get("transform", "")) if child.tag == f"{SVG}g" else None
        yield from moved(child, tag, down + (float(shift[1]) if shift else 0.0))


def test_everything_is_drawn(tmp_path: Path) -> None:
    found = drawn(tmp_path, SLICES, SCORES, CURVES)
    assert {name: texts(picture)[0] for name, picture in found.items()} == {
        "ndcg_at_10_by_user_activity.svg": "ndcg@10 by length of the user's history",
        "recall_by_item_popularity.svg": "Held-out items found, by their popularity in train (found@10)",
        "scores.svg": "Scores of recommended items",
        "training.svg": "Training",
    }
    assert {"loss", "validation", "step"} <= set(texts(found["training.svg"]))
    assert {"held out, n = 2", "not held out, n = 3"} <= set(texts(found["scores.svg"]))


def test_what_is_not_there_is_not_drawn(tmp_path: Path) -> None:
    constant = np.full((2, 3), 1.0, np.float32)
    undefined = [Slice("user_activity", "1 rows", 3, "ndcg_at_10", np.nan, np.nan, np.nan)]
    for slices, scores in ((undefined, constant), ([], np.full((2, 3), -np.inf, np.float32))):
        write_plots(tmp_path, slices=slices, scores=scores, hits=HITS)
        write_curves(tmp_path, {})
    assert list(tmp_path.iterdir()) == []


def test_bars_show_values_and_intervals(tmp_path: Path) -> None:
    picture = drawn(tmp_path, SLICES, SCORES, {})["ndcg_at_10_by_user_activity.svg"]
    groups = [g for g in picture.iter(f"{SVG}g") if g.find(f"{SVG}title") is not None]
    assert [texts(g) for g in groups] == [[f"{n}-{n + 9} rows (n = {100 * n:,})", "0.4000"] for n in (1, 10, 100)]
    for group in groups:
        x, width = numbers(group.find(f"{SVG}rect"), "x", "width")
        low, high = numbers(group.find(f"{SVG}line"), "x1", "x2")
        assert ((low - x) / width, (high - x) / width) == pytest.approx((0.35 / 0.4, 0.45 / 0.4), abs=0.002)


def test_a_histogram_holds_the_whole_of_each_kind(tmp_path: Path) -> None:
    scores = np.random.default_rng(0).normal(size=(50, 10)).astype(np.float32)
    hits = np.zeros(scores.shape, bool)
    hits[:, :2] = True
    write_plots(tmp_path, slices=[], scores=scores, hits=hits)
    picture = ET.parse(tmp_path / "scores.svg").getroot()
    ticks = {t.text: numbers(t, "y")[0] - 4 for t in picture.iter(f"{SVG}text") if t.get("text-anchor") == "end"}
    (low, at_low), *_, (high, at_high) = sorted((float(k), y) for k, y in ticks.items())
    for outline in picture.iter(f"{SVG}polyline"):
        heights = [float(point.split(",")[1]) for point in outline.attrib["points"].split()][1:-1:2]
        shares = [low + (y - at_low) / (at_high - at_low) * (high - low) for y in heights]
        assert len(shares) == 60 and sum(shares) == pytest.approx(0.998, abs=0.02)


def test_nothing_leaves_the_frame(tmp_path: Path) -> None:
    long = [Slice(s.slice, f"{s.group} of very many more", 10**6, s.metric, 1.0, 0.9, 1.0) for s in SLICES]
    drawn(tmp_path, long, SCORES, CURVES)
    write_study_plots(tmp_path, STUDY)
    for path in tmp_path.iterdir():
        picture = ET.parse(path).getroot()
        width, height = numbers(picture, "width", "height")
        for text in picture.iter(f"{SVG}text"):
            if "transform" not in text.attrib:
                (x, y), long = numbers(text, "x", "y"), 6.0 * len(str(text.text))
                start = {"start": x, "middle": x - long / 2, "end": x - long}[text.attrib["text-anchor"]]
                assert start >= -2 and start + long <= width + 2 and 0 <= y <= height, (path.name, text.text)
        for shape in picture.iter(f"{SVG}rect"):
            if "x" in shape.attrib:
                x, wide = numbers(shape, "x", "width")
                assert x >= 0 and x + wide <= width


def test_a_study_shows_its_trials(tmp_path: Path) -> None:
    write_study_plots(tmp_path, STUDY)
    found = {path.stem: ET.parse(path).getroot() for path in tmp_path.iterdir()}
    assert set(found) == {"history", "importance", "parallel_coordinates"}
    assert len([*found["history"].iter(f"{SVG}circle")]) == 3 + 1  # a dot a trial and one pruned
    (best,) = found["history"].iter(f"{SVG}polyline")
    heights = [float(point.split(",")[1]) for point in best.attrib["points"].split()]
    assert heights == sorted(heights, reverse=True) and len(set(heights)) == 2  # rises once, from .2 to .3
    assert {"0.7500", "0.2500", "l2", "kind"} <= set(texts(found["importance"]))
    lines = [*found["parallel_coordinates"].iter(f"{SVG}polyline")]
    on_l2 = [float(line.attrib["points"].split()[0].split(",")[1]) for line in lines]
    assert on_l2[2] == pytest.approx(np.mean([on_l2[0], on_l2[1]]), abs=0.2)  # the best: 10 is between 1 and 100
    assert {"1", "100", "a", "b", "ndcg@10"} <= set(texts(found["parallel_coordinates"]))


def test_text_of_users_stays_text() -> None:
    picture = charts.bars([("<script>&", 1.0, np.nan, np.nan)])
    assert "<script>" not in str(picture) and "&lt;script&gt;&amp;" in picture.file("</svg>")
    assert ET.fromstring(picture.file("</svg>")).tag == f"{SVG}svg"
