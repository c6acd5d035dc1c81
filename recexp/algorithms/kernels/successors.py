"""Items that occur near each item in sessions."""

import numpy as np

from recexp.kernels import insert, jit


@jit
def near(start, stop, begin, places, items, session, bounds, weights, both, ties, slots, found, values, sizes):
    """Fill slots[i]..slots[i + 1] of `found` and `values` with the items near item i, for i in start..stop.

    Rows are sorted by session: row p is of item items[p] and session session[p], which has rows bounds[s]..bounds[s +
    1]; item i is in rows places[begin[i]]..places[begin[i + 1]]. The row d behind weighs weights[d - 1], and with
    `both` the row d before as much. The heaviest that there are slots for are kept, among equals those first in `ties`,
    the heaviest first where some are left out; sizes[i] counts them. `values` are float64.
    """
    n, steps = len(ties), len(weights)
    sums, touched = np.zeros(n), np.empty(n, np.int32)
    for item in range(start, stop):
        count = 0
        for at in range(begin[item], begin[item + 1]):
            p = places[at]
            first, last = bounds[session[p]], bounds[session[p] + 1]
            first = max(first, p - steps) if both else p + 1
            for q in range(first, min(last, p + 1 + steps)):
                if q == p:
                    continue
                other = items[q]
                if sums[other] == 0:
                    touched[count] = other
                    count += 1
                sums[other] += weights[abs(q - p) - 1]
        low, high = slots[item], slots[item + 1]
        size = np.int64(0)
        for t in range(count):
            other = touched[t]
            if count <= high - low:
                found[low + t], values[low + t] = other, sums[other]
                size += 1
            else:
                size = insert(found[low:high], values[low:high], size, other, sums[other], ties)
            sums[other] = 0
        sizes[item] = size
