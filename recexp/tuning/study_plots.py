"""The plots of a study: history, importance of parameters, parallel coordinates."""

import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from recexp import charts
from recexp.charts import Picture
from recexp.evidence.plots import write
from recexp.metric_names import pretty

SHOWN = 8
"""As many axes of parallel coordinates as can be read side by side, the most important first."""


def write_study_plots(folder: Path, data: Mapping[str, Any]) -> None:
    """Draw the data of `recexp.tuning.Study.plots` and write the plots to `folder`."""
    write(folder, "history", "Trials and the best so far, on validation", _history(data))
    write(folder, "importance", "Importance of parameters (PED-ANOVA)", _importance(data))
    write(folder, "parallel_coordinates", "Values tried: darker is better, the best is orange", _parallel(data))


def _history(data: Mapping[str, Any]) -> Picture | None:
    trials = [(trial["number"], trial["value"]) for trial in data["trials"]]
    values = [value for _, value in trials]
    best = np.maximum.accumulate(values) if data["higher_is_better"] else np.minimum.accumulate(values)
    steps = [(number, value) for (number, _), value in zip(trials, best.tolist())]
    so_far = [point for old, new in pairwise(steps) for point in (old, (new[0], old[1]))] + steps[-1:]
    series = {"trial": trials, "best so far": so_far}
    if data["pruned"]:
        end = min(values) if data["higher_is_better"] else max(values)
        series["pruned (no value)"] = [(number, end) for number in data["pruned"]]
    return charts.lines(series, "trial", pretty(data["metric"]), dots=("trial", "pruned (no value)"))


def _importance(data: Mapping[str, Any]) -> Picture | None:
    rows = [(name, share, math.nan, math.nan) for name, share in data["importance"].items()]
    return charts.bars(rows, "share") if rows else None


def _parallel(data: Mapping[str, Any]) -> Picture | None:
    """Draw one line per trial over one axis per parameter; better trials are darker."""
    trials = sorted(
        data["trials"], key=lambda trial: trial["value"], reverse=not data["higher_is_better"]
    )  # the best on top
    if len(trials) < 2:
        return None
    names = [*data["importance"], *(name for name in trials[0]["params"] if name not in data["importance"])][:SHOWN]
    axes = [_axis([trial["params"][name] for trial in trials], name in data["log"]) for name in names]
    axes.append(_axis([trial["value"] for trial in trials], False))
    heights = np.transpose([places for places, _ in axes]).tolist()
    return charts.parallel(heights, [*names, pretty(data["metric"])], [ticks for _, ticks in axes])


def _axis(values: list[Any], log: bool) -> tuple[np.ndarray, dict[float, str]]:
    """Return the position of each value on an axis from 0 to 1, float64 (n,), and the axis labels."""
    if any(type(value) not in (int, float) for value in values):
        names = sorted({str(value) for value in values})
        at = {name: place / max(1, len(names) - 1) for place, name in enumerate(names)}
        return np.array([at[str(value)] for value in values]), {place: name for name, place in at.items()}
    numbers = np.array(values, np.float64)
    scaled = np.log(numbers) if log else numbers
    low, high = scaled.min(), scaled.max()
    ticks = {0.0: f"{numbers.min():.4g}", 1.0: f"{numbers.max():.4g}"}
    return (scaled - low) / (high - low or 1), ticks
