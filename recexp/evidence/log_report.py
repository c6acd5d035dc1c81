"""What the rows of a log say before filters: a table of statistics, and plots of funnel, popularity, day and year."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from recexp import charts
from recexp.data import Dataset, Interactions
from recexp.evidence.plots import Plot
from recexp.evidence.table import Table
from recexp.log_statistics import by_kind, measure
from recexp.log_statistics.times import DAY, seconds

WEEK = 7 * DAY


class LogReport(NamedTuple):
    """A table of statistics, and plots by file name."""

    table: Table
    plots: Mapping[str, Plot]


def log_report(dataset: Dataset) -> LogReport:
    """Return the statistics of all rows that a dataset has, and the plots that its columns allow."""
    found = [(name.replace("_", " "), f"{value:.4g}") for name, value in measure(dataset).items()]
    parts: dict[str, Interactions] = {kind: part.interactions for kind, part in by_kind(dataset).items()}
    counts = [(kind, float(len(rows)), np.nan, np.nan) for kind, rows in parts.items()]
    drawn = {
        "log_funnel": Plot("Events by kind", charts.bars(counts, "events")),
        "log_popularity": Plot(
            "Events an item, from the most popular item on",
            charts.lines({kind: _popularity(rows) for kind, rows in parts.items()}, "log10 rank", "log10 events"),
        ),
        "log_day": Plot(
            "Events by hour of the day (UTC)",
            charts.lines({name: _shares(hours, 24) for name, hours in _hours(parts).items()}, "hour", "share"),
        ),
        "log_year": Plot(
            "Events by week since the first",
            charts.lines({kind: _shares(weeks) for kind, weeks in _weeks(parts).items()}, "week", "share"),
        ),
    }
    note = f"of all {len(dataset.interactions):,} rows, before filters"
    return LogReport(Table(("statistic of the log", "value"), found, [note]), drawn)


def _popularity(rows: Interactions) -> list[tuple[float, float]]:
    counts = np.sort(np.bincount(rows.items))[::-1]
    counts = counts[counts > 0]
    ranks = np.unique(np.geomspace(1, len(counts), 200).astype(int))
    return list(zip(np.log10(ranks).tolist(), np.log10(counts[ranks - 1]).tolist()))


def _hours(parts: Mapping[str, Interactions]) -> dict[str, np.ndarray]:
    """Return the hours of the commonest kind of rows, of each device where the log says by which they came."""
    rows = max(parts.values(), key=len)
    if (when := seconds(rows)) is None:
        return {}
    hours, device = (when % DAY // 3600).astype(int), rows.context.get("device")
    if device is None or not device.categories:
        return {"events": hours}
    return {name: hours[device.values == code] for code, name in enumerate(device.categories)}


def _weeks(parts: Mapping[str, Interactions]) -> dict[str, np.ndarray]:
    times = {kind: when for kind, rows in parts.items() if (when := seconds(rows)) is not None}
    begin = min((when.min() for when in times.values()), default=0.0)
    return {kind: ((when - begin) // WEEK).astype(int) for kind, when in times.items()}


def _shares(codes: np.ndarray, n: int = 0) -> list[tuple[float, float]]:
    return list(enumerate((np.bincount(codes, minlength=n) / max(len(codes), 1)).tolist()))
