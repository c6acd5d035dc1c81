"""FitContext: the inputs of a fit other than the data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from recexp.rng import generator

LogStep = Callable[[int, Mapping[str, float]], None]
"""`log_step(step, {"loss": 0.3})`: a point of a learning curve, for models that train in steps."""

Validate = Callable[[Any], float]
"""`validate(model)` rates a model on held-out data inside train by the headline metric; higher is better."""


def ignore_step(step: int, values: Mapping[str, float]) -> None:
    """Ignore a point of a learning curve (the default)."""


@dataclass(frozen=True)
class PrefixedStep:
    """Logs the points of one of several fits: `loss` of the part `mlp` is `mlp_loss`."""

    log_step: LogStep
    name: str

    def __call__(self, step: int, values: Mapping[str, float]) -> None:
        """Log one point."""
        self.log_step(step, {f"{self.name}_{key}": value for key, value in values.items()})


@dataclass(frozen=True, kw_only=True)
class FitContext:
    """The inputs of `fit` other than the data. Every attribute has a default: `model.fit(train)` works in a notebook.

    Attributes
    ----------
    rng : the source of all randomness of this fit; by default, every context has the same seed.
    log_step : receives the points of learning curves.
    catalogue : bool (n_items,), the recommendable items; None: all. TF-IDF and BM25 count only these.
    validate : evaluates the model on held-out data; None: no held-out data.
    device : compute device, as named by torch; "auto": the best available.
    precision : number format of network computations, float32 or bfloat16; weights are always float32.
    threads : maximum number of threads; None: `recexp.threads.count`.
    checkpoint : folder for the checkpoints of a long training; None: no checkpoints.
    deadline : time on `time.monotonic()` by which the model should stop training; None: no limit.
    """

    rng: np.random.Generator = field(default_factory=lambda: generator(0, "fit"))
    log_step: LogStep = ignore_step
    catalogue: np.ndarray | None = None
    validate: Validate | None = None
    device: str = "auto"
    precision: str = "float32"
    threads: int | None = None
    checkpoint: Path | None = None
    deadline: float | None = None

    def of_part(self, name: str, rng: np.random.Generator) -> Self:
        """Return the context for fitting a part of a model, with a separate random stream, curves and folder."""
        checkpoint = self.checkpoint / name if self.checkpoint else None
        return replace(self, rng=rng, log_step=PrefixedStep(self.log_step, name), checkpoint=checkpoint)
