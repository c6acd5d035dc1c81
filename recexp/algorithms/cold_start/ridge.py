"""Ridge regression of deviations from a mean."""

import numpy as np
import scipy.sparse as sp

from recexp.algorithms.foresight import foresee


def above_mean(
    x: sp.csr_array, y: sp.csr_array | np.ndarray, mean: np.ndarray, l2: float, *, model: str, instead: str
) -> np.ndarray:
    """Return W, float32 (f, t), that minimizes the sum over rows of |y - mean - x W|^2, plus l2 |W|^2.

    W = (X^T X + l2 I)^-1 (X^T Y - (X^T 1) mean^T). A row without features is at the mean. Time: O(nnz) products,
    f^3 + f^2 t to solve; memory: 8 (2 f^2 + 3 f t) bytes.

    Parameters
    ----------
    x : (n, f) features.
    y : (n, t), sparse or dense.
    mean : float64 (t,).
    l2 : above 0.
    model, instead : see `foresee`.
    """
    (_, f), t = x.shape, len(mean)
    memory, operations = 8.0 * (2 * f**2 + 3 * f * t), float(f**3) + f**2 * t
    foresee(model, f"{f:,} features", memory=memory, operations=operations, instead=instead)
    x = x.astype(np.float64)
    gram = (x.T @ x).toarray()
    gram[np.diag_indices_from(gram)] += l2
    products = x.T @ y
    products = products.toarray() if sp.issparse(products) else products
    weights: np.ndarray = np.linalg.solve(gram, products - np.outer(x.sum(axis=0), mean))
    return weights.astype(np.float32)


def centered(x: np.ndarray, y: sp.csr_array | np.ndarray, l2: float) -> np.ndarray:
    """Return W, float32 (f, t), that minimizes the sum over rows of |y - mean of y - x W|^2, plus l2 |W|^2.

    The columns of `x`, (n, f), have the mean 0, so that the mean of `y`, (n, t), sparse or dense, has no part in W.
    """
    gram = x.T.astype(np.float64) @ x
    gram[np.diag_indices_from(gram)] += l2
    weights: np.ndarray = np.linalg.solve(gram, (y.T @ x).T)
    return weights.astype(np.float32)
