"""The plots of a run: small SVG files that a browser and the MLflow UI show."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from recexp import charts
from recexp.charts import Picture
from recexp.metric_names import headlines, pretty

if TYPE_CHECKING:
    from recexp.evaluation.slices import Slice

BINS = 60
Curves = Mapping[str, Sequence[tuple[int, float]]]
"""Learning curves: (step, value) pairs by name."""


class Plot(NamedTuple):
    """A picture and its title; None where there was nothing to draw."""

    title: str
    picture: Picture | None


def write_curves(folder: Path, curves: Curves) -> None:
    """Draw the learning curves there are into `folder`."""
    drawn = [charts.lines({name: points}, "step", name) for name, points in curves.items()]
    write(folder, "training", "Training", charts.stacked(drawn))


def write_plots(folder: Path, *, slices: "Sequence[Slice]", scores: np.ndarray, hits: np.ndarray) -> None:
    """Draw what there is into `folder`.

    Parameters
    ----------
    slices : all slices of the run; the headline metric is shown by user activity, recall by item popularity.
    scores : float32 (b, k), scores of the listed items, best first; -inf where there is none.
    hits : bool (b, k), which of them were held out.
    """
    activity, popularity = by_activity(slices), _of(slices, "item_popularity")
    metric, found = (rows[0].metric if rows else "" for rows in (activity, popularity))
    write(
        folder,
        f"{metric}_by_user_activity",
        f"{pretty(metric)} by length of the user's history",
        _bars(activity, pretty(metric)),
    )
    write(
        folder,
        "recall_by_item_popularity",
        f"Held-out items found, by their popularity in train ({pretty(found)})",
        _bars(popularity, "share found"),
    )
    write(folder, "scores", "Scores of recommended items", _scores(scores, hits))


def write(folder: Path, name: str, title: str, picture: Picture | None) -> None:
    """Write a picture, if there is one, as a file of this name."""
    if picture is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.svg").write_text(picture.file(title), encoding="utf-8")


def by_activity(slices: "Sequence[Slice]") -> "list[Slice]":
    """Return the rows of the headline metric by user activity."""
    return _of(slices, "user_activity")


def _of(slices: "Sequence[Slice]", name: str) -> "list[Slice]":
    """Return the headline metric's rows of one way of slicing."""
    rows = [row for row in slices if row.slice == name and not np.isnan(row.value)]
    metric = next(iter(headlines(dict.fromkeys(row.metric for row in rows))), None)
    return [row for row in rows if row.metric == metric]


def _bars(rows: "Sequence[Slice]", name: str) -> Picture | None:
    bars = [(f"{row.group} (n = {row.size:,})", row.value, row.low, row.high) for row in rows]
    return charts.bars(bars, name) if bars else None


def _scores(scores: np.ndarray, hits: np.ndarray) -> Picture | None:
    """Draw histograms of the scores of items that were held out and of those that were not, each as shares of 1."""
    finite = np.isfinite(scores)
    values = scores[finite]
    if not len(values) or values.min() == values.max():
        return None
    low, high = np.quantile(values, [0.001, 0.999])
    bins = np.linspace(low, high if high > low else values.max(), BINS + 1)
    series = {}
    for mask, name in ((finite & hits, "held out"), (finite & ~hits, "not held out")):
        if mask.any():
            shares = np.histogram(scores[mask], bins)[0] / mask.sum()
            outline = zip(np.repeat(bins, 2).tolist(), [0.0, *np.repeat(shares, 2).tolist(), 0.0])
            series[f"{name}, n = {mask.sum():,}"] = [*outline]
    return charts.lines(series, "score", "share of items")
