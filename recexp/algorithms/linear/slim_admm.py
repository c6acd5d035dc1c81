"""ADMM SLIM: sparse item-item regression, all items at once."""

from functools import partial
from typing import Self

import numpy as np
import scipy.sparse as sp

from recexp import progress, threads
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.foresight import foresee
from recexp.algorithms.item_item import ItemItem
from recexp.algorithms.linear import gram
from recexp.data import Dataset
from recexp.errors import ConfigError
from recexp.params import NonNegativeFloat, PositiveFloat, PositiveInt, params


@params
class SLIMADMM(ItemItem):
    """score(u, j) = sum over i in u's history of C_ij, C the solution of SLIM by alternating directions.

    Steck, Dimakopoulou, Riabov and Jebara (WSDM 2020): minimize over matrices C with diagonal 0, and C >= 0 if
    `positive`,

        1/2 ||X - X C||^2 + l1 ||C||_1 + l2/2 sum_ij p_i^alpha C_ij^2,   p_i the share of users that have item i.

    With alpha = 0 it is the objective of `slim` at l1 = alpha l1_ratio n_users and l2 = alpha (1 - l1_ratio) n_users;
    with l1 = 0 and weights of both signs that of `ease`. alpha > 0, the paper's extension by item popularity, holds
    popular items down more. X (n_users, n_items) is binary: values of interactions do not weigh, and columns are not
    centered.

    B splits from C, and U is their scaled difference, 0 at first. With P = (X^T X + diag(l2 p^alpha) + rho I)^-1, an
    iteration is

        T = rho P (C - U) + I,  B = T - P diag(T_jj / P_jj),  C = soft threshold of B + U at l1 / rho,  U += B - C,

    the first B being that of `ease` with diag(l2 p^alpha) + rho I for its penalty. The paper's and RecBole's
    P X^T X + P (rho C - Gamma) with Gamma = rho U differs from T by multiples of P's columns, which the diagonal of B
    takes out again.

    Time: n_items^3 for P, as in `ease`, then 2 n_items^3 operations in float32 an iteration, however many users there
    are: half a second at 3,700 items on 2 cores. Memory: 16 n_items^2 bytes while fitting; 8 bytes a weight kept.
    Serves anyone with a history, seen in training or not. Learns `weights_`, C as float32 CSR (n_items, n_items).

    Parameters
    ----------
    l1 : weight of the sum of sizes, which makes weights 0.
    l2 : weight of the squared norm.
    alpha : how much more popular items are held down by it; 0 is not at all.
    positive : no weight below 0.
    rho : how tightly B and C are bound; it changes the speed of convergence, not the solution.
    iterations : how many.
    """

    l1: NonNegativeFloat
    l2: NonNegativeFloat
    alpha: NonNegativeFloat
    positive: bool
    rho: PositiveFloat
    iterations: PositiveInt

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        n = train.n_items
        foresee("slim_admm", f"{n:,} items", memory=16 * n**2, operations=(2 + self.iterations) * n**3)
        p = self._inverse(self.matrix(train.interactions))
        total, reflected, product = (np.zeros_like(p) for _ in range(3))  # B + U, C - U and T less I
        for _ in progress.steps(self.iterations, "slim_admm"):
            np.matmul(p, reflected, out=product)
            product *= np.float32(self.rho)
            scale = (1 + product.diagonal()) / p.diagonal()
            threads.map_rows(partial(self._step, p, product, scale, total, reflected), len(p), chunks_per_thread=64)
        del p, product
        self.weights_ = sp.csr_array(self._thresholded(total))
        if not np.isfinite(self.weights_.data).all():
            raise self._too_small("some weights are not finite")
        return self

    def _inverse(self, x: sp.csr_array) -> np.ndarray:
        """Return P as float32 (n_items, n_items); raises ConfigError where float32 has no room for it or l1 / rho."""
        shares = np.bincount(x.indices, minlength=x.shape[1]) / max(1, x.shape[0])
        largest = float(np.finfo(np.float32).max)
        try:
            p = gram.inverted(gram.lower(x), self.l2 * shares**self.alpha + self.rho)
        except np.linalg.LinAlgError:
            raise self._too_small("X^T X + diag(l2 p^alpha) + rho I has no Cholesky factor") from None
        if not p.diagonal().max() < largest:
            raise self._too_small("the inverse of X^T X + diag(l2 p^alpha) + rho I is too large")
        if not self.l1 / self.rho < largest:
            raise self._too_small(f"the threshold l1 / rho is too large, with algorithm.l1: {self.l1}")
        return gram.mirrored(p, np.ones(len(p)))

    def _too_small(self, why: str) -> ConfigError:
        return ConfigError(f"algorithm.rho: {self.rho} is too small here, with algorithm.l2: {self.l2}; {why}")

    def _step(
        self,
        p: np.ndarray,
        product: np.ndarray,
        scale: np.ndarray,
        total: np.ndarray,
        reflected: np.ndarray,
        start: int,
        stop: int,
    ) -> None:
        """Bring rows start..stop of `total` and `reflected` from one iteration to the next; `product` becomes B."""
        rows, old = product[start:stop], total[start:stop]
        rows -= p[start:stop] * scale
        np.fill_diagonal(rows[:, start:], 0)
        old -= reflected[start:stop]
        old *= np.float32(0.5)  # U: total is C + U, reflected C - U
        old += rows
        np.multiply(self._thresholded(old), np.float32(2), out=reflected[start:stop])
        reflected[start:stop] -= old

    def _thresholded(self, values: np.ndarray) -> np.ndarray:
        """Return the soft thresholds of `values` at l1 / rho, none negative if `positive`."""
        at = np.float32(self.l1 / self.rho)
        above = np.maximum(values - at, 0)
        return above if self.positive else above + np.minimum(values + at, 0)
