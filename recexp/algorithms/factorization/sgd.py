"""What factorizations of ratings by stochastic gradient descent share."""

from collections.abc import Callable

import numpy as np

from recexp.algorithms.factors import BiasedFactorModel
from recexp.algorithms.fit_context import LogStep
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import ConfigError
from recexp.params import NonNegativeFloat, PositiveFloat, PositiveInt, params


@params
class Descent(BiasedFactorModel):
    """Biases and factors of users and items that ratings move step by step.

    Learns `users_` (n_users, factors), `items_` (n_items, factors), `user_biases_`, `item_biases_`, all float32 and 0
    for what has no ratings, besides what a `RatingModel` learns.

    Parameters
    ----------
    factors : length of the vectors.
    iterations : times that all ratings are gone through.
    learning_rate : length of a step.
    regularization : penalty on the squares of biases and factors, for each rating.
    init_std : of the first factors.
    """

    factors: PositiveInt
    iterations: PositiveInt
    learning_rate: PositiveFloat
    regularization: NonNegativeFloat
    init_std: NonNegativeFloat

    def user_factors(self, queries: Queries) -> tuple[np.ndarray, np.ndarray]:
        """Return w, float32 (b, factors), and mean + b_u, float32 (b,); of unknown users 0 and the mean."""
        known = queries.users >= 0
        effects = np.float32(self.mean_) + self.user_biases_[queries.users] * known
        return self.users_[queries.users] * known[:, None], effects

    def _start(self, train: Dataset, rng: np.random.Generator) -> Interactions:
        """Return the rows of train, checked, and draw the first factors; biases start from 0."""
        rows = self._begin(train)
        self.users_ = self._draw_factors(rows.known_users, rng)
        self.items_ = self._draw_factors(rows.known_items, rng)
        self.user_biases_, self.item_biases_ = np.zeros(rows.n_users, np.float32), np.zeros(rows.n_items, np.float32)
        return rows

    def _draw_factors(self, known: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return float32 (n, factors) drawn from N(0, init_std), zeros for what is not known, bool (n,)."""
        drawn = rng.normal(0, self.init_std, (len(known), self.factors)).astype(np.float32)
        drawn[~known] = 0
        return drawn

    @property
    def _numbers(self) -> tuple[np.float32, ...]:
        """The numbers that a step needs: mean, rate, penalty."""
        return np.float32(self.mean_), np.float32(self.learning_rate), np.float32(self.regularization)

    def _descend(self, epoch: Callable[[], float], m: int, log_step: LogStep) -> None:
        """Call `epoch`, which returns the sum of m squared errors, and log each time their root mean.

        Raises ConfigError when they grow without bounds.
        """
        for step in range(self.iterations):
            squares = epoch()
            if not np.isfinite(squares):
                raise ConfigError(
                    f"algorithm.learning_rate: {self.learning_rate} is too large for these ratings: errors grow "
                    "without bounds"
                )
            log_step(step, {"rmse": float(np.sqrt(squares / m))})
