"""What the rows of a log say before filters: a table of statistics, and plots of funnel, popularity, day and year."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from recexp import charts
from recexp.data import Dataset, Interactions
from recexp.evidence.plots import Plot
from recexp.evidence.table import Table
from recexp.log_statistics import by_kind, in_words, measure
from recexp.log_statistics.times import DAY, seconds

WEEK = 7 * DAY
AFTER: Mapping[str, tuple[str, ...]] = {
    "view": (),
    "cart": ("view",),
    "purchase": ("cart", "view"),
    "rating": ("purchase",),
    "return": ("purchase",),
}
"""The kinds of events in their order, and which each follows: the first of these that there is."""


class LogReport(NamedTuple):
    """A table of statistics, and plots by file name."""

    table: Table
    plots: Mapping[str, Plot]


def log_report(dataset: Dataset) -> LogReport:
    """Return the statistics of all rows that a dataset has, and the plots that its columns allow."""
    found = [*in_words(measure(dataset))]
    kinds = by_kind(dataset)
    parts: dict[str, Interactions] = {kind: kinds[kind].interactions for kind in AFTER if kind in kinds}
    drawn = {
        "log_funnel": Plot("Events by kind", charts.bars(_funnel(parts), "events", whole=True)),
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


def _funnel(parts: Mapping[str, Interactions]) -> list[tuple[str, float, float, float]]:
    """Return bars of how many rows of each kind there are, called by their share of the kind that they follow."""
    rows = []
    for kind, some in parts.items():
        earlier = next((one for one in AFTER[kind] if one in parts), None)
        share = "" if earlier is None else f", {len(some) / len(parts[earlier]):.2%} of {earlier}s"
        rows.append((f"{kind}{share}", float(len(some)), np.nan, np.nan))
    return rows


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
