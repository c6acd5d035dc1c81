"""ALS: implicit feedback as a product of factors, by alternating least squares."""

from typing import Annotated, Self

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from recexp import progress
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.checks import check_values
from recexp.algorithms.factorization.least_squares import enough, lined, solve
from recexp.algorithms.factors import FactorModel
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.sparse_products import CSR, csr_arrays
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import DataError
from recexp.params import NonNegativeFloat, PositiveFloat, PositiveInt, Size, params

LARGEST = 1e12
"""Values beyond this leave the range of float32 while rows are solved."""
INIT_STD = 0.1
"""Of the first item factors' length, as published."""


@params
class ALS(FactorModel):
    """score(u, i) = w_u . h_i, for users and items that minimize

        sum over all u, i of c_ui (p_ui - w_u . h_i)^2 + sum_u ridge_u |w_u|^2 + sum_i ridge_i |h_i|^2,
        c_ui = 1 + alpha r_ui,  p_ui = 1 where r_ui > 0 else 0                              (Hu et al., equation 3),
        ridge_u = regularization (alpha |H_u| + n_items)^frequency_scaling,  |H_u| items have r_ui > 0,
        ridge_i = regularization (alpha |U_i| + n_users)^frequency_scaling,  |U_i| users have r_ui > 0.

    Implicit ALS (Hu, Koren and Volinsky, ICDM 2008), with the ridge of Rendle, Krichene, Zhang and Koren (RecSys 2022,
    "Revisiting the performance of iALS", arXiv 2110.14037), who show what its scaling is worth. r (n_users, n_items)
    are the values of interactions, ones after `filter=all_positive` or `filter=implicit`; none may be negative. Item
    factors start from N(0, 0.1 / sqrt(factors)), user factors from 0; an iteration solves for users, then for items.

    w is computed from the query's history, as the exact minimum given the items. The current history of a user counts,
    and a new user with the same history gets the same list.

    Settings of others that mean the same, where r is 0 or 1:
    `implicit`, whose c is alpha r: alpha - 1, the same regularization, frequency_scaling 0.
    irspack's IALS, and Google's iALS with unobserved_weight = alpha0 and nu = 1, which weigh all pairs alpha0 and add 1
    where r = 1: alpha = 1 / alpha0, regularization = reg (1 + alpha0) alpha0^(nu - 1), frequency_scaling = nu. What
    Rendle et al. give for the data of NCF's MovieLens 1M (192 factors, 12 iterations, reg .007, unobserved_weight .3)
    is alpha 3.333, regularization .0091, frequency_scaling 1.

    Time of an iteration: (cg_steps + 1) nnz factors, for users and again for items; nothing depends on
    n_users n_items. Memory: 16 bytes an interaction and 4 (n_users + n_items) factors. Serves anyone with a history, in
    about 12 steps, 1.5 iterations for all users. Learns `items_` float32 (n_items, factors) and `gramian_`,
    items^T items.

    Parameters
    ----------
    factors : length of w and h; may be more than there are users or items.
    iterations : number of sweeps over users and items.
    regularization : weight of the squared norms of w and h.
    alpha : additional weight of an interaction over a pair without one.
    frequency_scaling : 0, the same ridge for all, to 1, in proportion to the total weight of a user's or item's pairs.
    cg_steps : maximum number of conjugate gradient steps per user and item in an iteration, starting from the previous
        iteration's solution. A large number solves exactly.
    """

    factors: Size
    iterations: PositiveInt
    regularization: PositiveFloat
    alpha: NonNegativeFloat
    frequency_scaling: Annotated[float, Field(ge=0, le=1)]
    cg_steps: PositiveInt

    capabilities = Capabilities(feedback="value", vectors=True)

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        context = context or FitContext()
        x = self.matrix(train.interactions)
        if x.data.max(initial=0) > LARGEST:
            raise DataError(f"values of up to {x.data.max():g} are too large for als; scale them down")
        by_user, by_item = csr_arrays(x), csr_arrays(x.T.tocsr())
        users, items = (lined(n, self.factors)[:, : self.factors] for n in x.shape)
        items[:] = context.rng.standard_normal(items.shape, np.float32) * np.float32(INIT_STD / np.sqrt(self.factors))
        items[np.diff(by_item[0]) == 0] = 0
        for _ in progress.steps(self.iterations, "als"):
            self._solve(by_user, items, items.T @ items, users, self.cg_steps)
            self._solve(by_item, users, users.T @ users, items, self.cg_steps)
        self.items_, self.gramian_ = items, items.T @ items
        return self

    def user_vectors(self, queries: Queries) -> np.ndarray:
        users = lined(len(queries), self.factors)[:, : self.factors]
        rows = csr_arrays(self.matrix(queries))
        self._solve(rows, self.items_, self.gramian_, users, enough(self.factors))
        return users

    def matrix(self, source: Interactions | Queries) -> sp.csr_array:
        x = super().matrix(source)
        check_values(x.data, "als", negative=False)
        x.eliminate_zeros()
        return x

    def _solve(self, rows: CSR, fixed: np.ndarray, gramian: np.ndarray, out: np.ndarray, steps: int) -> None:
        ridges = self.regularization * (self.alpha * np.diff(rows[0]) + len(fixed)) ** self.frequency_scaling
        solve(rows, fixed, gramian, ridges, out, weights=(0, self.alpha), pulls=(1, self.alpha), steps=steps)
