"""Samplers: what proposes the next values, by the name that `tuning.sampler` gives."""

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
    "grid": _random,  # is never asked: a study enqueues the points of the grid
}
"""Makers of samplers, from a seed."""


def known(name: str) -> str:
    """Return the name of a sampler; raises ValueError for another."""
    if name not in SAMPLERS:
        *most, last = (f"'{one}'" for one in SAMPLERS)
        raise ValueError(f"must be {', '.join(most)} or {last}")
    return name
