"""Factors of ratings. Ratings come by user (or item): begin int64, codes int32, float32, see `ratings.group_by_code`.

Numbers are float32 throughout: a float64 scalar would halve the width of the vector instructions.
"""

import numpy as np

from recexp.kernels import jit


@jit(reorder=True)
def dots(start, stop, left, left_codes, right, right_codes, out):
    """out[r] = left[left_codes[r]] . right[right_codes[r]] for r in start..stop, 0 for negative codes."""
    for r in range(start, stop):
        total = np.float32(0)
        if left_codes[r] >= 0 and right_codes[r] >= 0:
            a, b = left[left_codes[r]], right[right_codes[r]]
            for f in range(len(a)):
                total += a[f] * b[f]
        out[r] = total


@jit(reorder=True)
def sgd_epoch(begin, items, values, mean, rate, penalty, user_biases, item_biases, user_factors, item_factors):
    """Go once through the ratings, user by user, each a step of gradient descent; return the sum of squared errors."""
    squares, one = 0.0, np.float32(1)
    keep = one - rate * penalty
    for user in range(len(begin) - 1):
        p = user_factors[user]
        for at in range(begin[user], begin[user + 1]):
            item = items[at]
            q = item_factors[item]
            estimate = mean + user_biases[user] + item_biases[item]
            for f in range(len(p)):
                estimate += p[f] * q[f]
            error = values[at] - estimate
            step = rate * error
            squares += error * error
            user_biases[user] = keep * user_biases[user] + step
            item_biases[item] = keep * item_biases[item] + step
            for f in range(len(p)):
                before = p[f]
                p[f] = keep * before + step * q[f]
                q[f] = keep * q[f] + step * before
    return squares


@jit(reorder=True)
def svdpp_epoch(
    begin,
    items,
    values,
    seen_begin,
    seen,
    mean,
    rate,
    penalty,
    user_biases,
    item_biases,
    user_factors,
    item_factors,
    implicit,
):
    """As `sgd_epoch`, for user factors p + z, z = sum of the implicit factors y of the user's n items / sqrt(n).

    A step changes every y of the user alike, y <- keep y + step q / sqrt(n), so z <- keep z + step q, and after the
    last one y = fade y' + (z - fade z') / sqrt(n), y' and z' what they were and fade the product of all keeps: the
    same as n changes a step, for the price of one.
    """
    squares, one = 0.0, np.float32(1)
    keep, z, z_before = one - rate * penalty, np.empty_like(implicit[0]), np.empty_like(implicit[0])
    for user in range(len(begin) - 1):
        if begin[user] == begin[user + 1]:
            continue
        p, fade = user_factors[user], one
        scale = one / np.sqrt(np.float32(seen_begin[user + 1] - seen_begin[user]))
        z[:] = 0
        for s in range(seen_begin[user], seen_begin[user + 1]):
            y = implicit[seen[s]]
            for f in range(len(z)):
                z[f] += y[f] * scale
        z_before[:] = z
        for at in range(begin[user], begin[user + 1]):
            item = items[at]
            q = item_factors[item]
            estimate = mean + user_biases[user] + item_biases[item]
            for f in range(len(p)):
                estimate += (p[f] + z[f]) * q[f]
            error = values[at] - estimate
            step = rate * error
            squares += error * error
            user_biases[user] = keep * user_biases[user] + step
            item_biases[item] = keep * item_biases[item] + step
            for f in range(len(p)):
                whole, pull = p[f] + z[f], step * q[f]
                p[f] = keep * p[f] + pull
                z[f] = keep * z[f] + pull
                q[f] = keep * q[f] + step * whole
            fade *= keep
        for f in range(len(z)):
            z[f] = (z[f] - fade * z_before[f]) * scale
        for s in range(seen_begin[user], seen_begin[user + 1]):
            y = implicit[seen[s]]
            for f in range(len(z)):
                y[f] = fade * y[f] + z[f]
    return squares


@jit(reorder=True)
def nmf_step(start, stop, begin, others, values, own, other, penalty, out, squares):
    """out[c] = own[c] * (sum of r q) / (sum of r' q + n penalty own[c]) over c's ratings, for codes c in start..stop.

    q is the other side's row and r' = own[c] . q the estimate of r; squares[c] is the sum of (r - r')^2.
    """
    upper, lower = np.empty_like(own[0]), np.empty_like(own[0])
    for code in range(start, stop):
        p, n = own[code], np.float32(begin[code + 1] - begin[code])
        upper[:], lower[:] = 0, 0
        squares[code] = 0
        for at in range(begin[code], begin[code + 1]):
            q, estimate, value = other[others[at]], np.float32(0), values[at]
            for f in range(len(p)):
                estimate += p[f] * q[f]
            squares[code] += (value - estimate) ** 2
            for f in range(len(p)):
                upper[f] += value * q[f]
                lower[f] += estimate * q[f]
        for f in range(len(p)):
            below = lower[f] + n * penalty * p[f]
            out[code, f] = p[f] * upper[f] / below if below > 0 else np.float32(0)
