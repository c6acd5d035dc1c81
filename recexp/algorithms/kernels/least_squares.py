"""Ridge regressions, one for each row of a sparse matrix, by conjugate gradients."""

import numpy as np

from recexp.algorithms.kernels.simd import WIDTH, add_product, load, spread, store, total
from recexp.kernels import jit


@jit(reorder=True)
def solve(start, stop, begin, others, values, weights, pulls, fixed, gram, ridges, steps, tolerance, out, scratch):
    """Improve row r of `out` (n, d), for r in start..stop, towards the solution x of A x = b with, over r's entries j,

        A = gram + ridges[r] I + sum of w_j v_j v_j^T,    b = sum of t_j v_j,    v_j = fixed[others[j]],
        w_j = weights[0] + weights[1] values[j],    t_j = pulls[0] + pulls[1] values[j].

    At most `steps` steps of conjugate gradients from what the row holds (Takacs, Pilaszy and Tikk, RecSys 2011): each
    reads r's entries once, and so does the first residual; no (d, d) matrix is formed. They end where the residual has
    shrunk to `tolerance` times the first. A row without entries becomes 0, one beyond float32 NaN. `begin` is int64
    (n + 1,), `others` int32, the rest float32; d is a multiple of 16, `scratch` (3, d).
    """
    residual, along, image = scratch[0], scratch[1], scratch[2]
    nothing, fixed, gram = np.zeros_like(pulls), fixed.reshape(-1), gram.reshape(-1)
    for r in range(start, stop):
        x, first, last = out[r], begin[r], begin[r + 1]
        if first == last:
            x[:] = 0
            continue
        times(gram, ridges[r], x, image)
        add_entries(first, last, others, values, weights, pulls, fixed, x, image)
        square = np.float32(0)
        for f in range(len(x)):
            residual[f] = along[f] = -image[f]
            square += image[f] * image[f]
        if not np.isfinite(square):
            x[:] = np.nan
        end = tolerance * tolerance * square
        for _ in range(steps):
            if not square > end:
                break
            times(gram, ridges[r], along, image)
            add_entries(first, last, others, values, weights, nothing, fixed, along, image)
            curvature = np.float32(0)
            for f in range(len(x)):
                curvature += along[f] * image[f]
            if not curvature > 0:  # too small for float32: x is as good as it gets
                break
            length, before, square = square / curvature, square, np.float32(0)
            for f in range(len(x)):
                x[f] += length * along[f]
                residual[f] -= length * image[f]
                square += residual[f] * residual[f]
            for f in range(len(x)):
                along[f] = residual[f] + square / before * along[f]


@jit
def times(gram, ridge, x, out):
    """out = (gram + ridge I) x, for a symmetric gram laid out row after row; four of its rows a turn."""
    d = len(x)
    for f in range(d):
        out[f] = ridge * x[f]
    for g in range(0, d, 4):
        a, b, c, e = spread(x[g]), spread(x[g + 1]), spread(x[g + 2]), spread(x[g + 3])
        for f in range(0, d, WIDTH):
            at = g * d + f
            both = add_product(c, load(gram, at + 2 * d), add_product(e, load(gram, at + 3 * d), load(out, f)))
            store(out, f, add_product(a, load(gram, at), add_product(b, load(gram, at + d), both)))


@jit
def add_entries(first, last, others, values, weights, pulls, fixed, x, out):
    """out += sum of (w_j v_j . x - t_j) v_j over entries first..last, see `solve`; four of them a turn."""
    d, zero = len(x), spread(np.float32(0))
    whole = last - (last - first) % 4
    for j in range(first, whole, 4):
        a, b, c, e = others[j] * d, others[j + 1] * d, others[j + 2] * d, others[j + 3] * d
        sa, sb, sc, se = zero, zero, zero, zero
        for f in range(0, d, WIDTH):
            part = load(x, f)
            sa, sb = add_product(load(fixed, a + f), part, sa), add_product(load(fixed, b + f), part, sb)
            sc, se = add_product(load(fixed, c + f), part, sc), add_product(load(fixed, e + f), part, se)
        ta, tb = share(total(sa), values[j], weights, pulls), share(total(sb), values[j + 1], weights, pulls)
        tc, te = share(total(sc), values[j + 2], weights, pulls), share(total(se), values[j + 3], weights, pulls)
        for f in range(0, d, WIDTH):
            both = add_product(tc, load(fixed, c + f), add_product(te, load(fixed, e + f), load(out, f)))
            store(out, f, add_product(ta, load(fixed, a + f), add_product(tb, load(fixed, b + f), both)))
    for j in range(whole, last):
        a, sa = others[j] * d, zero
        for f in range(0, d, WIDTH):
            sa = add_product(load(fixed, a + f), load(x, f), sa)
        ta = share(total(sa), values[j], weights, pulls)
        for f in range(0, d, WIDTH):
            store(out, f, add_product(ta, load(fixed, a + f), load(out, f)))


@jit
def share(product, value, weights, pulls):
    """w_j v_j . x - t_j, given v_j . x."""
    return spread((weights[0] + weights[1] * value) * product - (pulls[0] + pulls[1] * value))
