"""Base of rating factorizations by stochastic gradient descent."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import numpy as np

from recexp import progress
from recexp.algorithms.factors import BiasedFactorModel
from recexp.algorithms.fit_context import LogStep
from recexp.algorithms.ratings import usual_unit
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import ConfigError
from recexp.params import NonNegativeFloat, PositiveFloat, PositiveInt, Size, params


@params
class Descent(BiasedFactorModel):
    """Biases and factors of users and items, learned by stochastic gradient descent on ratings.

    A step that suits ratings of 1 to 5 is far too long for those of 0 to 100. Ratings whose standard deviation is not
    between 1/8 and 2 are learned in units of a power of 4 that brings it there: learning rate, regularization and
    `init_std` are for ratings in such units.

    Learns `users_` (n_users, factors), `items_` (n_items, factors), `user_biases_`, `item_biases_`, all float32 and 0
    for what has no ratings, besides what a `RatingModel` learns.

    Parameters
    ----------
    factors : length of the vectors.
    iterations : number of passes over all ratings.
    learning_rate : step size.
    regularization : penalty on the squares of biases and factors, for each rating.
    init_std : standard deviation of the initial factors.
    """

    factors: Size
    iterations: PositiveInt
    learning_rate: PositiveFloat
    regularization: NonNegativeFloat
    init_std: NonNegativeFloat

    revision: ClassVar[int] = 2  # ratings of all scales were learned as they are

    def user_factors(self, queries: Queries) -> tuple[np.ndarray, np.ndarray]:
        """Return w, float32 (b, factors), and mean + b_u, float32 (b,); of unknown users 0 and the mean."""
        known = queries.users >= 0
        effects = np.float32(self.mean_) + self.user_biases_[queries.users] * known
        return self.users_[queries.users] * known[:, None], effects

    def _start(self, train: Dataset, rng: np.random.Generator) -> tuple[Interactions, float]:
        """Return the rows of train, checked and in units, and the unit; draw the first factors, biases start from 0."""
        rows = self._begin(train)
        self.users_ = self._draw_factors(rows.known_users, rng)
        self.items_ = self._draw_factors(rows.known_items, rng)
        self.user_biases_, self.item_biases_ = np.zeros(rows.n_users, np.float32), np.zeros(rows.n_items, np.float32)
        unit = usual_unit(rows)
        return replace(rows, values=rows.values / np.float32(unit)), unit

    def _draw_factors(self, known: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return float32 (n, factors) drawn from N(0, init_std), zeros for what is not known, bool (n,)."""
        drawn = rng.normal(0, self.init_std, (len(known), self.factors)).astype(np.float32)
        drawn[~known] = 0
        return drawn

    def _numbers(self, unit: float) -> tuple[np.float32, ...]:
        """Return the numbers that a step needs: mean, rate, penalty."""
        return np.float32(self.mean_ / unit), np.float32(self.learning_rate), np.float32(self.regularization)

    def _descend(self, epoch: Callable[[], float], m: int, unit: float, log_step: LogStep) -> None:
        """Call `epoch`, which returns the sum of m squared errors, log each time their root mean, and leave the units.

        Raises ConfigError when errors grow without bounds.
        """
        for step in progress.steps(self.iterations, type(self).__name__):
            squares = epoch()
            if not np.isfinite(squares):
                raise ConfigError(
                    f"algorithm.learning_rate: {self.learning_rate} is too large for these ratings: errors grow "
                    "without bounds"
                )
            log_step(step, {"rmse": unit * float(np.sqrt(squares / m))})
        learned = vars(self)
        for name in ("user_biases_", "item_biases_"):
            learned[name] *= np.float32(unit)
        for name in ("users_", "items_", "implicit_"):
            if name in learned:  # a product of two is a rating
                learned[name] *= np.float32(math.sqrt(unit))
