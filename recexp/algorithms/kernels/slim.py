"""Coordinate descent for SLIM on the Gram matrix X^T X, dense or as sparse rows, one column of weights at a time."""

import numpy as np

from recexp.kernels import jit

FIRST = 128
"""Items that a column's search begins with."""


@jit(inner=True)
def subtract(weight, i, dense, ptr, indices, data, out):
    """out -= weight * row i of the Gram matrix."""
    if len(dense):
        row = dense[i]
        for c in range(len(out)):
            out[c] -= weight * row[c]
    else:
        for at in range(ptr[i], ptr[i + 1]):
            out[indices[at]] -= weight * data[at]


@jit(inner=True)
def gather(i, size, items, place, dense, ptr, indices, data, out):
    """out[p] = entry of row i of the Gram matrix at items[p], for p < size; place[items[p]] == p."""
    if len(dense):
        row = dense[i]
        for p in range(size):
            out[p] = row[items[p]]
    else:
        for p in range(size):
            out[p] = 0
        for at in range(ptr[i], ptr[i + 1]):
            p = place[indices[at]]
            if p >= 0:
                out[p] = data[at]


@jit(inner=True)
def shrunk(z, l1, positive):
    """Return the soft-thresholded z."""
    if z > l1:
        return z - l1
    if z < -l1 and not positive:
        return z + l1
    return np.float32(0)


@jit(inner=True)
def bar(values, size, room):
    """Return a number that at most `room` of the first `size` positive `values` reach, and at least the largest."""
    low = high = np.float32(0)
    for p in range(size):
        high = max(high, values[p])
    for _ in range(16):
        middle, count = (low + high) / 2, 0
        for p in range(size):
            count += values[p] >= middle
        if count > room:
            low = middle
        else:
            high = middle
            if 4 * count >= 3 * room:
                break
    return high


@jit(inner=True)
def descend(size, block, gradient, weights, l1, l2, positive, sweeps, tolerance, part):
    """Sweep over `size` weights until none changes by more than `tolerance`, or than `part` of the first sweep's most.

    `gradient` is that of -1/2 |x - X w|^2 with respect to these weights, `block` their Gram matrix. Returns how many
    sweeps are left, and whether the tolerance was met.
    """
    goal = np.float32(-1)
    while sweeps > 0:
        sweeps -= 1
        largest = np.float32(0)
        for p in range(size):
            row, old = block[p, :size], weights[p]
            new = shrunk(gradient[p] + row[p] * old, l1, positive) / (row[p] + l2)
            step = new - old
            if step != 0:
                weights[p] = new
                largest = max(largest, abs(step))
                for c in range(size):
                    gradient[c] -= step * row[c]
        if goal < 0:
            goal = max(tolerance, part * largest)
        if largest <= goal:
            return sweeps, largest <= tolerance
    return sweeps, False


@jit(inner=True)
def joining(j, gradient, diagonal, l1, l2, positive, tolerance, place, room, size, items, gain):
    """Append to the first `size` of `items` at most about `room` that are not among them; return how many there are.

    They are those that lower the loss of column j most, of those whose weight would become more than `tolerance`.
    """
    n = np.int64(0)
    for i in range(len(gradient)):
        force = shrunk(gradient[i], l1, positive) if place[i] < 0 and i != j else np.float32(0)
        if abs(force) > tolerance * (diagonal[i] + l2):
            gain[n], items[size + n] = force * force / (diagonal[i] + l2), i
            n += 1
    least, kept = np.float32(0), size
    if n > room:
        least = bar(gain, n, room)
    for p in range(n):
        if gain[p] >= least:
            items[kept] = items[size + p]
            kept += 1
    for p in range(size, kept):
        place[items[p]] = p
    return kept


@jit
def column(
    j,
    diagonal,
    dense,
    ptr,
    indices,
    data,
    l1,
    l2,
    positive,
    sweeps,
    tolerance,
    gradient,
    gain,
    place,
    items,
    weights,
    near,
    block,
):
    """Find the weights of column j; return for how many `items`, and whether it is done, as sweeps may run out.

    Where `block` has no room for n items, it returns -n and has found nothing.

    They are sought among few items first; then the gradient of all items shows which others would still move, and they
    join, until there are none. `gradient` (n_items,) and `place`, -1 throughout, are as they came when this returns.
    """
    subtract(np.float32(-1), j, dense, ptr, indices, data, gradient)
    size, used, settled = np.int64(0), 0, True
    while True:
        room = max(FIRST, 2 * used - size)
        more = joining(j, gradient, diagonal, l1, l2, positive, tolerance, place, room, size, items, gain)
        done = more == size and settled
        if done or sweeps <= 0:
            for p in range(size, more):
                place[items[p]] = -1
            break
        if more > len(block):
            for p in range(more):
                place[items[p]] = -1
            size, done = -more, False
            break
        part = np.float32(0 if more == size else 0.1)  # no use in being exact while others are still to join
        for p in range(size, more):
            weights[p] = 0
            gather(items[p], more, items, place, dense, ptr, indices, data, block[p])
            for c in range(size):
                block[c, p] = block[p, c]
        size = more
        for p in range(size):
            near[p], gain[p] = gradient[items[p]], weights[p]
        sweeps, settled = descend(size, block, near, weights, l1, l2, positive, sweeps, tolerance, part)
        used = 0
        for p in range(size):
            used += weights[p] != 0
            if weights[p] != gain[p]:
                subtract(weights[p] - gain[p], np.int64(items[p]), dense, ptr, indices, data, gradient)
    for p in range(size):
        place[items[p]] = -1
    for i in range(len(gradient)):
        gradient[i] = 0
    return size, done
