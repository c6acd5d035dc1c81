"""RunContext: what a run in progress is given."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from recexp.algorithms.fit_context import LogStep, ignore_step
from recexp.cost import Costs


@dataclass(frozen=True)
class RunContext:
    """What a run in progress is given: where its costs and learning curves go, and a folder for checkpoints.

    The folder is not there yet; it is kept by the run's identity until the run is complete.
    """

    costs: Costs
    log_step: LogStep = ignore_step
    checkpoint: Path | None = None

    def staged(self, stage: str) -> "RunContext":
        """Return the context of one of several fits of a run: its curves and checkpoints are its own."""
        folder = None if self.checkpoint is None else self.checkpoint / stage
        return replace(self, log_step=PrefixedStep(self.log_step, f"{stage}_"), checkpoint=folder)


@dataclass(frozen=True)
class PrefixedStep:
    """Logs steps with a prefix before their names."""

    log_step: LogStep
    prefix: str

    def __call__(self, step: int, values: Mapping[str, float]) -> None:
        """Log one point."""
        self.log_step(step, {f"{self.prefix}{name}": value for name, value in values.items()})
