"""Pictures are drawn for what there is, stay inside their frame, and are skipped where there is nothing to see."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from recexp.outputs import plots
from recexp.slices import Slice

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


def drawn(folder: Path, slices: list[Slice], scores: np.ndarray, curves: dict) -> set[str]:
    data = plots.data(slices, scores, np.zeros(scores.shape, bool) | HITS[:, : scores.shape[1]], curves)
    plots.draw(folder, json.loads(json.dumps(data)))
    return {path.name for path in folder.iterdir()}


def test_everything_is_drawn(tmp_path: Path) -> None:
    curves = {"loss": [(1, 0.5), (2, 0.25)], "validation": [(1, 0.1), (2, 0.2)]}
    assert drawn(tmp_path, SLICES, SCORES, curves) == {
        "ndcg_at_10_by_user_activity.png", "recall_by_item_popularity.png", "scores.png", "learning_curve.png",
    }  # fmt: skip


def test_what_is_not_there_is_not_drawn(tmp_path: Path) -> None:
    constant = np.full((2, 3), 1.0, np.float32)
    undefined = [Slice("user_activity", "1 rows", 3, "ndcg_at_10", np.nan, np.nan, np.nan)]
    assert drawn(tmp_path, undefined, constant, {}) == set()
    assert drawn(tmp_path, [], np.full((2, 3), -np.inf, np.float32), {}) == set()


@pytest.mark.parametrize("name", ["ndcg_at_10_by_user_activity", "recall_by_item_popularity", "scores"])
def test_nothing_touches_the_edge(tmp_path: Path, name: str) -> None:
    from matplotlib.image import imread

    long = [Slice(s.slice, f"{s.group} of many", 1_000_000, s.metric, 1.0, 0.9, 1.0) for s in SLICES]
    drawn(tmp_path, long, SCORES, {})
    picture = imread(tmp_path / f"{name}.png")[:, :, :3]
    edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert (edge == 1).all()
    assert picture.shape[1] > 2 * 300 and (picture < 0.5).any()


def test_bars_show_values_and_intervals() -> None:
    figure = plots._bars([asdict(s) for s in SLICES if s.metric == "ndcg_at_10"], "title", "ndcg@10")
    (axes,) = figure.axes
    assert [bar.get_height() for bar in axes.patches] == [0.4, 0.4, 0.4]
    segments = axes.collections[0].get_segments()
    assert [tuple(segment[:, 1]) for segment in segments] == [pytest.approx((0.35, 0.45))] * 3
    assert axes.get_xticklabels()[0].get_text() == "1-10 rows\nn = 100"
