"""FitContext: what a model may need while it is fitted, beside the data."""

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
    """Ignore a point of a learning curve: the default."""


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
    """What `fit` is given beside the data. Every attribute has a default: `model.fit(train)` works in a notebook.

    Attributes
    ----------
    rng : the source of all randomness of this fit; by default seeded alike for each context.
    log_step : takes the points of learning curves.
    catalogue : bool (n_items,), the items that may be recommended; None: all. TF-IDF and BM25 count these.
    validate : rates the model on held-out data; None: there are none.
    device : where tensors are computed, as torch names it; "auto": the best that is there.
    precision : of the numbers that networks work with, float32 or bfloat16; weights are float32 in any case.
    threads : how many threads may work; None: as many as `recexp.threads.count` says.
    checkpoint : a folder where a long training may leave what it needs to go on; None: nothing is kept.
    deadline : moment of `time.monotonic()` by which the model should stop training; None: no limit.
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
        """Return the context in which a part of a model is fitted: its own random stream, curves and folder."""
        checkpoint = self.checkpoint / name if self.checkpoint else None
        return replace(self, rng=rng, log_step=PrefixedStep(self.log_step, name), checkpoint=checkpoint)
