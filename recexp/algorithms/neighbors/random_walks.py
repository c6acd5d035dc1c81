"""Random walks of three steps, shared by P3alpha and RP3beta."""

import numpy as np
import scipy.sparse as sp

from recexp.algorithms.foresight import SCATTERED, foresee
from recexp.algorithms.neighbors.similarity import NeighborSearch, best, normalized


def three_steps(x: sp.csr_array, alpha: float, beta: float, k: int, normalize: bool) -> sp.csr_array:
    """Return W as float32 CSR (n_items, n_items), W_ij = sum over u of (p_iu p_uj)^alpha / d_j^beta, no diagonal.

    `x` is binary (n_users, n_items), d_i the users of an item: p_iu = x_ui / d_i steps from items to users,
    p_uj = x_uj / (items of u) back. The k largest of each row are kept and, with `normalize`, made to sum to 1; then
    the k largest of each column. Among equals the lower number is kept.
    """
    of_users, of_items = np.diff(x.indptr), np.bincount(x.indices, minlength=x.shape[1])
    n, shared = x.shape[1], float((of_users.astype(np.float64) ** 2).sum())
    foresee("a walk of three steps", f"{n:,} items", memory=8.0 * n * min(k, n), operations=SCATTERED * shared)
    to_users, penalty = (np.maximum(1.0, of_items) ** -power for power in (alpha, beta))
    back = np.repeat(np.maximum(1.0, of_users) ** -alpha, of_users) * penalty[x.indices]
    starts = x.T.tocsr()
    starts.data = np.repeat(to_users, of_items).astype(np.float32)
    ends = sp.csr_array((back.astype(np.float32), x.indices, x.indptr), shape=x.shape)
    walks = NeighborSearch(ends, np.zeros(x.shape[1]), "dot").nearest(starts, np.arange(x.shape[1]), k)
    if normalize:
        walks = normalized(walks)
    return best(walks.T.tocsr(), k).T.tocsr()
