"""Is somebody who is asked in train a second time, under another id?"""

import numpy as np
import scipy.sparse as sp

from recexp.audit.report import AuditReport
from recexp.data import Interactions, Split
from recexp.rng import generator

SHORTEST = 10
"""With fewer items, two users may well have the same."""
RARE = 0.001
"""Up to this share of duplicate users comes about by chance."""
WORK = 20
"""Pairs that are looked at, per stored item: it bounds the cost."""
_WORDS = 4


def duplicate_users(split: Split, similarity: float) -> AuditReport:
    """Look for users who are asked and have the same items as a user that train knows, or nearly (Jaccard).

    All of a user's items count: known, and asked for. Equal sets are always found; nearly equal ones share one of their
    rarest items (Chaudhuri et al., 2006, prefix filter), and such pairs are compared unless they are too many. What
    users of so many items share by chance says nothing: where most have most of the items, twins are those who gave
    them the same values. Metric: the share of the test's users. Finding: more than one in a thousand.
    """
    train, log = split.train.interactions, split.queries.log
    parts = [train, split.test] + ([] if len(log) == len(train) else [log])  # else histories are train's own rows
    items = sum((part.csr(values=False) for part in parts[1:]), parts[0].csr(values=False))
    large = np.diff(items.indptr) >= SHORTEST
    known, asked = np.zeros(train.n_users, bool), np.zeros(train.n_users, bool)
    known[train.used_users] = asked[split.test.used_users] = True
    known, asked = known & large, asked & large
    found, by_chance = _twins(items, known, similarity, WORK)
    if by_chance and len(np.unique(train.values)) > 1:
        found |= _twins(_with_values(parts), known, similarity, WORK // 4)[0]
    share = float((found & asked).sum() / len(split.test.used_users))
    about = f"{share:.2%} of the test's users have a twin in train (at least {similarity:.0%} of their items the same)"
    return AuditReport({"twin_users": share}, (about,) if share > RARE else ())


def _twins(items: sp.csr_array, known: np.ndarray, similarity: float, work: int) -> tuple[np.ndarray, bool]:
    """Return who has a twin in `known`, both bool (n_users,), and whether others are as alike, maybe by chance."""
    sizes, telling, everyone = np.diff(items.indptr), _Telling(items), np.arange(items.shape[0])
    same, told = _same(items, known), telling(sizes, everyone, everyone)
    (a, b), by_chance = _similar(items, similarity, telling, work)
    found = same & told
    for one, other in ((a, b), (b, a)):
        found[one[known[other]]] = True
    return found, by_chance or bool((same & ~told).any())


class _Telling:
    """Whether users share more items than would be by chance, for one in a thousand of them.

    A user takes each item as often as all users do, more often by how many more items than the mean it has. Of n items
    of another it has c or more with a probability of at most exp(-n KL(c / n, mean probability)) (Hoeffding 1963).
    """

    def __init__(self, items: sp.csr_array) -> None:
        self.sizes: np.ndarray = np.diff(items.indptr)
        n_users = max(1, int(np.count_nonzero(self.sizes)))
        popularity = np.bincount(items.indices, minlength=items.shape[1]) / n_users
        self.popularity = (items @ popularity) / np.maximum(self.sizes, 1)  # the mean of each user's items
        self.mean_size, self.least = items.nnz / n_users, np.log(n_users / RARE)

    def __call__(self, common: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return bool (p,): whether `common`, int (p,), items are telling for users a and b, int (p,)."""
        expected = np.maximum(self.popularity[a] * self.sizes[b], self.popularity[b] * self.sizes[a]) / self.mean_size
        n = np.maximum(np.maximum(self.sizes[a], self.sizes[b]), 1)
        chance, share = np.clip(expected, 1e-12, 1 - 1e-12), common / n
        with np.errstate(divide="ignore", invalid="ignore"):
            divergence = share * np.log(share / chance) + np.nan_to_num(
                (1 - share) * np.log((1 - share) / (1 - chance))
            )
        told: np.ndarray = (share > chance) & (n * divergence >= self.least)
        return told


def _with_values(parts: list[Interactions]) -> sp.csr_array:
    """Return ones (n_users, c): who gave which value to which item, a column for each of these that somebody did."""
    users, items, values = (np.concatenate([getattr(p, name) for p in parts]) for name in ("users", "items", "values"))
    _, level = np.unique(values, return_inverse=True)
    _, column = np.unique(items.astype(np.int64) * (level.max() + 1) + level, return_inverse=True)
    shape = parts[0].n_users, int(column.max(initial=-1)) + 1
    matrix = sp.csr_array((np.ones(len(users), np.float32), (users, column)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def _same(items: sp.csr_array, known: np.ndarray) -> np.ndarray:
    """Return bool (n_users,): who has exactly the items of another user in `known`, bool (n_users,)."""
    codes = generator(0, "audit").integers(2**63, size=items.shape[1], dtype=np.uint64)
    sums = np.zeros(items.shape[0], np.uint64)
    rows = np.flatnonzero(np.diff(items.indptr))
    sums[rows] = np.add.reduceat(codes[items.indices], items.indptr[rows])
    _, group = np.unique(sums, return_inverse=True)
    return np.bincount(group, weights=known)[group] > known


def _similar(
    items: sp.csr_array, similarity: float, telling: _Telling, work: int
) -> tuple[tuple[np.ndarray, np.ndarray], bool]:
    """Return the users of each pair that is so similar and tells something, and whether others may be by chance."""
    sizes = np.diff(items.indptr)
    a, b = _candidates(items, similarity, work)
    compared = np.zeros(len(sizes), bool)
    compared[a] = compared[b] = True
    marks = np.zeros((len(sizes), _WORDS), np.uint64)
    marks[compared] = _marks(items[np.flatnonzero(compared)])
    most = (1 - similarity) / (1 + similarity) * (sizes[a] + sizes[b]) + 1e-9  # items that one of them alone may have
    keep = np.flatnonzero(np.bitwise_count(marks[a] ^ marks[b]).sum(axis=1) <= most)
    can_tell = telling(np.minimum(sizes[a[keep]], sizes[b[keep]]), a[keep], b[keep])
    by_chance, keep = not can_tell.all(), keep[can_tell]
    a, b = a[keep], b[keep]
    common = items[a].multiply(items[b]).sum(axis=1) if len(keep) else np.zeros(0)
    close = sizes[a] + sizes[b] - 2 * common <= most[keep]
    told = telling(common, a, b)
    return (a[close & told], b[close & told]), by_chance or bool((close & ~told).any())


def _candidates(items: sp.csr_array, similarity: float, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of users of like size who share one of their rarest items."""
    users, rare = _rarest(items, similarity)
    sizes = np.diff(items.indptr)
    size = np.floor(np.log(np.maximum(sizes, 1)) / -np.log(similarity)).astype(np.int64)  # of similar users: +-1
    n_keys = 1 << max(16, int(4 * len(rare)).bit_length())
    keys = [(rare * 0x9E3779B1 + size[users] + step) & (n_keys - 1) for step in (0, 1)]
    ones = np.ones(2 * len(rare), np.float32)
    right = sp.csr_array((ones, (np.concatenate(keys), np.tile(users, 2))), shape=(n_keys, len(sizes)))
    work = np.bincount(keys[0], minlength=n_keys) * np.diff(right.indptr).astype(np.int64)
    if work.sum() > most * items.nnz:  # the cheapest keys first, as far as it goes
        order = np.argsort(work, kind="stable")
        work[order] = np.cumsum(work[order])
    cheap = work[keys[0]] <= most * items.nnz
    indptr = np.concatenate([[0], np.cumsum(np.bincount(users[cheap], minlength=len(sizes)))])
    left = sp.csr_array((ones[: cheap.sum()], keys[0][cheap], indptr), shape=(len(sizes), n_keys))
    pairs = (left @ right).tocoo()
    a, b = pairs.row, pairs.col
    once = (a < b) | (size[a] != size[b])
    keep = np.flatnonzero(once & (np.minimum(sizes[a], sizes[b]) >= similarity * np.maximum(sizes[a], sizes[b])))
    return a[keep], b[keep]


def _rarest(items: sp.csr_array, similarity: float) -> tuple[np.ndarray, np.ndarray]:
    """Return users and items, int64: each user's rarest items, so many that two similar users must share one."""
    n_users, n_items = items.shape
    sizes = np.diff(items.indptr)
    by_rarity = np.argsort(np.bincount(items.indices, minlength=n_items), kind="stable")
    rarity = np.empty(n_items, np.int64)
    rarity[by_rarity] = np.arange(n_items)
    keys = np.sort(np.repeat(np.arange(n_users) * n_items, sizes) + rarity[items.indices])
    n = np.where(sizes < SHORTEST, 0, sizes - np.ceil(similarity * sizes - 1e-9).astype(np.int64) + 1)
    begin = items.indptr[:-1] - np.cumsum(n) + n
    at = np.repeat(begin, n) + np.arange(n.sum())
    return np.repeat(np.arange(n_users), n), by_rarity[keys[at] % n_items]


def _marks(items: sp.csr_array) -> np.ndarray:
    """Return uint64 (n_users, words): the parity of each user's items in 256 random groups."""
    bit = generator(1, "audit").integers(64 * _WORDS, size=items.shape[1])
    groups = np.zeros((items.shape[1], _WORDS), np.uint64)
    groups[np.arange(items.shape[1]), bit // 64] = np.uint64(1) << (bit % 64).astype(np.uint64)
    marks = np.zeros((items.shape[0], _WORDS), np.uint64)
    rows = np.flatnonzero(np.diff(items.indptr))
    marks[rows] = np.bitwise_xor.reduceat(groups[items.indices], items.indptr[rows])
    return marks
