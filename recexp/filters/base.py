"""Filter: a step that changes which interactions an experiment is about, or what their values mean."""

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recexp.data import Dataset
from recexp.errors import DataError
from recexp.params import params
from recexp.rng import generator

log = logging.getLogger(__name__)


class Filter(ABC):
    """One step; a subclass is decorated with `@params` and implements `apply`.

    Class attributes
    ----------------
    random : whether it draws from `rng`.
    """

    random: ClassVar[bool] = False

    @abstractmethod
    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        """Return the dataset after this step; `Filters` recodes it to the users and items that are left."""


@dataclass(frozen=True)
class Effect:
    """What a step did: its name and (rows, users, items) before and after it."""

    step: str
    before: tuple[int, int, int]
    after: tuple[int, int, int]


@params
class Filters:
    """An ordered list of steps."""

    steps: list[Filter]

    def apply(self, dataset: Dataset, *, seed: int) -> tuple[Dataset, list[Effect]]:
        """Return the dataset after all steps, and the effect of each; its codes are compact, as those of each step's.

        Raises DataError naming the step that left no interactions.
        """
        dataset, effects = dataset.compact(as_loaded=True), []
        for number, step in enumerate(self.steps):
            before = _counts(dataset)
            given = step.apply(dataset, rng=generator(seed, "filter", str(number)))
            if not isinstance(given, Dataset):
                raise DataError(f"{type(step).__name__}.apply gave {type(given).__name__}; it must return a Dataset")
            dataset = given.compact()
            effect = Effect(type(step).__name__, before, _counts(dataset))
            log.info(
                "%s: %d -> %d rows, %d -> %d users, %d -> %d items",
                effect.step,
                *(n for pair in zip(before, effect.after) for n in pair),
            )
            if not effect.after[0]:
                raise DataError(
                    f"nothing is left of {dataset.name} after filter step {number + 1} ({step}): it had {before[0]} "
                    "rows; loosen filter.steps or choose another filter=..."
                )
            effects.append(effect)
        return dataset, effects


def _counts(dataset: Dataset) -> tuple[int, int, int]:
    return len(dataset.interactions), dataset.n_users, dataset.n_items
