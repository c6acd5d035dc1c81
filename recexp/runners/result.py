"""RunResult: the result of one run."""

from dataclasses import dataclass

from recexp.metric_names import headlines
from recexp.models.fitted import FittedModel
from recexp.tracking import CompleteRun, Store


@dataclass(frozen=True, repr=False)
class RunResult:
    """One finished run.

    Attributes
    ----------
    run_id, link, leaderboard : the run's id and links in the tracking store.
    metrics, intervals : values by full metric name.
    final : the part whose metrics are the result.
    model : the fitted model, or None.
    shown : (item id, name, score) of each item recommended to the user that the experiment shows.
    reused : whether the run already existed.
    """

    run_id: str
    link: str
    leaderboard: str
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    final: str
    model: FittedModel | None = None
    shown: tuple[tuple[int | str, str, float], ...] = ()
    reused: bool = False

    @classmethod
    def of_stored(cls, run: CompleteRun, store: Store, final: str) -> "RunResult":
        """Return the result of a run that was already in the store."""
        return cls(run.id, store.link(run.id), store.leaderboard, run.metrics, {}, final, reused=True)

    def __repr__(self) -> str:
        first = next((f"{name}={self.metrics[name]:.4f}" for name in headlines(self.metrics, self.final)), "no metrics")
        return f"RunResult({first}, run_id={self.run_id!r}, {self.link})"
