"""Samplers, by their names in `tuning.sampler`: each proposes the values of the next trial."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


def _tpe(seed: int) -> "BaseSampler":
    from optuna.samplers import TPESampler

    return TPESampler(seed=seed)


def _random(seed: int) -> "BaseSampler":
    from optuna.samplers import RandomSampler

    return RandomSampler(seed=seed)


SAMPLERS: dict[str, Callable[[int], "BaseSampler"]] = {
    "tpe": _tpe,
    "random": _random,
    "grid": _random,  # never used: a study enqueues the points of the grid
}
"""Makers of samplers, from a seed."""


def known(name: str) -> str:
    """Return `name` if it is the name of a sampler; raises ValueError otherwise."""
    if name not in SAMPLERS:
        *most, last = (f"'{one}'" for one in SAMPLERS)
        raise ValueError(f"must be {', '.join(most)} or {last}")
    return name
