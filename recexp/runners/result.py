"""RunResult: what became of one run."""

from dataclasses import dataclass

from recexp.metric_names import headlines
from recexp.models.fitted import FittedModel
from recexp.tracking import CompleteRun, Store


@dataclass(frozen=True, repr=False)
class RunResult:
    """One finished run.

    Attributes
    ----------
    run_id, link, leaderboard : its id and links in the tracking store.
    metrics, intervals : by full name.
    final : the part whose metrics count.
    model : what was fitted, or None.
    shown : (item id, name, score) of what it recommends to the user that the experiment shows.
    reused : whether the run was there already.
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
        """Return the result of a run that was in the store already."""
        return cls(run.id, store.link(run.id), store.leaderboard, run.metrics, {}, final, reused=True)

    def __repr__(self) -> str:
        first = next((f"{name}={self.metrics[name]:.4f}" for name in headlines(self.metrics, self.final)), "no metrics")
        return f"RunResult({first}, run_id={self.run_id!r}, {self.link})"
