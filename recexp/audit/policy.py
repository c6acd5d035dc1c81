"""Audit: which checks are made of a split, and what becomes of what they find."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal

from recexp.audit.duplicate_users import duplicate_users
from recexp.audit.features import leaking_features
from recexp.audit.report import AuditReport, Claim
from recexp.audit.rows import answers_in_histories, had_before, repeats, unseen
from recexp.audit.time_order import time_order
from recexp.data import Interactions, Split
from recexp.errors import LeakageError
from recexp.params import OpenFraction, params

log = logging.getLogger(__name__)

UNCLAIMED: Mapping[Claim, tuple[str, ...]] = {
    "mixed": ("older_than_train", "older_than_history"),
    "history": ("older_than_train",),
}
"""What a splitter that makes a claim does not claim to avoid: kept with the run, it would only alarm in the log."""


@params
class Audit:
    """Looks for leaks in each split before anything is fitted.

    Each run has what it found as metrics, audit/NAME, and in its description; what is called a finding there is a leak,
    other values are only told. repeated_pairs: the share of the test's user-item pairs that are in train. copied_rows:
    the share of its rows that are there with the same time and event. answers_in_histories: the share of what is asked
    for that the model is shown. All three may be habits: where people come back to items they are findings only if far
    above what train has within itself. twin_users: the share of the test's users who have nearly the same items as
    another in train. new_users, new_items: the share that train does not know. leaking_features: numeric columns
    that were computed with test rows, and context columns that tell the rating or label of their row.

    Parameters
    ----------
    policy : off; warn: findings are logged and stand in the run's description; error: they refuse the run.
    similarity : share of their items in common (Jaccard) from which on two users are duplicates.
    """

    policy: Literal["off", "warn", "error"]
    similarity: OpenFraction

    def inspect(
        self,
        split: Split,
        claim: Claim,
        unfiltered: Interactions | None = None,
        merged: Interactions | None = None,
    ) -> AuditReport:
        """Return what is found in `split`, whose splitter says of time what `claim` says.

        `unfiltered` are the rows of its users and items before filters, None: no question is asked about them. `merged`
        are the rows that were split, where filters then merged those of the same user and item in each part.
        Raises LeakageError for a finding under the policy error.
        """
        if self.policy == "off":
            return AuditReport()
        checked = AuditReport.merged(self._checks(split, claim, unfiltered, merged))
        found = replace(checked, expected=UNCLAIMED.get(claim, ()))
        shown = [f"{name} {value:.4g}" for name, value in found.metrics.items() if name not in found.expected]
        log.info(
            "audit: %s%s",
            ", ".join(shown),
            " (this split does not separate past and future)" if claim == "mixed" else "",
        )
        if found.findings and self.policy == "error":
            raise LeakageError(f"audit: {'; '.join(found.findings)}. audit.policy=warn runs it anyway")
        for finding in found.findings:
            log.warning("audit: %s", finding)
        return found

    def _checks(
        self, split: Split, claim: Claim, unfiltered: Interactions | None, merged: Interactions | None
    ) -> Iterator[AuditReport]:
        yield time_order(split, claim)
        yield repeats(split.train.interactions, split.test, merged)
        yield answers_in_histories(split, merged)
        yield unseen(split.train.interactions, split.test)
        if unfiltered is not None and claim in ("history", "point"):
            yield had_before(split, unfiltered)
        yield duplicate_users(split, self.similarity)
        yield leaking_features(split.train, split.test, claim)
        if (inner := split.validation) is not None:
            yield time_order(inner, claim).about("validation")
            yield repeats(inner.train.interactions, inner.test, merged).about("validation")
            yield answers_in_histories(inner, merged).about("validation")
            yield repeats(inner.train.interactions, split.test, merged).about("train of validation against test")
