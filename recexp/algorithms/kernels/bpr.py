"""Stochastic gradient steps of BPR on blocks of users and items that no two threads share."""

import numpy as np

from recexp.algorithms.kernels.hashing import mixed
from recexp.kernels import jit


@jit(reorder=True)
def step(users, u, items, i, j, factors, rate, decay):
    """Move the vectors of user u, a seen item i and an unseen item j, the first `factors` numbers of their rows,
    towards a higher sigmoid(u . (i - j)).

    Rendle et al. 2009, figure 4: every parameter t becomes decay * t + rate * (1 - sigmoid) * d(u . (i - j)) / dt.
    """
    user, seen, unseen, gap = users[u], items[i], items[j], np.float32(0)
    for f in range(factors):
        gap += user[f] * (seen[f] - unseen[f])
    pull = rate / (np.float32(1) + np.exp(gap))
    for f in range(factors):
        p, q, r = user[f], seen[f], unseen[f]
        user[f] = decay * p + pull * (q - r)
        seen[f] = decay * q + pull * p
        unseen[f] = decay * r - pull * p


@jit
def draw(users, items, block_of, own, indptr, indices, seed, out):
    """Fill `out`, int32 (n, 3), with a step for each seen item of a block of users that is in block `own` of items:
    user, seen item, unseen item; return their number.

    `block_of` gives each item's block. The unseen item is drawn uniformly from `items`, those of the block, by numbers
    fixed by (seed, user, block). A user who has seen all or nothing of them is skipped.
    """
    golden, n = np.uint64(0x9E3779B97F4A7C15), np.uint64(len(items))
    seen, mine, size = np.zeros(len(block_of), np.bool_), np.empty(len(block_of) + 1, np.int32), 0
    for u in users:
        count = 0
        for entry in range(indptr[u], indptr[u + 1]):
            mine[count] = indices[entry]  # kept or not without a branch, which nobody could foresee
            count += block_of[mine[count]] == own
        if count == len(items):
            continue
        for c in range(count):
            seen[mine[c]] = True
        state = mixed(np.uint64(seed) + (np.uint64(u) << np.uint64(16)) + np.uint64(own))
        for c in range(count):
            while True:
                state += golden
                other = items[np.int64(((mixed(state) >> np.uint64(32)) * n) >> np.uint64(32))]
                if not seen[other]:
                    break
            out[size, 0], out[size, 1], out[size, 2] = u, mine[c], other
            size += 1
        for c in range(count):
            seen[mine[c]] = False
    return size


@jit
def take(start, stop, sizes, steps, factors, users, items, rate, decay):
    """Take the first sizes[b] steps of blocks b in start..stop, (n, 3) each; vectors are the first `factors` of a row.

    Blocks take turns, for they have no numbers in common: a processor works on the next one's step while it waits for
    the sum and the exponential of this one's.
    """
    for at in range(sizes[start:stop].max()):
        for b in range(start, stop):
            if at < sizes[b]:
                u, i, j = steps[b, at]
                step(users, u, items, i, j, factors, rate, decay)
