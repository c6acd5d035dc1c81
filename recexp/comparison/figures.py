"""Which charts a report has of a leaderboard."""

import math
from collections.abc import Iterator

from recexp import charts, file_names
from recexp.charts import Picture, Point
from recexp.comparison.comparison import TESTED
from recexp.comparison.results import Comparison, Leaderboard, RankedRow
from recexp.errors import StoreError
from recexp.evaluation.slices import Slice
from recexp.evidence import run_files
from recexp.history.archive import Archive, StoredRun
from recexp.metric_names import cutoff, metric_at, pretty
from recexp.tracking.tags import SPLIT

Figure = tuple[str, Picture, str]
"""Title, picture, caption."""
LINES = 8
"""Models in a chart of lines, the best; with more, lines can hardly be told apart."""


def draw_figures(archive: Archive, comparison: Comparison, board: Leaderboard) -> Iterator[Figure]:
    """Yield the charts of the best models of a leaderboard, those that there is something for."""
    rows, name = board.rows[:TESTED], pretty(comparison.metric)
    rows += [ranked for ranked in board.rows[TESTED:] if ranked.row.label == board.reference]
    bars = [(ranked.row.label, ranked.mean, ranked.low, ranked.high) for ranked in rows]
    caption = f"With the {comparison.options.confidence:.0%} interval over {comparison.unit}s." if board.pairs else ""
    yield name, charts.bars(bars), caption
    yield from _cost(comparison, rows)
    for other in comparison.beyond:
        if other != comparison.metric:
            yield from _front(comparison, rows, other)
    runs = _alike([ranked for ranked in rows[:LINES] if ranked.row.runs])
    yield from _slices(archive, comparison, runs)
    yield from _curves(archive, runs)


def value(comparison: Comparison, ranked: RankedRow, name: str) -> float:
    """Return a row's mean of a shown metric, NaN where it has none."""
    return ranked.mean if name == comparison.metric else ranked.means.get(name, math.nan)


def _cost(comparison: Comparison, rows: list[RankedRow]) -> Iterator[Figure]:
    points = [Point(ranked.row.label, ranked.seconds, ranked.mean) for ranked in rows if ranked.seconds > 0]
    if len(points) > 1:
        front = _undominated(
            points, x_higher_is_better=False, y_higher_is_better=bool(comparison.higher_is_better[comparison.metric])
        )
        name = "seconds to fit and recommend"
        picture = charts.scatter(points, name, pretty(comparison.metric), log=True, front=front)
        yield "Accuracy against cost", picture, "On the line: models that no other beats in both."


def _front(comparison: Comparison, rows: list[RankedRow], other: str) -> Iterator[Figure]:
    points = [Point(ranked.row.label, ranked.means[other], ranked.mean) for ranked in rows if other in ranked.means]
    if len(points) > 1:
        y_higher_is_better, x_higher_is_better = (
            bool(comparison.higher_is_better[name]) for name in (comparison.metric, other)
        )
        front = _undominated(points, x_higher_is_better=x_higher_is_better, y_higher_is_better=y_higher_is_better)
        better = "right" if x_higher_is_better else "left"
        picture = charts.scatter(points, pretty(other), pretty(comparison.metric), front=front)
        title = f"Accuracy against {pretty(other).partition('@')[0].replace('_', ' ')}"
        yield title, picture, f"The Pareto front; better is to the {better}."


def _undominated(points: list[Point], *, x_higher_is_better: bool, y_higher_is_better: bool) -> list[int]:
    """Return the indices of the points that no other is at least as good as in both, and better in one."""
    keys = [(p.x if x_higher_is_better else -p.x, p.y if y_higher_is_better else -p.y) for p in points]
    return [
        index for index, (x, y) in enumerate(keys) if not any(a >= x and b >= y and (a > x or b > y) for a, b in keys)
    ]


def _alike(rows: list[RankedRow]) -> dict[str, StoredRun]:
    """Return a run of each row by label, all of the best one's newest split where they have it."""
    if not rows:
        return {}
    split = rows[0].row.runs[-1].tags.get(SPLIT)
    chosen = {ranked.row.label: [run for run in ranked.row.runs if run.tags.get(SPLIT) == split] for ranked in rows}
    return {label: runs[-1] for label, runs in chosen.items() if runs}


def _slices(archive: Archive, comparison: Comparison, runs: dict[str, StoredRun]) -> Iterator[Figure]:
    """Draw the compared metric by groups of users, and what was found by groups of items."""
    tables: dict[str, list[Slice]] = {}
    for label, run in runs.items():
        try:
            tables[label] = run_files.read_slices(archive.file(run, file_names.SLICES))
        except StoreError:  # its chart is not worth a report
            continue
    wanted = comparison.metric.rpartition("/")[2]
    for kind in dict.fromkeys(row.slice for rows in tables.values() for row in rows):
        names = {row.metric for rows in tables.values() for row in rows if row.slice == kind}
        share_found = metric_at("found", cutoff(wanted) or 0)
        name = next((n for n in (wanted, share_found) if n in names), "")
        by_label = {
            label: [(row.group, row.value) for row in rows if (row.slice, row.metric) == (kind, name)]
            for label, rows in tables.items()
        }
        groups = list(dict.fromkeys(group for rows in by_label.values() for group, _ in rows))
        if len(groups) > 1:
            series = {label: [(float(groups.index(g)), v) for g, v in rows] for label, rows in by_label.items() if rows}
            caption = "Items found of those held out." if name.startswith("found") else "Of one split."
            if (picture := charts.lines(series, "", pretty(name), groups)) is not None:
                yield f"By {kind.replace('_', ' ')}", picture, caption


def _curves(archive: Archive, runs: dict[str, StoredRun]) -> Iterator[Figure]:
    curves: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for label, run in runs.items():
        for name, points in archive.curves(run).items():
            if len(points) > 1:
                curves.setdefault(name, {})[label] = [(float(step), value) for step, value in points]
    for name, series in curves.items():
        if (picture := charts.lines(series, "step", name)) is not None:
            yield f"Learning curve: {name}", picture, ""
