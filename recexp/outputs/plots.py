"""The plots of a run. Colours can be told apart by colour-blind eyes (Okabe and Ito 2008)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recexp.outputs.description import headlines

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from recexp.slices import Slice

BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "#555555"
BINS = 60


def load() -> None:
    """Import what drawing needs, ahead of time."""
    import matplotlib.backends.backend_agg
    import matplotlib.figure  # noqa: F401


def data(
    slices: "Sequence[Slice]", scores: np.ndarray, hits: np.ndarray,
    curves: Mapping[str, Sequence[tuple[int, float]]],
) -> dict[str, Any]:  # fmt: skip
    """Return what `draw` needs, small and plain enough for json.

    Parameters
    ----------
    slices : all slices of the run; the headline metric is shown by user activity, recall by item popularity.
    scores : float32 (b, k), scores of the listed items, best first; -inf where there is none.
    hits : bool (b, k), which of them were held out.
    curves : (step, value) pairs by name; may be empty.
    """
    activity, popularity = _of(slices, "user_activity"), _of(slices, "item_popularity")
    return {"activity": activity, "popularity": popularity, "scores": _shares(scores, hits), "curves": dict(curves)}


def draw(folder: Path, data: Mapping[str, Any]) -> None:
    """Draw what there is of `data` as png files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    activity, popularity = data["activity"], data["popularity"]
    metric, recall = (rows[0]["metric"] if rows else "" for rows in (activity, popularity))
    figures = {
        f"{metric}_by_user_activity": _bars(
            activity, f"{_shown(metric)} by length of the user's history", _shown(metric)
        ),
        "recall_by_item_popularity": _bars(
            popularity, f"Held-out items found, by their popularity in train ({_shown(recall)})", "share found"
        ),
        "scores": _scores(data["scores"]),
        "learning_curve": _curves(data["curves"]),
    }
    for name, figure in figures.items():
        if figure is not None:
            figure.get_layout_engine().execute(figure)
            figure.set_layout_engine(None)  # else `savefig` draws everything twice, first to lay it out
            figure.savefig(folder / f"{name}.png")


def _of(slices: "Sequence[Slice]", name: str) -> list[dict[str, Any]]:
    """Return the headline metric's rows of one way of slicing."""
    rows = [row for row in slices if row.slice == name and not np.isnan(row.value)]
    metric = next(iter(headlines(dict.fromkeys(row.metric for row in rows))), None)
    return [asdict(row) for row in rows if row.metric == metric]


def _shares(scores: np.ndarray, hits: np.ndarray) -> dict[str, Any] | None:
    """Return histograms of the scores, for items that were held out and not: shares, and how many were counted."""
    finite = np.isfinite(scores)
    values = scores[finite]
    if not len(values) or values.min() == values.max():
        return None
    low, high = np.quantile(values, [0.001, 0.999])
    bins = np.linspace(low, high if high > low else values.max(), BINS + 1)
    parts = {}
    for mask, name in ((finite & ~hits, "not held out"), (finite & hits, "held out (hits)")):
        if mask.any():
            counts, _ = np.histogram(scores[mask], bins)
            parts[name] = {"n": int(mask.sum()), "shares": (counts / mask.sum()).tolist()}
    return {"bins": bins.tolist(), "parts": parts}


def _bars(rows: Sequence[Mapping[str, Any]], title: str, label: str) -> "Figure | None":
    if not rows:
        return None
    figure, axes = figure_of(title)
    values = np.array([row["value"] for row in rows])
    spread = np.array([[row["value"] - row["low"] for row in rows], [row["high"] - row["value"] for row in rows]])
    at = np.arange(len(rows))
    axes.bar(at, values, width=0.6, color=BLUE, yerr=np.maximum(spread, 0), ecolor=GREY, capsize=4)
    for x, row in zip(at, rows):
        top = (x, max(row["value"], row["high"]))
        axes.annotate(f"{row['value']:.3f}", top, xytext=(0, 4), textcoords="offset points", ha="center", color=GREY)
    axes.set_xticks(at, [f"{row['group']}\nn = {row['size']:,}" for row in rows])
    axes.set_ylabel(label)
    axes.margins(y=0.12)
    axes.set_ylim(bottom=0)
    return figure


def _scores(histograms: Mapping[str, Any] | None) -> "Figure | None":
    if histograms is None:
        return None
    figure, axes = figure_of("Scores of recommended items")
    bins, colours = histograms["bins"], {"not held out": ORANGE, "held out (hits)": BLUE}
    for name, part in histograms["parts"].items():
        axes.stairs(part["shares"], bins, color=colours[name], fill=True, alpha=0.35)
        axes.stairs(part["shares"], bins, color=colours[name], linewidth=1.8, label=f"{name}, n = {part['n']:,}")
    axes.set_xlabel("score")
    axes.set_ylabel("share of items")
    axes.legend(frameon=False)
    return figure


def _curves(curves: Mapping[str, Sequence[tuple[int, float]]]) -> "Figure | None":
    if not curves:
        return None
    figure, axes = figure_of("Training", rows=len(curves))
    for at, (name, points) in zip(np.atleast_1d(axes), curves.items()):
        steps, values = zip(*points)
        at.plot(steps, values, color=BLUE, linewidth=1.8, marker="o" if len(steps) < 30 else None, markersize=4)
        at.set_ylabel(name)
    at.set_xlabel("step")
    return figure


def figure_of(title: str, rows: int = 1) -> "tuple[Figure, Axes]":
    """Return a figure of `rows` plots one above another, and its axes (an array of them where rows > 1)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 1.4 + 2.6 * rows), dpi=110, layout="constrained")
    axes = figure.subplots(rows, 1, sharex=True)
    figure.suptitle(title, fontsize=12, x=0.01, ha="left")
    for at in np.atleast_1d(axes):
        at.spines[["top", "right"]].set_visible(False)
        at.grid(axis="y", color="#DDDDDD", linewidth=0.8)
        at.set_axisbelow(True)
    return figure, axes


def _shown(metric: str) -> str:
    return metric.replace("_at_", "@")
