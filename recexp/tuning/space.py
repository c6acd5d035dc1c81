"""Search spaces: the values that each hyperparameter may take."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import AfterValidator, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from recexp.params import params

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Value = StrictBool | StrictInt | StrictFloat | StrictStr | None


@params
class Dimension(ABC):
    """The values of one hyperparameter; `listed`: they are listed one by one, so all can be tried."""

    listed: ClassVar[bool] = False

    @abstractmethod
    def distribution(self) -> "BaseDistribution":
        """Return the corresponding Optuna distribution."""

    @abstractmethod
    def grid(self, points: int) -> list[Value]:
        """Return the grid values, at most `points` for a number."""

    @abstractmethod
    def ends(self) -> list[Value]:
        """Return the extreme values: if they are allowed, all values are."""

    @abstractmethod
    def holds(self, value: Any) -> bool:
        """Return whether `value` is in this dimension."""

    @abstractmethod
    def __str__(self) -> str: ...


@params
class _Range(Dimension):
    low: float
    high: float
    log: bool

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise ValueError(f"low must be less than high (got {self.low} and {self.high})")
        if self.log and self.low <= 0:
            raise ValueError(f"low must be greater than 0 where log is true (got {self.low})")

    def ends(self) -> list[Value]:
        return [self.low, self.high]

    def holds(self, value: Any) -> bool:
        return type(value) in (int, float) and self.low <= value <= self.high

    def _spaced(self, points: int) -> np.ndarray:
        return np.geomspace(self.low, self.high, points) if self.log else np.linspace(self.low, self.high, points)

    def __str__(self) -> str:
        return f"from {self.low} to {self.high}"


@params
class Real(_Range):
    """Real numbers from `low` to `high`; `log` samples them uniformly on a logarithmic scale."""

    def distribution(self) -> "BaseDistribution":
        from optuna.distributions import FloatDistribution

        return FloatDistribution(self.low, self.high, log=self.log)

    def grid(self, points: int) -> list[Value]:
        return [float(value) for value in self._spaced(points)]


@params
class Integer(_Range):
    """Integers from `low` to `high`, both included; `log` as with `Real`."""

    low: int
    high: int

    def distribution(self) -> "BaseDistribution":
        from optuna.distributions import IntDistribution

        return IntDistribution(self.low, self.high, log=self.log)

    def grid(self, points: int) -> list[Value]:
        return list(dict.fromkeys(round(value) for value in self._spaced(points)))

    def holds(self, value: Any) -> bool:
        return type(value) is int and super().holds(value)


def _distinct(values: list[Value]) -> list[Value]:
    if len({(type(value), value) for value in values}) < len(values):
        raise ValueError("must differ from each other")
    return values


@params
class Choice(Dimension):
    """One of `values`: text, numbers, true, false or null."""

    listed: ClassVar[bool] = True
    values: Annotated[list[Value], Field(min_length=2), AfterValidator(_distinct)]

    def distribution(self) -> "BaseDistribution":
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.values)

    def grid(self, points: int) -> list[Value]:
        return self.values

    def ends(self) -> list[Value]:
        return self.values

    def holds(self, value: Any) -> bool:
        return any(type(value) is type(one) and value == one for one in self.values)

    def __str__(self) -> str:
        return f"one of {', '.join(map(str, self.values))}"


def grid_points(space: Mapping[str, Dimension], points: int, *, rng: np.random.Generator) -> Iterator[dict[str, Value]]:
    """Yield the points of the grid in random order."""
    axes = [dimension.grid(points) for dimension in space.values()]
    for number in rng.permutation(grid_size(space, points)):
        indices = np.unravel_index(number, [len(axis) for axis in axes])
        yield {name: axis[index] for name, axis, index in zip(space, axes, indices)}


def grid_size(space: Mapping[str, Dimension], points: int) -> int:
    """Return the number of grid points."""
    return math.prod(len(dimension.grid(points)) for dimension in space.values())
