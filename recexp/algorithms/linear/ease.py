"""EASE: an item-item regression with a closed form."""

from typing import Self

import numpy as np

from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.item_item import ItemItem
from recexp.algorithms.linear import gram
from recexp.data import Dataset
from recexp.errors import ConfigError
from recexp.params import PositiveFloat, params

LARGE = 20_000
"""Items above which single precision saves two thirds of the memory."""


@params
class EASE(ItemItem):
    """Embarrassingly shallow autoencoder (Steck, WWW 2019): minimise ||X - X B||^2 + l2 ||B||^2 with diag(B) = 0.

    With P = (X^T X + l2 I)^-1, the solution is B_ij = -P_ij / P_jj off the diagonal (equation 8), and
    score(u, j) = sum over i in u's history of B_ij (equation 1): X B, not X B^T, for B is not symmetric.
    X (n_users, n_items) is binary: values of interactions do not weigh.

    Time: sum of squared history lengths for X^T X, then n_items^3 for the Cholesky factor and inverse. Memory:
    12 n_items^2 bytes while fitting in double precision (4 n_items^2 kept): 160 MiB at 3,700 items, 4.5 GiB at 20,000.
    Of more than 20,000 items the inverse is worked out in single precision, in place: 4 n_items^2 bytes, 6.3 GiB at
    41,000. Its rounding is a share of about 1e-7 (largest eigenvalue of X^T X) / l2, far below what ranks.
    Serves anyone with a history, seen in training or not. Learns `weights_`, B as float32 (n_items, n_items).

    Parameters
    ----------
    l2 : weight of the squared norm of B; higher for sparser data.
    """

    l2: PositiveFloat

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        x = self.matrix(train.interactions)
        try:
            inverse = gram.inverted(gram.lower(x, np.float32 if x.shape[1] > LARGE else np.float64), self.l2)
        except np.linalg.LinAlgError:
            text = f"algorithm.l2: {self.l2} is too small here: X^T X + l2 I has no Cholesky factor"
            raise ConfigError(text) from None
        self.weights_ = gram.mirrored(inverse, -1 / inverse.diagonal())
        np.fill_diagonal(self.weights_, 0)
        return self
