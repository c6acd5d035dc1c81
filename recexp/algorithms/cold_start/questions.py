"""Selection of the items a new user is asked about, based on other users' rows."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import scipy.sparse as sp

from recexp.algorithms.foresight import foresee
from recexp.data import Interactions

Choice = Literal["popularity", "entropy", "popularity_spread", "greedy", "random", "tree"]
Tree = Mapping[str, np.ndarray]
"""Questions that hang on the answers before them; node 0 is asked first.

item : int32 (nodes,), what each node asks about; -1 where it asks nothing.
no, yes : int32 (nodes,), the nodes that follow.
profiles : float32 (nodes, n_items), the shares of those who get there that have each item, shrunk to the node before.
"""
INSTEAD = "a smaller algorithm.pool"


def fixed(
    choice: Choice, rows: Interactions, pool: np.ndarray, k: int, *, l2: float, rng: np.random.Generator
) -> np.ndarray:
    """Return the `k` items of the pool that everyone is asked about, int64, in order; see `Questionnaire`."""
    if choice == "popularity":
        return pool[:k]
    if choice == "random":
        return rng.permutation(pool)[:k]
    if choice == "greedy":
        return pool[_most_explaining(rows.csr(values=False)[rows.used_users], pool, k, l2=l2)]
    users = np.bincount(rows.csr(values=False).indices, minlength=rows.n_items)[pool]
    worth = _entropy(users / len(rows.used_users)) if choice == "entropy" else users * _spread(rows)[pool]
    return pool[np.argsort(-worth, kind="stable")[:k]]


def grow(x: sp.csr_array, pool: np.ndarray, depth: int, *, least: int, shrinkage: float) -> Tree:
    """Return the tree of at most `depth` questions about items of the pool.

    A node asks the question that most reduces the squared distance of its users' rows of `x`, float32 (n_users,
    n_items) of ones, from their mean; at least `least` users give each answer (Golbandi, Koren and Lempel, WSDM 2011).
    """
    foresee("questionnaire", "a tree", memory=16.0 * len(pool) * x.shape[1], instead=INSTEAD)
    asked, follow = [-1], [(-1, -1)]
    profiles = [x.mean(axis=0, dtype=np.float64)]
    level = [(0, np.arange(x.shape[0]))]
    for _ in range(depth):
        below = []
        for node, users in level:
            mine = x[users]
            best = _best_split(mine, pool, least)
            if best < 0:
                continue
            answers = mine[:, [best]].toarray().ravel() > 0
            asked[node], follow[node] = best, (len(asked), len(asked) + 1)
            for some in (users[~answers], users[answers]):
                sums = x[some].sum(axis=0, dtype=np.float64)
                profiles.append((sums + shrinkage * profiles[node]) / (len(some) + shrinkage))
                below.append((len(asked), some))
                asked.append(-1)
                follow.append((-1, -1))
        level = below
    no, yes = np.array(follow, np.int32).T
    return {"item": np.array(asked, np.int32), "no": no, "yes": yes, "profiles": np.array(profiles, np.float32)}


def _best_split(x: sp.csr_array, pool: np.ndarray, least: int) -> int:
    """Return the item of the pool that explains most of the rows of `x`; -1 if too few users give an answer."""
    n = x.shape[0]
    together = (x[:, pool].T @ x).toarray().astype(np.float64)
    yes, sums = together[np.arange(len(pool)), pool], x.sum(axis=0, dtype=np.float64)
    no = n - yes
    able = (yes >= least) & (no >= least)
    if not able.any():
        return -1
    squares = (together**2).sum(axis=1)
    others = squares - 2 * (together @ sums) + sums @ sums
    gain = squares / np.maximum(yes, 1) + others / np.maximum(no, 1)
    return int(pool[np.argmax(np.where(able, gain, -np.inf))])


def _most_explaining(x: sp.csr_array, pool: np.ndarray, k: int, *, l2: float) -> np.ndarray:
    """Return int64: the positions in the pool of `k` items, chosen greedily, that explain most covariance of `x`."""
    foresee("questionnaire", f"{len(pool):,} items", memory=16.0 * len(pool) * x.shape[1], instead=INSTEAD)
    n, mean = x.shape[0], x.mean(axis=0, dtype=np.float64)
    left = (x[:, pool].T @ x).toarray() / n - np.outer(mean[pool], mean)
    chosen: list[int] = []
    for _ in range(k):
        own = left[np.arange(len(pool)), pool] + l2 / n
        gain = (left**2).sum(axis=1) / own
        gain[chosen] = -np.inf
        best = int(np.argmax(gain))
        chosen.append(best)
        left -= np.outer(left[:, pool[best]], left[best]) / own[best]
    return np.array(chosen)


def _entropy(share: np.ndarray) -> np.ndarray:
    """Return the entropy of a yes of these shares, in bits, float64."""
    parts = np.stack([share, 1 - share])
    return -(parts * np.log2(parts, where=parts > 0, out=np.zeros_like(parts))).sum(axis=0)


def _spread(rows: Interactions) -> np.ndarray:
    """Return the standard deviation of each item's ratings, float64 (n_items,); 0 if there are fewer than two."""
    n, sums, squares = (
        np.bincount(rows.items, weights=rows.values.astype(np.float64) ** power, minlength=rows.n_items)
        for power in range(3)
    )
    n = np.maximum(n, 1)
    return np.sqrt(np.maximum(squares / n - (sums / n) ** 2, 0))
