"""Is somebody who is asked in train a second time, under another id?"""

from functools import reduce

import numpy as np
import scipy.sparse as sp

from recexp.audit.report import AuditReport
from recexp.data import Interactions, Split
from recexp.data.ordering import map_groups
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
    items = reduce(sp.csr_array.maximum, (part.csr(values=False) for part in parts))
    large = np.diff(items.indptr) >= SHORTEST
    known, asked = np.zeros(train.n_users, bool), np.zeros(train.n_users, bool)
    known[train.used_users] = asked[split.test.used_users] = True
    known, asked = known & large, asked & large
    found, by_chance = _twins(items, known, similarity, WORK)
    if by_chance and len(np.unique(train.values)) > 1:
        found |= _twins(_with_values(parts), known, similarity, WORK // 4)[0]
    share = float((found & asked).sum() / len(split.test.used_users))
    about = f"{share:.2%} of the test users have a near-duplicate in train ({similarity:.0%} or more of their items)"
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
        self.popularity = _of_users(items, popularity, np.add) / np.maximum(self.sizes, 1)  # the mean of their items
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


def _of_users(items: sp.csr_array, of_item: np.ndarray, add: np.ufunc) -> np.ndarray:
    """Return (n_users, ...): what `of_item`, (n_items, ...), holds for a user's items, added up; 0 for no items."""
    begin, found = items.indptr, np.zeros((items.shape[0], *of_item.shape[1:]), of_item.dtype)

    def work(first: int, last: int) -> None:
        some = first + np.flatnonzero(np.diff(begin[first : last + 1]))
        values = of_item[items.indices[begin[first] : begin[last]]]
        found[some] = add.reduceat(values, begin[some] - begin[first])

    map_groups(work, begin)
    return found


def _same(items: sp.csr_array, known: np.ndarray) -> np.ndarray:
    """Return bool (n_users,): who has exactly the items of another user in `known`, bool (n_users,)."""
    codes = generator(0, "audit").integers(2**63, size=items.shape[1], dtype=np.uint64)
    _, group = np.unique(_of_users(items, codes, np.add), return_inverse=True)
    return np.bincount(group, weights=known)[group] > known


def _similar(
    items: sp.csr_array, similarity: float, telling: _Telling, work: int
) -> tuple[tuple[np.ndarray, np.ndarray], bool]:
    """Return the users of each pair that is so similar and tells something, and whether others may be by chance."""
    sizes = np.diff(items.indptr)
    a, b = _candidates(items, similarity, work)
    can_tell = telling(np.minimum(sizes[a], sizes[b]), a, b)
    a, b, by_chance = a[can_tell], b[can_tell], not can_tell.all()
    common = items[a].multiply(items[b]).sum(axis=1) if len(a) else np.zeros(0)
    close = sizes[a] + sizes[b] - 2 * common <= _most_alone(sizes, a, b, similarity)
    told = telling(common, a, b)
    return (a[close & told], b[close & told]), by_chance or bool((close & ~told).any())


def _most_alone(sizes: np.ndarray, a: np.ndarray, b: np.ndarray, similarity: float) -> np.ndarray:
    """Return how many items two users may have that are of one of them alone, float64 (p,)."""
    return (1 - similarity) / (1 + similarity) * (sizes[a] + sizes[b]) + 1e-9


def _candidates(items: sp.csr_array, similarity: float, work: int) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of users of like size who share one of their rarest items, and whose marks are alike; each once."""
    sizes = np.diff(items.indptr)
    by_size = np.argsort(sizes, kind="stable")
    by_size = by_size[sizes[by_size] >= SHORTEST]
    items, sizes, n_users = items[by_size], sizes[by_size], len(by_size)
    keys = _rarest(items, similarity)  # by item, then by size
    item, user = np.divmod(keys, max(1, n_users))
    least = np.ceil(similarity * sizes - 1e-9)  # what a user of that size may be compared with
    too_large = np.searchsorted(least, sizes, side="right")
    end = np.searchsorted(keys, item * n_users + too_large[user])
    ahead = np.maximum(end - np.arange(len(keys)) - 1, 0)
    if ahead.sum() > work * items.nnz:  # those with the fewest first, as far as it goes
        order = np.argsort(ahead, kind="stable")
        ahead[order[np.cumsum(ahead[order]) > work * items.nnz]] = 0
    marks, pairs = _marks(items), [keys[:0]]

    def compare(first: int, last: int) -> None:
        n = ahead[first:last]
        other = np.repeat(np.arange(first, last) + 1 - np.cumsum(n) + n, n) + np.arange(n.sum())
        a, b = np.repeat(user[first:last], n), user[other]
        alone = np.bitwise_count(marks[a] ^ marks[b]).sum(axis=1)
        keep = alone <= _most_alone(sizes, a, b, similarity)
        pairs.append(a[keep] * n_users + b[keep])

    map_groups(compare, np.append(0, np.cumsum(ahead)))
    a, b = np.divmod(np.unique(np.concatenate(pairs)), max(1, n_users))
    return by_size[a], by_size[b]


def _rarest(items: sp.csr_array, similarity: float) -> np.ndarray:
    """Return int64, ascending: rarity of the item * n_users + user, for each user's rarest items.

    They are so many that two similar users must share one (Chaudhuri et al., 2006, prefix filter).
    """
    (n_users, n_items), sizes, begin = items.shape, np.diff(items.indptr), items.indptr
    by_rarity = np.argsort(np.bincount(items.indices, minlength=n_items), kind="stable")
    rarity = np.empty(n_items, np.int64)
    rarity[by_rarity] = np.arange(n_items)
    n = sizes - np.ceil(similarity * sizes - 1e-9).astype(np.int64) + 1
    to = np.append(0, np.cumsum(n))
    found = np.empty(to[-1], np.int64)

    def work(first: int, last: int) -> None:
        own, of_user = begin[first : last + 1] - begin[first], np.arange(last - first)
        keys = np.repeat(of_user * n_items, sizes[first:last]) + rarity[items.indices[begin[first] : begin[last]]]
        keys.sort()
        user = np.repeat(of_user, n[first:last])
        at = np.arange(len(user)) + (own[:-1] - to[first:last] + to[first])[user]
        found[to[first] : to[last]] = keys[at] % n_items * n_users + user + first

    map_groups(work, begin)
    found.sort()
    return found


def _marks(items: sp.csr_array) -> np.ndarray:
    """Return uint64 (n_users, words): the parity of each user's items in 256 random groups."""
    bit = generator(1, "audit").integers(64 * _WORDS, size=items.shape[1])
    groups = np.zeros((items.shape[1], _WORDS), np.uint64)
    groups[np.arange(items.shape[1]), bit // 64] = np.uint64(1) << (bit % 64).astype(np.uint64)
    return _of_users(items, groups, np.bitwise_xor)
