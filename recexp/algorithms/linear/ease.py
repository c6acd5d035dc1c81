"""EASE: an item-item regression with a closed form."""

from typing import Self

import numpy as np
import scipy.sparse as sp

from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.foresight import foresee
from recexp.algorithms.item_item import ItemItem
from recexp.algorithms.linear import gram
from recexp.data import Dataset
from recexp.errors import ConfigError
from recexp.params import PositiveFloat, params

LARGE, SMALL = 20_000, 1_000
"""Items above which single precision saves two thirds of the memory, and below which it saves nothing."""
ROUNDING = 1e-5
"""Share of X^T X that l2 must exceed for single precision to do: a hundred times its rounding."""


@params
class EASE(ItemItem):
    """Embarrassingly shallow autoencoder (Steck, WWW 2019): minimize ||X - X B||^2 + l2 ||B||^2 with diag(B) = 0.

    With P = (X^T X + l2 I)^-1, the solution is B_ij = -P_ij / P_jj off the diagonal (equation 8), and
    score(u, j) = sum over i in u's history of B_ij (equation 1): X B, not X B^T, for B is not symmetric.
    X (n_users, n_items) is binary: values of interactions do not weigh.

    Time: sum of squared history lengths for X^T X, then n_items^3 for the Cholesky factor and inverse. Memory:
    12 n_items^2 bytes while fitting in double precision, 4 n_items^2 in single precision, in place, and kept: 6.3 GiB
    at 41,000 items. Single precision, whose rounding is a share of about 1e-7 (largest eigenvalue of X^T X) / l2, is
    used above 20,000 items, and above 1,000 where l2 makes that far less than what ranks; more than is free is refused.
    Serves anyone with a history, seen in training or not. Learns `weights_`, B as float32 (n_items, n_items).

    Parameters
    ----------
    l2 : weight of the squared norm of B; higher for sparser data.
    """

    l2: PositiveFloat

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        x = self.matrix(train.interactions)
        n, single = x.shape[1], self._in_single_precision(x)
        foresee("ease", f"{n:,} items", memory=(4 if single else 12) * n**2, operations=n**3)
        try:
            inverse = gram.inverted(gram.lower(x, np.float32 if single else np.float64), self.l2)
        except np.linalg.LinAlgError:
            text = f"algorithm.l2: {self.l2} is too small here: X^T X + l2 I has no Cholesky factor"
            raise ConfigError(text) from None
        self.weights_ = gram.mirrored(inverse, -1 / inverse.diagonal())
        np.fill_diagonal(self.weights_, 0)
        return self

    def _in_single_precision(self, x: sp.csr_array) -> bool:
        if not SMALL <= x.shape[1] <= LARGE:
            return x.shape[1] > LARGE
        most = (x.T @ x.sum(axis=1)).max()  # a sum of a row of X^T X, which no eigenvalue exceeds
        return bool(self.l2 >= ROUNDING * most)
