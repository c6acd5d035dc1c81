"""The results of a comparison: options, leaderboards, tested pairs, ranks over datasets."""

import math
from dataclasses import dataclass, replace

import numpy as np

from recexp.comparison.groups import ComparisonGroup
from recexp.comparison.rows import Row


@dataclass(frozen=True)
class Options:
    """How to compare.

    Attributes
    ----------
    metric : `ndcg_at_10`, or with its part `test/ndcg_at_10`; None: the headline of the newest run.
    baseline : the row that others are tested against; None: all pairs of the best rows are tested.
    test : one of statistics.TESTS. correction : one of statistics.CORRECTIONS.
    confidence : of intervals; differences are significant below 1 - confidence. resamples : of users, for intervals.
    columns : further metrics that are shown, named as `metric` is; none: those at the headline's cut-off.
    """

    metric: str | None
    baseline: str | None
    test: str
    correction: str
    confidence: float
    resamples: int
    columns: tuple[str, ...] = ()

    @property
    def alpha(self) -> float:
        """The largest p-value that is significant."""
        return 1 - self.confidence


@dataclass(frozen=True)
class RankedRow:
    """A row of a leaderboard: mean and deviation over seeds and folds (NaN of one run), interval over units (or NaN).

    `cpu_seconds` are those of fitting and recommending in its cheapest run, as other work on the machine only adds to
    them; `most_cpu_seconds` those in its most expensive run; NaN: not known.
    """

    row: Row
    mean: float
    deviation: float
    low: float
    high: float
    cpu_seconds: float
    most_cpu_seconds: float

    def value(self, name: str) -> float:
        """Return the mean of a shown metric, NaN where there is none."""
        return self.row.mean(name) if any(name in run.metrics for run in self.row.runs) else math.nan


@dataclass(frozen=True)
class Pair:
    """Two rows compared unit by unit on the splits that both have, by their labels.

    Attributes
    ----------
    first, second : labels.
    difference : of the means over the common splits, first - second; NaN, as p is, where there are none.
    p, adjusted : of the test, and corrected.
    ahead : 1 if the first is significantly better, -1 if the second is, else 0. Significantly better: unit by unit, and
        in the mean over the common splits, too.
    users : that both have.
    d_z, rank_biserial, wins, ties, losses : see `Effects`; positive ones and wins are the first's.
    """

    first: str
    second: str
    difference: float
    p: float
    adjusted: float
    ahead: int
    users: int
    d_z: float
    rank_biserial: float
    wins: int
    ties: int
    losses: int

    def turned(self) -> "Pair":
        """Return the same pair with the second row first."""
        return replace(
            self,
            first=self.second,
            second=self.first,
            difference=-self.difference,
            ahead=-self.ahead,
            d_z=-self.d_z,
            rank_biserial=-self.rank_biserial,
            wins=self.losses,
            losses=self.wins,
        )


@dataclass(frozen=True)
class Leaderboard:
    """The rows of one group, the best first, and the pairs tested. `reference` is the label others are set against: the
    baseline, or else the best."""

    group: ComparisonGroup
    rows: list[RankedRow]
    pairs: list[Pair]
    reference: str

    def against_reference(self, label: str) -> Pair | None:
        """Return the pair of a row with the reference, if it was tested; the row comes first."""
        for pair in self.pairs:
            if (pair.first, pair.second) == (label, self.reference):
                return pair
            if (pair.second, pair.first) == (label, self.reference):
                return pair.turned()
        return None


@dataclass(frozen=True)
class RankComparison:
    """Models over several settings (datasets), by mean rank: Friedman's test (NaN with fewer than three models), the
    critical difference of Nemenyi's, and the groups that it cannot tell apart."""

    settings: list[str]
    labels: list[str]
    mean_ranks: np.ndarray
    chi2: float
    p: float
    difference: float
    groups: list[list[int]]


@dataclass(frozen=True)
class Comparison:
    """What was found.

    Attributes
    ----------
    metric : full name of the one compared by. unit : what its values are of. options : as given.
    higher_is_better : which way each shown metric improves, the compared one first; None: neither.
    formulas : what those of them whose definition is known are, in a line.
    beyond : those of them that do not look at what is relevant: novelty, diversity, coverage.
    boards : a leaderboard a group. ranks : over several groups.
    notes : what was left out, and why.
    """

    metric: str
    unit: str
    options: Options
    higher_is_better: dict[str, bool | None]
    formulas: dict[str, str]
    beyond: list[str]
    boards: list[Leaderboard]
    ranks: RankComparison | None
    notes: list[str]
