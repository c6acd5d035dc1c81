"""RunContext: what a run in progress is given."""

from dataclasses import dataclass, replace
from pathlib import Path

from recexp.algorithms.fit_context import LogStep, PrefixedStep, ignore_step
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
        return replace(self, log_step=PrefixedStep(self.log_step, stage), checkpoint=folder)
