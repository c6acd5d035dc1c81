"""The plots of a study: history, importance of parameters, parallel coordinates."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recexp.outputs.plots import BLUE, GREY, ORANGE, figure_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 8
"""As many axes of parallel coordinates as can be read side by side, the most important first."""


def draw(folder: Path, data: Mapping[str, Any]) -> None:
    """Draw what `recexp.tuning.Study.plots` gives as png files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"history": _history, "importance": _importance, "parallel_coordinates": _parallel}
    for name, figure in figures.items():
        if (drawn := figure(data)) is not None:
            drawn.savefig(folder / f"{name}.png")


def _history(data: Mapping[str, Any]) -> "Figure":
    figure, axes = figure_of("Trials and the best so far, on validation")
    numbers = [trial["number"] for trial in data["trials"]]
    values = np.array([trial["value"] for trial in data["trials"]])
    best = np.maximum.accumulate(values) if data["rising"] else np.minimum.accumulate(values)
    axes.scatter(numbers, values, s=22, color=BLUE, label="trial", zorder=3)
    axes.step(numbers, best, where="post", color=ORANGE, linewidth=1.8, label="best so far")
    if data["pruned"]:
        ends = np.full(len(data["pruned"]), values.min() if data["rising"] else values.max())
        axes.scatter(data["pruned"], ends, s=26, marker="x", color=GREY, label="pruned (no value)")
    axes.set_xlabel("trial")
    axes.set_ylabel(_shown(data["metric"]))
    axes.legend(frameon=False)
    return figure


def _importance(data: Mapping[str, Any]) -> "Figure | None":
    if not data["importance"]:
        return None
    figure, axes = figure_of("Importance of parameters (PED-ANOVA)")
    names, shares = list(data["importance"])[::-1], list(data["importance"].values())[::-1]
    axes.barh(names, shares, height=0.6, color=BLUE)
    for name, share in zip(names, shares):
        axes.annotate(f"{share:.2f}", (share, name), xytext=(4, 0), textcoords="offset points", va="center", color=GREY)
    axes.grid(visible=False)
    axes.margins(x=0.1)
    axes.set_xlabel("share")
    return figure


def _parallel(data: Mapping[str, Any]) -> "Figure | None":
    """Draw a line a trial over an axis a parameter, better ones darker."""
    trials = sorted(data["trials"], key=lambda trial: trial["value"], reverse=not data["rising"])  # the best on top
    names = [*data["importance"], *(name for name in trials[0]["params"] if name not in data["importance"])][:SHOWN]
    if len(trials) < 2:
        return None
    figure, axes = figure_of("Values tried; the darker the better, the best in orange")
    heights = np.empty((len(trials), len(names) + 1))
    for at, name in enumerate(names):
        heights[:, at], ticks = _axis([trial["params"][name] for trial in trials], name in data["log"])
        _label(axes, at, ticks)
    heights[:, -1], ticks = _axis([trial["value"] for trial in trials], False)
    _label(axes, len(names), ticks)
    for rank, line in enumerate(heights):
        share = rank / (len(trials) - 1)
        colour, width = (ORANGE, 2.4) if share == 1 else (BLUE, 1.0)
        axes.plot(line, color=colour, alpha=0.15 + 0.85 * share, linewidth=width)
    axes.set_xticks(range(len(names) + 1), [*names, _shown(data["metric"])], rotation=20, ha="right")
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    return figure


def _axis(values: list[Any], log: bool) -> tuple[np.ndarray, dict[float, str]]:
    """Return where each value lies on an axis from 0 to 1, float64 (n,), and its labels."""
    if any(type(value) not in (int, float) for value in values):
        names = sorted({str(value) for value in values})
        at = {name: place / max(1, len(names) - 1) for place, name in enumerate(names)}
        return np.array([at[str(value)] for value in values]), {place: name for name, place in at.items()}
    numbers = np.array(values, np.float64)
    scaled = np.log(numbers) if log else numbers
    low, high = scaled.min(), scaled.max()
    ticks = {0.0: f"{numbers.min():.4g}", 1.0: f"{numbers.max():.4g}"}
    return (scaled - low) / (high - low or 1), ticks


def _label(axes: Any, at: int, ticks: Mapping[float, str]) -> None:
    axes.axvline(at, color="#BBBBBB", linewidth=0.8, zorder=0)
    for height, text in ticks.items():
        axes.annotate(text, (at, height), xytext=(3, 2), textcoords="offset points", fontsize=8, color=GREY)


def _shown(metric: str) -> str:
    return metric.replace("_at_", "@")
