"""Is train older than what is asked?"""

import numpy as np

from recexp.audit.report import AuditReport, Claim
from recexp.data import Split

NEARLY = 0.02
"""A split whose rows are in time order but for less than this share was meant to be in time order."""


def time_order(split: Split, claim: Claim) -> AuditReport:
    """Compare the times of what is asked with those of train and of each user's own history.

    Metrics: the shares of what is asked that is older than the newest train row, and than the newest row of the asking
    user's history. Equal times are no overlap. Findings: a row out of order where the splitter claims order (`point`
    for all of train, `history` for each user's own), or one of a few such rows where it claims nothing.
    """
    train, queries = split.train.interactions.timestamps, split.queries
    times, history = _asked(split)
    if train is None or times is None or queries.log.timestamps is None or not len(times):
        return AuditReport()
    older, own = float(np.mean(times < train.max())), float(np.mean(times < history))
    late = int((train > times.min()).sum())
    findings, facts = [], []
    if (claim == "point" and late) or (claim is None and 0 < late < NEARLY * len(train)):
        findings.append(f"{late} train rows are newer than the oldest target")
    if (claim in ("point", "history") and own) or (claim is None and 0 < own < NEARLY):
        findings.append(f"{own:.2%} of the targets are older than the user's newest history row")
    if claim == "mixed":
        facts.append("this split mixes times: models learn from rows newer than the targets")
    elif claim == "history":
        facts.append("each user's history is older than the targets, but train rows of other users may be newer")
    return AuditReport({"older_than_train": older, "older_than_history": own}, tuple(findings), tuple(facts))


def _asked(split: Split) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the time of each row asked for, int64 (m,), and of the newest history row of its query."""
    queries, test = split.queries, split.test
    never = np.iinfo(np.int64).min
    if queries.log.timestamps is None or not len(queries.log):
        return test.timestamps, np.full(len(test), never)
    last = np.maximum(queries.stop, 1) - 1
    newest = np.where(queries.lengths > 0, queries.log.timestamps[last], never)
    if np.bincount(queries.users + 1, minlength=1).max() > 1:
        return queries.timestamps, newest  # each query asks for one row
    of_user = np.full(test.n_users, never)
    of_user[queries.users] = newest
    return test.timestamps, of_user[test.users]
