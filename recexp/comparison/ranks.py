"""Models on several datasets: those that were run on all of them, and their ranks."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from recexp.comparison.results import Leaderboard, Options, RankComparison, RankedRow
from recexp.comparison.rows import Key
from recexp.metrics.base import Metric
from recexp.statistics import average_ranks, cliques, critical_difference, friedman

_NAMED = 9
"""Models that the note names."""


def rank_across(
    boards: Sequence[Leaderboard], metric: Metric, options: Options, notes: list[str]
) -> RankComparison | None:
    """Rank the models that are on all boards; None if there are fewer than two boards or two such models."""
    if len(boards) < 2:
        return None
    by_model = [_by_model(board) for board in boards]
    models = [key for key in by_model[0] if all(key in rows for rows in by_model)]
    elsewhere = [
        f"{ranked.row.label} ({board.group.setting})"
        for board, rows in zip(boards, by_model)
        for key, ranked in rows.items()
        if key not in models
    ]
    if elsewhere:
        more = f" and {len(elsewhere) - _NAMED} more" if len(elsewhere) > _NAMED else ""
        notes.append(
            f"no rank, because not run on all datasets with the same params: {', '.join(elsewhere[:_NAMED])}{more}"
        )
    if len(models) < 2:
        notes.append("no ranks: fewer than two models were run on all datasets")
        return None
    sign = 1 if metric.higher_is_better else -1
    table = sign * np.array([[rows[key].mean for key in models] for rows in by_model])
    mean_ranks = average_ranks(table)
    order = np.argsort(mean_ranks, kind="stable")
    labels = [by_model[0][models[index]].row.label for index in order]
    table, mean_ranks = table[:, order], mean_ranks[order]
    chi2, p = friedman(table) if len(labels) > 2 else (math.nan, math.nan)
    apart = critical_difference(len(labels), len(boards), options.alpha)
    settings = [board.group.setting for board in boards]
    return RankComparison(settings, labels, mean_ranks, chi2, p, apart, cliques(mean_ranks, apart))


def _by_model(board: Leaderboard) -> dict[Key, RankedRow]:
    """Return the rows by what makes them the same model elsewhere: params, but the name alone of what was tuned."""
    tuned = Counter(ranked.row.key.subject for ranked in board.rows if ranked.row.key.tuned)
    return {
        Key(key.component, key.subject, True, ()) if key.tuned and tuned[key.subject] == 1 else key: ranked
        for ranked in board.rows
        if (key := ranked.row.key)
    }
