"""The learning curve of users: how good lists are after so many known interactions."""

from collections.abc import Mapping
from dataclasses import dataclass

from recexp import charts
from recexp.evaluation.evaluation import EvaluationResult
from recexp.evidence.plots import Plot
from recexp.evidence.table import Table
from recexp.metric_names import headlines, pretty


@dataclass(frozen=True)
class UserCurve:
    """What was found at each point: results of the same queries by the number of known interactions."""

    results: Mapping[int, EvaluationResult]

    @property
    def metrics(self) -> dict[str, float]:
        """Values by full name: `after_5/ndcg_at_10`."""
        return {
            f"after_{n}/{name}": value for n, found in self.results.items() for name, value in found.metrics.items()
        }

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """(low, high) by full name."""
        return {
            f"after_{n}/{name}": pair for n, found in self.results.items() for name, pair in found.intervals.items()
        }

    @property
    def _headline(self) -> str:
        return headlines(next(iter(self.results.values())).metrics)[0]

    @property
    def table(self) -> Table:
        """The headline at each point, with its interval."""
        name = self._headline
        rows = []
        for n, found in self.results.items():
            low, high = found.intervals.get(name, (float("nan"),) * 2)
            rows.append((str(n), f"{found.metrics[name]:.4f}", f"{low:.4f} to {high:.4f}"))
        return Table(("known interactions", pretty(name), "interval"), rows)

    @property
    def plot(self) -> Plot:
        """The headline over the number of known interactions."""
        name = self._headline
        points = [(float(n), found.metrics[name]) for n, found in self.results.items()]
        picture = charts.lines({pretty(name): points}, "known interactions", pretty(name))
        return Plot(f"{pretty(name)} by known interactions of the same users", picture)
