"""RunContext: the services available to a run in progress."""

from dataclasses import dataclass, replace
from pathlib import Path

from recexp.algorithms.fit_context import LogStep, PrefixedStep, ignore_step
from recexp.cost import Costs


@dataclass(frozen=True)
class RunContext:
    """The services available to a run in progress: logs of costs and learning curves, and a checkpoint folder.

    The folder is not yet created; it belongs to the run's identity and is kept until the run is complete.
    """

    costs: Costs
    log_step: LogStep = ignore_step
    checkpoint: Path | None = None

    def staged(self, stage: str) -> "RunContext":
        """Return the context of one of several fits of a run, with separate curves and checkpoints."""
        folder = None if self.checkpoint is None else self.checkpoint / stage
        return replace(self, log_step=PrefixedStep(self.log_step, stage), checkpoint=folder)
