"""The charts of a leaderboard in a report."""

import math
from collections.abc import Iterator

from recexp import charts, file_names
from recexp.charts import Picture, Point
from recexp.comparison.comparison import TESTED
from recexp.comparison.results import Comparison, Leaderboard, RankedRow
from recexp.comparison.rows import seed_fold_split
from recexp.errors import StoreError
from recexp.evaluation.slices import Slice
from recexp.evidence import run_files
from recexp.history.archive import Archive, StoredRun
from recexp.metric_names import cutoff, metric_at, pretty
from recexp.tracking.tags import HOST, SPLIT

Figure = tuple[str, Picture, str]
"""Title, picture, caption."""
LINES = 8
"""Models in a chart of lines, the best; with more, lines can hardly be told apart."""
_LONG = 0.1
"""Seconds of a fit in which it can be seen whether it had to wait."""
ENOUGH = 30
"""Lists or items that a group has at least to be shown: of fewer, an interval holds clearly less than it says."""


def draw_figures(archive: Archive, comparison: Comparison, board: Leaderboard) -> Iterator[Figure]:
    """Yield the charts of the best models of a leaderboard for which there is data."""
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


def _cost(comparison: Comparison, rows: list[RankedRow]) -> Iterator[Figure]:
    """Draw what models cost: those stand out that no other is as good as and cheaper, in each of its runs."""
    known = [ranked for ranked in rows if ranked.cpu_seconds > 0]
    if len(known) < 2:
        return
    sign = 1 if comparison.higher_is_better[comparison.metric] else -1
    best = [
        number
        for number, ranked in enumerate(known)
        if not any(
            sign * other.mean >= sign * ranked.mean and other.most_cpu_seconds < ranked.cpu_seconds for other in known
        )
    ]
    points = [Point(ranked.row.label, ranked.cpu_seconds, ranked.mean, ranked.most_cpu_seconds) for ranked in known]
    name = "processor seconds to fit and recommend"
    picture = charts.scatter(points, name, pretty(comparison.metric), log=True, best=best, front=False)
    hosts = {run.tags.get(HOST) for ranked in known for run in ranked.row.runs}
    caption = (
        "Of all cores, without loading libraries, compiling and waiting for other work; the point is the cheapest run, "
        "the line extends to the most expensive. Gray: another model is as good and always cheaper."
    )
    if any(len(ranked.row.runs) == 1 for ranked in known):
        caption += " With a single run, the variation is unknown."
    if crowded := [ranked.row.label for ranked in known if _waited(ranked)]:
        caption += (
            " These competed with other work for the cores, or their linear algebra threads waited for each other: "
            f"{', '.join(crowded)}."
        )
    if len(hosts) > 1:
        caption += " Runs are from several machines, so their seconds are not comparable."
    yield "Accuracy against cost", picture, caption


def _waited(ranked: RankedRow) -> bool:
    """Whether each of several fits had less than half a core; of one alone, loading libraries may be the reason."""
    names = ("cost/fit_cpu_seconds", "cost/fit_seconds")
    found = [[run.metrics[name] for name in names] for run in ranked.row.runs if all(n in run.metrics for n in names)]
    return len(found) > 1 and all(cpu < 0.5 * seconds for cpu, seconds in found) and found[0][1] > _LONG


def _front(comparison: Comparison, rows: list[RankedRow], other: str) -> Iterator[Figure]:
    values = [(ranked, ranked.value(other)) for ranked in rows]
    points = [Point(ranked.row.label, value, ranked.mean) for ranked, value in values if not math.isnan(value)]
    if len(points) > 1:
        y_higher_is_better, x_higher_is_better = (
            bool(comparison.higher_is_better[name]) for name in (comparison.metric, other)
        )
        best = _undominated(points, x_higher_is_better=x_higher_is_better, y_higher_is_better=y_higher_is_better)
        better = "right" if x_higher_is_better else "left"
        picture = charts.scatter(points, pretty(other), pretty(comparison.metric), best=best)
        title = f"Accuracy against {pretty(other).partition('@')[0].replace('_', ' ')}"
        yield (
            title,
            picture,
            f"On the line: models that no other model beats in both (Pareto front); better is to the {better}.",
        )


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
    """Draw the compared metric by groups of users, and what was found by groups of items; none of a handful."""
    tables: dict[str, list[Slice]] = {}
    for label, run in runs.items():
        try:
            tables[label] = run_files.read_slices(archive.file(run, file_names.SLICES))
        except StoreError:  # its chart is not worth a report
            continue
    wanted = comparison.metric.rpartition("/")[2]
    for kind in dict.fromkeys(row.slice for rows in tables.values() for row in rows):
        names = {row.metric for rows in tables.values() for row in rows if row.slice == kind}
        found = metric_at("found", cutoff(wanted) or 0)
        name = next((n for n in (wanted, found) if n in names), "")
        by_label = {
            label: {row.group: row for row in rows if (row.slice, row.metric) == (kind, name)}
            for label, rows in tables.items()
        }
        sizes = {group: row.size for rows in by_label.values() for group, row in rows.items()}
        shown = [group for group, n in sizes.items() if n >= ENOUGH]
        series = {
            label: [(row.value, row.low, row.high) if (row := rows.get(group)) else None for group in shown]
            for label, rows in by_label.items()
        }
        series = {label: points for label, points in series.items() if any(p and math.isfinite(p[0]) for p in points)}
        if len(shown) < 2 or not series:
            continue
        what = "held-out items; the chart shows the share that was found" if name == found else "lists"
        caption = f"n: {what}, in one split ({_split_name(runs)}); bars show each run's interval."
        if few := [f"{group} ({n})" for group, n in sizes.items() if n < ENOUGH]:
            caption += f" Too few to show: {', '.join(few)}."
        groups = [(group, f"n = {sizes[group]:,}") for group in shown]
        yield f"By {kind.replace('_', ' ')}", charts.grouped(series, pretty(name), groups), caption


def _split_name(runs: dict[str, StoredRun]) -> str:
    return seed_fold_split(next(iter(runs.values()))).partition(" (")[0]


def _curves(archive: Archive, runs: dict[str, StoredRun]) -> Iterator[Figure]:
    curves: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for label, run in runs.items():
        for name, points in archive.curves(run).items():
            if len(points) > 1:
                curves.setdefault(name, {})[label] = [(float(step), value) for step, value in points]
    for name, series in curves.items():
        if (picture := charts.lines(series, "step", name)) is not None:
            yield f"Learning curve: {name}", picture, ""
