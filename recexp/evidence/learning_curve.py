"""The learning curve of users: how good lists are after so many known interactions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recexp import charts
from recexp.evidence.plots import Plot
from recexp.evidence.recommendations import PartResult
from recexp.evidence.table import Table
from recexp.metric_names import headlines, pretty


@dataclass(frozen=True)
class UserCurve:
    """What was found at each point: answers to the same queries by the number of known interactions.

    The parts are called `after_5`, so that values are `after_5/ndcg_at_10`.
    """

    points: Mapping[int, PartResult]

    @property
    def metrics(self) -> dict[str, float]:
        """Values by full name."""
        return {name: value for part in self.points.values() for name, value in part.metrics.items()}

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """(low, high) by full name."""
        return {name: pair for part in self.points.values() for name, pair in part.intervals.items()}

    @property
    def values(self) -> dict[str, np.ndarray]:
        """Values of each query, float64 (b,) by full name."""
        parts = self.points.values()
        return {f"{part.name}/{name}": column for part in parts for name, column in part.results.per_query.items()}

    @property
    def _headline(self) -> str:
        return headlines(next(iter(self.points.values())).results.metrics)[0]

    @property
    def table(self) -> Table:
        """The headline at each point, with its interval, and the share of lists that come from the fallback."""
        name = self._headline
        rows = []
        for known, part in self.points.items():
            low, high = part.results.intervals.get(name, (float("nan"),) * 2)
            value, interval = f"{part.results.metrics[name]:.4f}", f"{low:.4f} to {high:.4f}"
            rows.append((str(known), value, interval, f"{part.fallback_share:.1%}"))
        return Table(("known interactions", pretty(name), "interval", "fallback lists"), rows)

    @property
    def plot(self) -> Plot:
        """The headline over the number of known interactions."""
        name = self._headline
        points = [(float(known), part.results.metrics[name]) for known, part in self.points.items()]
        picture = charts.lines({pretty(name): points}, "known interactions", pretty(name))
        return Plot(f"{pretty(name)} by known interactions of the same users", picture)
