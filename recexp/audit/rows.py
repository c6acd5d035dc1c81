"""Are rows of the test in train, and whom and what does train not know?"""

import numpy as np

from recexp.audit.report import AuditReport
from recexp.data import Interactions, Split

MORE = 2.0
"""A test has at most this many times as many copies of train rows as train has of its own, unless it was planted."""
CHANCE = 3.0
"""Standard deviations by which a share may be above that, by chance."""


def repeats(train: Interactions, test: Interactions, merged: Interactions | None = None) -> AuditReport:
    """Look for test rows in train.

    Metrics: the share of the test's user-item pairs that are in train, and of its rows that are the very same row
    there (time and event too). Where train has no pair twice, a pair in both is a finding; where people come back to
    items it may be a habit, and is one only if pairs, or whole rows, recur far more often than within train, or, where
    filters merged the pairs of each part, than within the rows before, `merged`.
    """
    habits = train if merged is None else merged
    pairs, asked = train.csr(values=False), test.csr(values=False)
    repeated = pairs.multiply(asked).nnz / asked.nnz
    once, timed = (
        merged is None and pairs.nnz == len(train),
        train.timestamps is not None and test.timestamps is not None,
    )
    copied, usual = repeated, 0.0
    if not once and timed:
        rows = np.unique(_row_keys(train))
        usual = 1 - len(rows if merged is None else np.unique(_row_keys(habits))) / len(habits)
        copied = float(np.mean(_are_in(_row_keys(test), rows)))
    findings = []
    if not once and timed and copied > MORE * usual:
        findings.append(f"{copied:.2%} of the test rows are also in train (same user, item and time)")
    elif repeated > _unusual(habits, asked.nnz, once):
        findings.append(f"{repeated:.2%} of the test rows are also in train (same user and item)")
    metrics = {"repeated_pairs": repeated} | ({"copied_rows": copied} if once or timed else {})
    return AuditReport(metrics, tuple(findings))


def answers_in_histories(split: Split, merged: Interactions | None = None) -> AuditReport:
    """Look for what is asked for in the very histories that are shown to the model.

    Metric: the share of the queries' held-out items that are in their history. A finding as it is in `repeats`.
    """
    train, target = split.train.interactions, split.target
    shown = float(np.mean(split.queries.held(target)))
    once = merged is None and train.csr(values=False).nnz == len(train)
    findings = []
    if shown > _unusual(train if merged is None else merged, max(1, target.nnz), once):
        findings.append(f"{shown:.2%} of the targets are in the histories that the model sees")
    return AuditReport({"answers_in_histories": shown}, tuple(findings))


def _unusual(train: Interactions, n: int, once: bool) -> float:
    """Return the share of `n` pairs up to which they may well be in train.

    It goes by the share of train's rows whose pair train has elsewhere too: of all, of each user's last, or of the
    newest tenth, whichever has most, for what is held out may be rows of any such kind.
    """
    if once:
        return 0.0
    pairs = train.users.astype(np.int64) * train.n_items + train.items
    _, index, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    again = counts[index] > 1
    order = train.time_order()
    last = np.full(train.n_users, -1)
    last[train.users[order]] = order
    kinds = (again, again[last[last >= 0]], again[order[-max(1, len(train) // 10) :]])
    usual = min(1.0, MORE * max(float(np.mean(kind)) for kind in kinds))
    return usual + CHANCE * float(np.sqrt(usual * (1 - usual) / n))


def unseen(train: Interactions, test: Interactions) -> AuditReport:
    """Return the shares of the test's users and of its items that have no train row; no finding by itself."""
    known = {"users": train.used_users, "items": train.used_items}
    asked = {"users": test.used_users, "items": test.used_items}
    shares = {f"new_{side}": 1 - float(np.mean(_are_in(asked[side], known[side]))) for side in known}
    return AuditReport(shares)


def had_before(split: Split, unfiltered: Interactions) -> AuditReport:
    """Return the share of targets whose user had a row with the item before the test began; no finding by itself.

    The test begins at one point for all, or with the first row that a query asks about. `unfiltered` holds the rows
    before filters: what these dropped, or merged into a later row, the user had all the same.
    """
    queries, target = split.queries, split.target
    if unfiltered.timestamps is None or queries.timestamps is None:
        return AuditReport()
    asks = np.repeat(np.arange(len(queries)), np.diff(target.indptr))
    pairs, place = np.unique(queries.users[asks] * np.int64(target.shape[1]) + target.indices, return_inverse=True)
    of_user, of_item = np.zeros(unfiltered.n_users, bool), np.zeros(target.shape[1], bool)
    of_user[queries.users], of_item[target.indices] = True, True
    rows = np.flatnonzero(of_user[unfiltered.users] & of_item[unfiltered.items])
    had = unfiltered.users[rows] * np.int64(target.shape[1]) + unfiltered.items[rows]
    at = np.searchsorted(pairs, had).clip(max=len(pairs) - 1)
    same = pairs[at] == had
    first = np.full(len(pairs), np.iinfo(np.int64).max)
    np.minimum.at(first, at[same], unfiltered.timestamps[rows[same]])
    begin = queries.timestamps[asks] if split.begin is None else split.begin
    share = float(np.mean(first[place] < begin))
    fact = (
        f"{share:.1%} of the targets are items that the user already had before the test began (in the unfiltered log)"
    )
    return AuditReport({"targets_had_before": share}, facts=(fact,))


def _row_keys(rows: Interactions) -> np.ndarray:
    """Return a number for each row, uint64 (m,), equal for equal user, item, time and event; others share none."""
    key = rows.users.astype(np.uint64) * np.uint64(rows.n_items) + rows.items.astype(np.uint64)
    for column in (rows.timestamps, None if rows.events is None else rows.events.values):
        if column is not None:
            key = (key ^ (key >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) + column.astype(np.uint64)
    return key


def _are_in(wanted: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return bool: which of `wanted` are in `known`, which is sorted."""
    if not len(known):
        return np.zeros(len(wanted), bool)
    return known[np.searchsorted(known, wanted).clip(max=len(known) - 1)] == wanted
