"""BPR: factors that rank a user's items above items the user has not interacted with."""

from typing import Self

import numpy as np
import scipy.sparse as sp

from recexp import progress, threads
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.checks import check_not_empty
from recexp.algorithms.factorization.least_squares import lined
from recexp.algorithms.factors import FactorModel
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.sparse_products import csr_arrays
from recexp.data import Dataset, Queries
from recexp.errors import ConfigError
from recexp.params import NonNegativeFloat, PositiveFloat, PositiveInt, Size, params

BLOCKS = 4
"""Users and items are dealt out to this many blocks each: as many threads can work, and the result is the same."""
INIT_STD = 0.1
"""Standard deviation of initial factors, that of the paper's authors' MyMediaLite."""
CHECKS = 10
"""How many times, evenly over the iterations, a model is rated on validation data."""


@params
class BPR(FactorModel):
    """score(u, i) = p_u . q_i, learned by stochastic gradient steps on pairs of a seen item i and an unseen one j.

    Bayesian personalized ranking (Rendle et al., UAI 2009, BPR-MF: section 4.3.1): a step raises
    ln sigmoid(p_u . (q_i - q_j)) - regularization (|p_u|^2 + |q_i|^2 + |q_j|^2) / 2 (figure 4). An iteration takes one
    step for each interaction, with j drawn uniformly from what u has not seen. Users and items are dealt out anew to
    blocks in each iteration, and j comes from i's block: blocks that share neither users nor items are worked on at
    once, as in DSGD (Gemulla et al., KDD 2011), so that the threads' number changes nothing.

    With validation data the number of iterations is chosen by them (`fitted_params_`).
    Time: O(iterations * nnz * factors). Memory: X and the factors. Serves users seen in training alone.
    Learns `users_` float32 (n_users, factors) and `items_` float32 (n_items, factors).

    Parameters
    ----------
    factors : length of the vectors.
    iterations : passes over the interactions, at most.
    learning_rate : step size.
    regularization : weight of the squared norms.
    """

    factors: Size
    iterations: PositiveInt
    learning_rate: PositiveFloat
    regularization: NonNegativeFloat

    capabilities = Capabilities(needs_history=False, known_users_only=True, vectors=True)

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        context = context or FitContext()
        x = self.matrix(train.interactions)
        check_not_empty(train.interactions)
        chosen = vars(self).get("fitted_params_", {}).get("iterations", self.iterations)
        iterations = self.iterations if context.validate else chosen
        users, items = (lined(n, self.factors) for n in x.shape)
        self.users_, self.items_ = users[:, : self.factors], items[:, : self.factors]
        for vectors in (self.users_, self.items_):
            vectors[:] = context.rng.standard_normal(vectors.shape, np.float32) * np.float32(INIT_STD)
        best, kept = -np.inf, None
        for iteration in (step + 1 for step in progress.steps(iterations, "bpr")):
            self._pass(x, users, items, context.rng)
            if not (np.isfinite(self.users_).all() and np.isfinite(self.items_).all()):
                raise ConfigError(
                    f"algorithm.learning_rate: {self.learning_rate} is too large: the factors grow without bounds"
                )
            if context.validate and (iteration % max(1, iterations // CHECKS) == 0 or iteration == iterations):
                value = context.validate(self)
                context.log_step(iteration, {"validation": value})
                if kept is None or value > best:
                    best, kept = -np.inf if np.isnan(value) else value, (self.users_.copy(), self.items_.copy())
                    self.fitted_params_ = {"iterations": iteration}
        if kept is not None:
            self.users_, self.items_ = kept
        return self

    def user_vectors(self, queries: Queries) -> np.ndarray:
        """Return float32 (b, factors): those who ask, 0 for unknown ones."""
        return self.users_[queries.users] * (queries.users >= 0)[:, None]

    def _pass(self, x: sp.csr_array, users: np.ndarray, items: np.ndarray, rng: np.random.Generator) -> None:
        """Take a step for each interaction; `users` and `items` are as `lined` makes them."""
        from recexp.algorithms.kernels.bpr import draw, take

        user_order, item_order = (rng.permutation(n).astype(np.int32) for n in x.shape)
        user_at, item_at = (np.linspace(0, n, BLOCKS + 1).astype(np.int64) for n in x.shape)
        block_of = np.empty(x.shape[1], np.int32)
        block_of[item_order] = np.repeat(np.arange(BLOCKS), np.diff(item_at))
        indptr, indices, _ = csr_arrays(x)
        ends = np.concatenate([[0], np.cumsum(np.diff(indptr)[user_order])])[user_at]
        steps, sizes = np.empty((BLOCKS, np.diff(ends).max(), 3), np.int32), np.empty(BLOCKS, np.int64)
        rate = np.float32(self.learning_rate)
        decay = np.float32(1 - self.learning_rate * self.regularization)
        seed = np.uint64(rng.integers(2**63))
        for shift in range(BLOCKS):

            def work(start: int, stop: int, shift: int = shift) -> None:
                for mine in range(start, stop):
                    own = (mine + shift) % BLOCKS
                    asked = user_order[user_at[mine] : user_at[mine + 1]]
                    sizes[mine] = draw(
                        asked,
                        item_order[item_at[own] : item_at[own + 1]],
                        block_of,
                        own,
                        indptr,
                        indices,
                        seed,
                        steps[mine],
                    )
                take(start, stop, sizes, steps, self.factors, users, items, rate, decay)

            threads.map_rows(work, BLOCKS, chunks_per_thread=1)
