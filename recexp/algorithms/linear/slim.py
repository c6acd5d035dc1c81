"""SLIM: sparse item-item regression."""

import logging
from typing import Annotated, Self

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from recexp import threads
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.foresight import foresee
from recexp.algorithms.item_item import ItemItem
from recexp.algorithms.linear import gram
from recexp.algorithms.sparse_products import compact
from recexp.data import Dataset
from recexp.params import PositiveFloat, PositiveInt, params

log = logging.getLogger(__name__)

FEW = 0.01
"""Up to this share of columns that are not done is no cause for a warning."""


@params
class SLIM(ItemItem):
    """score(u, j) = sum over i in u's history of W_ij, where W solves an elastic net for each item j.

    Sparse linear methods (Ning and Karypis, ICDM 2011: score is equation 2, the problem of a column equation 5). Column
    j of W, its diagonal 0, minimizes

        1 / (2 n_users) |x_j - X w|^2 + alpha l1_ratio |w|_1 + alpha (1 - l1_ratio) / 2 |w|^2,

    with w >= 0 if `positive`: the paper's problem in scikit-learn's scale, its beta = alpha (1 - l1_ratio) n_users and
    lambda = alpha l1_ratio n_users. irspack, RecBole and BARS have the same scale. X (n_users, n_items) is binary:
    values of interactions do not weigh. With l1_ratio = 0 and weights of both signs it is `ease` at
    l2 = alpha n_users, which is faster.

    Coordinate descent on X^T X (Friedman et al., J. Stat. Software 2010, section 2.2): first among the 128 items that
    lower the loss most, to which those join that would still move, until none would by more than `tolerance`. Each
    column is worked out by one thread, so that the number of threads changes nothing.

    Time: sum of squared history lengths for X^T X; then n_items for each of the m items that a column looks at, and m^2
    a sweep. Memory while fitting: the smaller of 4 n_items^2 and 8 bytes an entry of X^T X (55 MB for MovieLens 1M, 2.9
    GB for 27,000 items; Gowalla's 41,000 are sparse), and 4 m^2 a thread. Kept: 8 bytes a weight. Serves anyone with a
    history, seen in training or not. Learns `weights_`, W as float32 CSR (n_items, n_items).

    Parameters
    ----------
    alpha : strength of both penalties.
    l1_ratio : share of the l1 penalty, which makes weights 0.
    positive : no weight below 0.
    k : the largest weights of each column that are kept (by size, whatever their sign); None: all.
    iterations : most sweeps over a column's weights.
    tolerance : a column is done when no single step would change a weight by more than this.
    """

    alpha: PositiveFloat
    l1_ratio: Annotated[float, Field(ge=0, le=1)]
    positive: bool
    k: PositiveInt | None
    iterations: PositiveInt
    tolerance: PositiveFloat

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        from recexp.algorithms.kernels import slim

        x = self.matrix(train.interactions)
        n, pairs = train.n_items, int((np.diff(x.indptr).astype(np.int64) ** 2).sum())
        need = 8 * pairs if gram.is_sparse(x) else 4 * n**2
        foresee("slim", f"{n:,} items", memory=need, operations=pairs + n**2)
        full = np.empty((0, 0), np.float32) if gram.is_sparse(x) else gram.dense(x)
        rows = (np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.float32)) if len(full) else gram.sparse(x)
        counts = np.bincount(x.indices, minlength=x.shape[1]).astype(np.float32)
        l1, l2 = self.alpha * self.l1_ratio * train.n_users, self.alpha * (1 - self.l1_ratio) * train.n_users
        settings = np.float32(l1), np.float32(l2), self.positive, self.iterations, np.float32(self.tolerance)
        found, undone = {}, []

        def solve(start: int, stop: int) -> None:
            gradient, gain, near, weights = np.zeros((4, n), np.float32)
            place, items = np.full(n, -1, np.int32), np.empty(n, np.int32)
            block, columns, moving = np.empty((slim.FIRST, slim.FIRST), np.float32), [], 0
            for j in range(start, stop):
                size = -1
                while size < 0:
                    work = gradient, gain, place, items, weights, near, block
                    size, done = slim.column(j, counts, full, *rows, *settings, *work)
                    if size < 0:
                        block = np.empty((-2 * size, -2 * size), np.float32)
                kept = np.flatnonzero(weights[:size])
                columns.append((items[kept], weights[kept]))
                moving += not done
            sizes = np.array([len(column) for column, _ in columns])
            found[start] = self._largest(sizes, *(np.concatenate(part) for part in zip(*columns)))
            undone.append(moving)

        threads.map_rows(solve, len(counts))
        if any(undone):
            log.log(
                logging.WARNING if sum(undone) > FEW * len(counts) else logging.INFO,
                "slim: %d of %d columns have not converged to the tolerance, %g, after %d sweeps; raise "
                "algorithm.iterations or algorithm.tolerance",
                sum(undone),
                len(counts),
                self.tolerance,
                self.iterations,
            )
        sizes, items, weights = (np.concatenate(part) for part in zip(*(found[start] for start in sorted(found))))
        by_target = sp.csr_array((weights, items, np.concatenate([[0], np.cumsum(sizes)])), shape=(len(counts),) * 2)
        self.weights_ = compact(by_target).T.tocsr()
        return self

    def _largest(self, sizes: np.ndarray, items: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, ...]:
        """Keep the k largest of each column's weights: of equals, those of lower items."""
        if self.k is None or sizes.max(initial=0) <= self.k:
            return sizes, items, weights
        order = np.lexsort((items, -abs(weights), np.repeat(np.arange(len(sizes)), sizes)))
        rank = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        kept = order[rank < self.k]
        return np.minimum(sizes, self.k), items[kept], weights[kept]
