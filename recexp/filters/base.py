"""Filter: a step that changes which interactions an experiment is about, or what their values mean."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
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
    counts : whether it chooses users or items, by how often they occur or by chance, and changes no values. What
        follows a step that looks ahead is applied to each part of a split by time as well, but for such a step: it
        chooses among all.
    """

    random: ClassVar[bool] = False
    counts: ClassVar[bool] = False

    @abstractmethod
    def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
        """Return the dataset after this step; `Filters` recodes it to the users and items that are left."""

    def looks_ahead(self, dataset: Dataset) -> bool:
        """Return whether later rows of the same user and item decide what becomes of a row of these data."""
        return False

    def following(self, earlier: Sequence["Filter"], dataset: Dataset) -> "Filter":
        """Return the step that it is after `earlier` ones, on these data; itself, unless they change its meaning."""
        return self


@dataclass(frozen=True)
class Effect:
    """What a step did: its name and (rows, users, items) before and after it."""

    step: str
    before: tuple[int, int, int]
    after: tuple[int, int, int]

    @property
    def share(self) -> float:
        """Which share of the rows it removed."""
        return 1 - self.after[0] / self.before[0] if self.before[0] else 0.0

    def __str__(self) -> str:
        return f"{self.step} removed {_percent(self.share)} of the rows ({self.before[0]:,} -> {self.after[0]:,})"


def describe_effects(effects: Sequence[Effect]) -> str:
    """Return which steps removed more than half of the rows, to end a message; nothing where none did."""
    large = [str(effect) for effect in effects if effect.share > 0.5]
    return f"; before that, {' and '.join(large)}; loosen filter.steps or choose another filter=..." if large else ""


def _percent(share: float) -> str:
    """Return a share as a percentage that is 100 only where nothing is left."""
    return "100%" if share == 1 else f"{min(100 * share, 99.9):.1f}%"


@dataclass(frozen=True)
class Filtered:
    """What a list of steps made of data.

    Attributes
    ----------
    dataset : the data, with compact codes.
    effects : of each step that was applied.
    later : numbers of the steps that each part of a split by time still needs.
    revised : numbers of the steps that would have given something else on these data in version 0.1.0.
    """

    dataset: Dataset
    effects: list[Effect]
    later: list[int] = field(default_factory=list)
    revised: list[int] = field(default_factory=list)


@params
class Filters:
    """An ordered list of steps."""

    steps: list[Filter]

    def apply(self, dataset: Dataset, *, seed: int) -> tuple[Dataset, list[Effect]]:
        """Return the dataset after all steps, and the effect of each; its codes are compact, as those of each step's.

        Raises DataError naming the step that left no interactions.
        """
        filtered = self.prepare(dataset, seed=seed, by_time=False)
        return filtered.dataset, filtered.effects

    def prepare(self, dataset: Dataset, *, seed: int, by_time: bool) -> Filtered:
        """Apply the steps to data that will be split, `by_time` or without looking at time.

        What looks ahead would move rows from before the point of a split by time to after it. Such steps, and those
        that follow, are left to the parts (`finish`). Raises DataError naming the step that left no interactions.
        """
        dataset = dataset.compact(as_loaded=True)
        effects: list[Effect] = []
        later: list[int] = []
        revised: list[int] = []
        for number, step in enumerate(self.steps):
            meant = step.following(self.steps[:number], dataset)
            if by_time and (meant.looks_ahead(dataset) or (later and not meant.counts)):
                log.info("%s: applied within each part, as the split is by time", type(step).__name__)
                later.append(number)
                continue
            if meant is not step:
                revised.append(number)
            before = _counts(dataset)
            dataset = self._applied(number, meant, dataset, later, seed).compact()
            effect = Effect(type(step).__name__, before, _counts(dataset))
            log.info(
                "%s: %d -> %d rows, %d -> %d users, %d -> %d items",
                effect.step,
                *(n for pair in zip(before, effect.after) for n in pair),
            )
            if not effect.after[0]:
                raise DataError(
                    f"nothing is left of {dataset.name} after filter step {number + 1} ({step}): it had {before[0]} "
                    f"rows{describe_effects(effects) or '; loosen filter.steps or choose another filter=...'}"
                )
            effects.append(effect)
        return Filtered(dataset, effects, later, sorted({*later, *revised}))

    def finish(self, part: Dataset, later: Sequence[int], *, seed: int, effects: list[Effect] | None = None) -> Dataset:
        """Return a part of a split by time after the steps that were left to it; its codes stay.

        What each did to the part is added to `effects`, where given.
        """
        for number in later:
            step, before = self.steps[number].following(self.steps[:number], part), _counts(part)
            part = step.apply(part, rng=_rng(seed, number))
            if effects is not None:
                effects.append(Effect(type(step).__name__, before, _counts(part)))
        return part

    def _applied(self, number: int, step: Filter, dataset: Dataset, later: Sequence[int], seed: int) -> Dataset:
        if not later:
            return _given(step, dataset, _rng(seed, number))
        view = self.finish(dataset, later, seed=seed)  # as they would be: it chooses by these, of the rows as they are
        used = view.interactions.used_users, view.interactions.used_items
        left = _given(step, view.compact(), _rng(seed, number)).interactions
        users, items = np.zeros(dataset.n_users, bool), np.zeros(dataset.n_items, bool)
        users[used[0][left.used_users]] = items[used[1][left.used_items]] = True
        rows = dataset.interactions
        return dataset.take(users[rows.users] & items[rows.items])


def _given(step: Filter, dataset: Dataset, rng: np.random.Generator) -> Dataset:
    given = step.apply(dataset, rng=rng)
    if not isinstance(given, Dataset):
        raise DataError(f"{type(step).__name__}.apply gave {type(given).__name__}; it must return a Dataset")
    return given


def _rng(seed: int, number: int) -> np.random.Generator:
    return generator(seed, "filter", str(number))


def _counts(dataset: Dataset) -> tuple[int, int, int]:
    return len(dataset.interactions), dataset.n_users, dataset.n_items
