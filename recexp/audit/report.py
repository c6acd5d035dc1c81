"""AuditReport: what an audit, or one check of it, found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

Claim = Literal["mixed", "history", "point"] | None
"""What a splitter says of time (`Splitter.time`)."""


@dataclass(frozen=True)
class AuditReport:
    """What was found.

    Attributes
    ----------
    metrics : shares and counts by name, `older_than_train` ...
    findings : leaks, a sentence each; none in a sound split.
    facts : what is so by the kind of split, and good to know.
    expected : the metrics that this kind of split does not claim to keep at zero.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()

    @staticmethod
    def merged(reports: Iterable["AuditReport"]) -> "AuditReport":
        """Return one report of several, in order."""
        reports = list(reports)
        return AuditReport(
            {name: value for report in reports for name, value in report.metrics.items()},
            tuple(chain.from_iterable(report.findings for report in reports)),
            tuple(chain.from_iterable(report.facts for report in reports)),
        )

    def about(self, part: str) -> "AuditReport":
        """Return the findings alone, each saying which part of the split it is about."""
        return AuditReport(findings=tuple(f"{part}: {finding}" for finding in self.findings))
