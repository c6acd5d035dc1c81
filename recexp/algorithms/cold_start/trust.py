"""Trust between users, by the distance along links."""

import numpy as np
import scipy.sparse as sp

from recexp.algorithms.foresight import foresee


def trust(links: np.ndarray, n_users: int, *, depth: int, both_ways: bool) -> sp.csr_array:
    """Return float32 (n_users, n_users): (depth - n + 1) / depth where the shortest way from u to v has n links.

    The trust in oneself and in users more than `depth` links away is 0 (Massa and Avesani, RecSys 2007, section 3).

    Parameters
    ----------
    links : int32 (l, 2), the first trusts the second; with `both_ways` also the other way round.
    """
    pairs = np.concatenate([links, links[:, ::-1]]) if both_ways else links
    step = sp.csr_array((np.ones(len(pairs), np.float32), (pairs[:, 0], pairs[:, 1])), shape=(n_users, n_users))
    step.sum_duplicates()
    reached, found, ends = sp.eye_array(n_users, format="csr", dtype=np.float32), [], step
    for n in range(1, depth + 1):
        ends.data[:] = 1
        ends = sp.csr_array(ends - ends.multiply(reached))
        ends.eliminate_zeros()
        found.append(ends * np.float32((depth - n + 1) / depth))
        if n < depth:
            ways = float(np.diff(step.indptr)[ends.indices].sum())
            foresee("social", f"ways of {n + 1} links", memory=16 * ways, instead="a smaller algorithm.depth")
            reached, ends = sp.csr_array(reached + ends), sp.csr_array(ends @ step)
    total = sp.csr_array(sum(found[1:], found[0]))
    total.sort_indices()
    return total
