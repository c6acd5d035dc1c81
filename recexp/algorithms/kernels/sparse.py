"""Products of sparse rows. A CSR matrix comes as indptr int64, indices int32, data float32, sorted within rows."""

import numpy as np

from recexp.kernels import jit


@jit
def times_dense(start, stop, indptr, indices, data, right, out):
    """out[r] = sum over c of left[r, c] * right[c], for r in start..stop; right (c, n) and out (r, n) are float32.

    Four rows of `right` at once, for each sum is read and written as rarely; strips of columns, so that sums stay in
    the cache.
    """
    n = right.shape[1]
    for left in range(0, n, 4096):
        end = min(left + 4096, n)
        for r in range(start, stop):
            row, at, last = out[r, left:end], indptr[r], indptr[r + 1]
            while at + 4 <= last:
                w0, w1, w2, w3 = data[at], data[at + 1], data[at + 2], data[at + 3]
                s0, s1 = right[indices[at], left:end], right[indices[at + 1], left:end]
                s2, s3 = right[indices[at + 2], left:end], right[indices[at + 3], left:end]
                for c in range(end - left):
                    row[c] += (w0 * s0[c] + w1 * s1[c]) + (w2 * s2[c] + w3 * s3[c])
                at += 4
            while at < last:
                w0, s0 = data[at], right[indices[at], left:end]
                for c in range(end - left):
                    row[c] += w0 * s0[c]
                at += 1


@jit
def times_sparse(start, stop, indptr, indices, data, right_ptr, right_indices, right_data, out):
    """out[r] = sum over c of left[r, c] * right[c], for r in start..stop; right is sparse, out float32 (r, n)."""
    for r in range(start, stop):
        row = out[r]
        for at in range(indptr[r], indptr[r + 1]):
            weight, c = data[at], indices[at]
            for b in range(right_ptr[c], right_ptr[c + 1]):
                row[np.uint32(right_indices[b])] += weight * right_data[b]  # no check for negative ones
