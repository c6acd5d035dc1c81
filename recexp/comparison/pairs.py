"""Paired tests of rows, unit by unit, on the splits that two rows share."""

import math
from collections.abc import Sequence

import numpy as np

from recexp.comparison.results import Options, Pair
from recexp.comparison.rows import Row
from recexp.comparison.unit_values import Values
from recexp.metrics.base import Metric
from recexp.rng import generator
from recexp.statistics import CORRECTIONS, TESTS, TIE, Effects, least


def compare_pairs(
    rows: Sequence[Row],
    best: Sequence[Row],
    baseline: Row | None,
    values: Values,
    name: str,
    metric: Metric,
    options: Options,
    unit: str,
) -> tuple[list[Pair], list[str]]:
    """Test each of the best rows against the baseline, or else all pairs, the better row first; also return notes.

    `best` were chosen from `rows` by the values that are tested, so the correction counts all pairs of `rows`.
    """
    indices = range(len(best))
    if baseline is None:
        pairs = [(a, b) for a in indices for b in indices if a < b]
        m = math.comb(len(rows), 2)
    else:
        pairs = [(a, best.index(baseline)) for a in indices if best[a] is not baseline]
        m = len(rows) - 1
    if not pairs:
        return [], []
    sign = 1 if metric.higher_is_better else -1
    apart = sign * values.differences(*np.array(pairs).T)
    apart[np.abs(apart) <= TIE] = 0.0  # they differ in rounding alone
    p = TESTS[options.test](apart, rng=generator(0, "compare", options.test))
    m -= int(np.isnan(p).sum())  # without a common split there is nothing to choose by
    adjusted = CORRECTIONS[options.correction].adjust(p, m)
    means = [row.by_split(name) for row in best]
    shifts = [_shift(means[a], means[b]) for a, b in pairs]
    tested = _pairs([(best[a].label, best[b].label) for a, b in pairs], shifts, p, adjusted, apart, sign, options)
    notes = []
    if len(best) < len(rows):
        notes.append(
            f"intervals and tests cover the best {len(best)} of {len(rows)} models; p is corrected for all {m:,} "
            "possible comparisons, because the best were chosen by the tested values"
        )
    both = [pair.users for pair in tested if pair.users]
    if both and min(both) < values.n_units:
        notes.append(
            f"means are over the {unit}s for which a model has a value; tests over those for which both "
            f"have one, at least {min(both):,} of {values.n_units:,}"
        )
    return tested, notes + _floor(p, m, f"{values.n_units} {unit}s", least(values.n_units), options)


def _pairs(
    labels: Sequence[tuple[str, str]],
    shifts: Sequence[float],
    p: np.ndarray,
    adjusted: np.ndarray,
    apart: np.ndarray,
    sign: int,
    options: Options,
) -> list[Pair]:
    effects = Effects.of(apart)
    made = []
    for i, (first, second) in enumerate(labels):
        shift, ahead = shifts[i], 0
        if adjusted[i] <= options.alpha and sign * shift * effects.mean[i] > 0:
            ahead = 1 if effects.mean[i] > 0 else -1
        made.append(
            Pair(
                first=first,
                second=second,
                difference=shift,
                p=float(p[i]),
                adjusted=float(adjusted[i]),
                ahead=ahead,
                users=int(effects.n[i]),
                d_z=float(effects.d_z[i]),
                rank_biserial=float(effects.rank_biserial[i]),
                wins=int(effects.wins[i]),
                ties=int(effects.ties[i]),
                losses=int(effects.losses[i]),
            )
        )
    return made


def _shift(first: dict[str, float], second: dict[str, float]) -> float:
    """Return the mean difference over the splits common to both, NaN where there are none."""
    apart = [first[split] - second[split] for split in first if split in second]
    return sum(apart) / len(apart) if apart else math.nan


def _floor(p: np.ndarray, m: int, units: str, floor: float, options: Options) -> list[str]:
    """Say so if the permutation test could not find any difference significant, however large."""
    tested = np.count_nonzero(~np.isnan(p))
    if options.test != "permutation" or not tested:
        return []
    corrected = float(CORRECTIONS[options.correction].adjust(np.full(tested, floor), m).min())
    if corrected <= options.alpha:
        return []
    return [
        f"no difference can be significant: the smallest p of the permutation test, {floor:.2g}, is {corrected:.2g} "
        f"after correction for {m:,} comparisons of {units}; --test t has no smallest p"
    ]
