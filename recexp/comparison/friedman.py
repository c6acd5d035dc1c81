"""Models over several data sets: which there are on all of them, and their ranks."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from recexp.comparison.results import Across, Leaderboard, Line, Options
from recexp.comparison.rows import Key
from recexp.metrics.base import Metric
from recexp.statistics import average_ranks, cliques, critical_difference, friedman

_NAMED = 9
"""Models that the note names."""


def of(boards: Sequence[Leaderboard], metric: Metric, options: Options, notes: list[str]) -> Across | None:
    """Rank the models that are on all boards; None where there are fewer than two boards or such models."""
    if len(boards) < 2:
        return None
    found = [_by_model(board) for board in boards]
    models = [key for key in found[0] if all(key in lines for lines in found)]
    elsewhere = [
        f"{line.row.label} ({board.group.dataset})"
        for board, lines in zip(boards, found)
        for key, line in lines.items()
        if key not in models
    ]
    if elsewhere:
        more = f" and {len(elsewhere) - _NAMED} more" if len(elsewhere) > _NAMED else ""
        notes.append(
            f"not on all data sets with the same params, so without a rank: {', '.join(elsewhere[:_NAMED])}{more}"
        )
    if len(models) < 2:
        notes.append("fewer than two models are on all data sets, so there are no ranks over them")
        return None
    sign = 1 if metric.higher_is_better else -1
    table = sign * np.array([[lines[key].mean for key in models] for lines in found])
    mean_ranks = average_ranks(table)
    order = np.argsort(mean_ranks, kind="stable")
    labels = [found[0][models[place]].row.label for place in order]
    table, mean_ranks = table[:, order], mean_ranks[order]
    chi2, p = friedman(table) if len(labels) > 2 else (math.nan, math.nan)
    apart = critical_difference(len(labels), len(boards), options.alpha)
    datasets = [board.group.dataset for board in boards]
    return Across(datasets, labels, mean_ranks, chi2, p, apart, cliques(mean_ranks, apart))


def _by_model(board: Leaderboard) -> dict[Key, Line]:
    """Return the lines by what makes them the same model elsewhere: params, but the name alone of what was tuned."""
    tuned = Counter(line.row.key.subject for line in board.lines if line.row.key.tuned)
    return {
        Key(key.component, key.subject, True, ()) if key.tuned and tuned[key.subject] == 1 else key: line
        for line in board.lines
        if (key := line.row.key)
    }
