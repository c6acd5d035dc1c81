"""Were features of users and items computed with test rows, and does the context of rows tell what is predicted?"""

from collections.abc import Iterator

import numpy as np

from recexp.audit import count_leaks
from recexp.audit.report import AuditReport, Claim
from recexp.data import Column, Dataset, Interactions

EXPLAINED = 0.95
"""Share of a column's variance from which on a statistic of all rows explains it."""
CLEARER = 4.0
"""The same statistic of train alone must leave this many times as much unexplained."""
ENOUGH = 10
"""Fewer users or items than this say nothing."""


def leaking_features(train: Dataset, test: Interactions, claim: Claim) -> AuditReport:
    """Look for numeric columns that were computed with test rows, and for context that tells ratings or labels.

    They follow a count or a mean of train and test together, and not of train alone: both statistics, of rows and of
    values by user or item, are compared with the column, as they are and by rank (a logarithm leaks as well). A feature
    that was computed from train rows follows those of train better; price, age and year follow neither. Or they tell
    how many test rows there are, see `count_leaks.telling_columns`; `claim` is what the splitter says of time.
    """
    rows, findings = train.interactions, []
    sides = (("user", train.users, rows.users, test.users), ("item", train.items, rows.items, test.items))
    for side, table, learned, held in sides:
        columns = {name: column for name, column in table.items() if column.kind in ("numeric", "price")}
        if not columns:
            continue
        n, found = train.n_users if side == "user" else train.n_items, set()
        for name, statistic in _statistics(n, (learned, rows.values), (held, test.values)):
            for column, values in columns.items():
                both = _explained(values, *statistic)
                if both is not None:
                    found.add(column)
                    findings.append(
                        f"{side} column {column} correlates with the {name} of train and test rows together "
                        f"(R2 {both[0]:.3f}), not of train alone (R2 {both[1]:.3f})"
                    )
        rest = {name: column.values for name, column in columns.items() if name not in found}
        for column, share in count_leaks.telling_columns(rest, learned, held, n, claim).items():
            findings.append(
                f"{side} column {column} predicts the number of test rows better than train rows do "
                f"(partial R2 {share:.3f})"
            )
    findings += _telling_context(rows)
    return AuditReport({"leaking_features": float(len(findings))}, tuple(findings))


def _telling_context(rows: Interactions) -> Iterator[str]:
    """Yield what is wrong with context columns that are the rating or label of their row, or from which it follows.

    Each value of such a column stands beside one rating alone. One of as many values as there are ratings must repeat
    them, one of more values must do so often, as a number of the row itself would be one otherwise.
    """
    known = np.flatnonzero(~np.isnan(rows.values))
    if not rows.explicit or not len(known):
        return
    ratings, rating = np.unique(rows.values[known], return_inverse=True)
    for name, column in rows.context.items():
        if column.kind not in ("numeric", "price", "category") or len(ratings) < 2:
            continue
        n, value = _numbered(column.values[known])
        pairs = len(np.unique(value * len(ratings) + rating))
        often = 2 if n == len(ratings) else ENOUGH
        if pairs == n and len(known) >= often * n:
            yield f"context column {name} tells the rating or label of its row, leave it out of dataset.context"


def _numbered(values: np.ndarray) -> tuple[int, np.ndarray]:
    """Return how many different values there are, a missing one among them, and each one's number, int64 (n,)."""
    different, numbers = np.unique(values, return_inverse=True)
    return len(different), numbers


def _statistics(
    n: int, train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]
) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """Yield name and float64 (n,) of all rows and of train's; NaN where train has none."""

    def totals(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
        given = np.isfinite(values)
        if not given.all():
            codes, values = codes[given], values[given]
        return np.stack([np.bincount(codes, minlength=n), np.bincount(codes, values, n)])

    known = np.bincount(train[0], minlength=n).astype(float)
    known[known == 0] = np.nan
    yield "number", (known + np.bincount(test[0], minlength=n), known)
    if (train[1] != 1).any():  # where all values are 1, means say nothing
        learned, held = totals(*train), totals(*test)
        with np.errstate(invalid="ignore", divide="ignore"):
            yield "mean value", ((learned + held)[1] / (learned + held)[0], learned[1] / learned[0])


def _explained(column: Column, whole: np.ndarray, learned: np.ndarray) -> tuple[float, float] | None:
    """Return R2 of the column on the statistic of all rows and on that of train, where the first alone explains it."""
    used = np.isfinite(column.values) & np.isfinite(whole) & np.isfinite(learned)
    if used.sum() < ENOUGH:
        return None
    values, whole, learned = column.values[used].astype(float), whole[used], learned[used]
    for view in (np.asarray, _ranks):
        first, second = (_r2(view(values), view(other)) for other in (whole, learned))
        if first >= EXPLAINED and (1 - second) > CLEARER * (1 - first) + 1e-9:
            return first, second
    return None


def _ranks(values: np.ndarray) -> np.ndarray:
    return np.unique(values, return_inverse=True)[1].astype(float)


def _r2(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    spread = (a @ a) * (b @ b)
    return float((a @ b) ** 2 / spread) if spread > 0 else 0.0
