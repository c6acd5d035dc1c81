"""Are rows of the test in train, and whom and what does train not know?"""

import numpy as np

from recexp.audit.report import Report
from recexp.data import Interactions

MORE = 2.0
"""A test has at most this many times as many copies of train rows as train has of its own, unless it was planted."""


def repeats(train: Interactions, test: Interactions) -> Report:
    """Look for test rows in train.

    Metrics: the share of the test's user-item pairs that are in train, and of its rows that are the very same row
    there (time and event too). Where train has no pair twice, a pair in both is a finding; where people come back to
    items, it is a habit, and only copies of whole rows are, if they are more frequent than within train.
    """
    pairs, asked = train.csr(values=False), test.csr(values=False)
    repeated = pairs.multiply(asked).nnz / asked.nnz
    once, timed = pairs.nnz == len(train), train.timestamps is not None and test.timestamps is not None
    copied, usual = repeated, 0.0
    if not once and timed:
        rows = np.unique(_whole(train))
        copied, usual = float(np.mean(_within(_whole(test), rows))), 1 - len(rows) / len(train)
    findings = []
    if (once or timed) and copied > MORE * usual:
        what = "user and item" if once else "user, item and time"
        findings.append(f"{copied:.2%} of the test rows are in train too (the same {what})")
    metrics = {"repeated_pairs": repeated} | ({"copied_rows": copied} if once or timed else {})
    return Report(metrics, tuple(findings))


def strangers(train: Interactions, test: Interactions) -> Report:
    """Return the shares of the test's users and of its items that have no train row; no finding by itself."""
    known = {"users": train.used_users, "items": train.used_items}
    asked = {"users": test.used_users, "items": test.used_items}
    shares = {f"new_{side}": 1 - float(np.mean(_within(asked[side], known[side]))) for side in known}
    return Report(shares)


def _whole(rows: Interactions) -> np.ndarray:
    """Return a number for each row, uint64 (m,), equal for equal user, item, time and event; others share none."""
    key = rows.users.astype(np.uint64) * np.uint64(rows.n_items) + rows.items.astype(np.uint64)
    for column in (rows.timestamps, None if rows.events is None else rows.events.values):
        if column is not None:
            key = (key ^ (key >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) + column.astype(np.uint64)
    return key


def _within(wanted: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return bool: which of `wanted` are in `known`, which rises."""
    if not len(known):
        return np.zeros(len(wanted), bool)
    return known[np.searchsorted(known, wanted).clip(max=len(known) - 1)] == wanted
