"""Stochastic gradient steps of BPR on blocks of users and items that no two threads share."""

import numpy as np

from recexp.algorithms.kernels.hashing import mixed
from recexp.kernels import jit


@jit(reorder=True)
def step(users, u, items, i, j, rate, decay):
    """Move the vectors of user u, a seen item i and an unseen item j towards a higher sigmoid(u . (i - j)).

    Rendle et al. 2009, figure 4: every parameter t becomes decay * t + rate * (1 - sigmoid) * d(u . (i - j)) / dt.
    """
    gap = np.float32(0)
    for f in range(users.shape[1]):
        gap += users[u, f] * (items[i, f] - items[j, f])
    pull = rate / (np.float32(1) + np.exp(gap))
    for f in range(users.shape[1]):
        p, q, r = users[u, f], items[i, f], items[j, f]
        users[u, f] = decay * p + pull * (q - r)
        items[i, f] = decay * q + pull * p
        items[j, f] = decay * r - pull * p


@jit
def block(
    user_order,
    user_start,
    user_stop,
    item_order,
    item_start,
    item_stop,
    block_of,
    own,
    indptr,
    indices,
    users,
    items,
    rate,
    decay,
    seed,
):
    """Take a step for each seen item of a block of users that is in the block of items `own`.

    Blocks are ranges of the orders, `block_of` gives each item's. The unseen item is drawn uniformly from the same
    block, by numbers fixed by (seed, user, block). A user who has seen all or nothing of the block is passed over.
    """
    golden, n = np.uint64(0x9E3779B97F4A7C15), np.uint64(item_stop - item_start)
    seen, mine = np.zeros(len(items), np.bool_), np.empty(len(items), np.int32)
    others = np.empty(len(items), np.int32)
    for at in range(user_start, user_stop):
        u, count = user_order[at], 0
        for entry in range(indptr[u], indptr[u + 1]):
            item = indices[entry]
            if block_of[item] == own:
                mine[count] = item
                seen[item] = True
                count += 1
        if count < item_stop - item_start:
            state = mixed(np.uint64(seed) + (np.uint64(u) << np.uint64(16)) + np.uint64(own))
            for c in range(count):
                while True:
                    state += golden
                    drawn = ((mixed(state) >> np.uint64(32)) * n) >> np.uint64(32)
                    others[c] = item_order[item_start + np.int64(drawn)]
                    if not seen[others[c]]:
                        break
            for c in range(count):
                step(users, u, items, mine[c], others[c], rate, decay)
        for c in range(count):
            seen[mine[c]] = False
