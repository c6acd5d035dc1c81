"""Products of sparse rows. A CSR matrix comes as indptr int64, indices int32, data float32, sorted within rows."""

from recexp.kernels import jit


@jit
def gram_lower(start, stop, by_item_ptr, by_item, by_user_ptr, by_user, out):
    """Fill out[i, :i + 1] with the number of users that items i and j share, for i in start..stop.

    `by_item` lists the users of each item, `by_user` the items of each user; `out` is float64 (n_items, n_items).
    """
    for i in range(start, stop):
        row = out[i]
        for at in range(by_item_ptr[i], by_item_ptr[i + 1]):
            user = by_item[at]
            for other in range(by_user_ptr[user], by_user_ptr[user + 1]):
                j = by_user[other]
                if j > i:
                    break
                row[j] += 1.0


@jit
def times_dense(start, stop, indptr, indices, data, right, out):
    """out[r] = sum over c of left[r, c] * right[c], for r in start..stop; right (c, n) and out (r, n) are float32.

    Works on strips of columns, so that a strip of `right` stays in the cache while many rows are read.
    """
    n = right.shape[1]
    for left in range(0, n, 256):
        end = min(left + 256, n)
        for r in range(start, stop):
            row = out[r, left:end]
            for at in range(indptr[r], indptr[r + 1]):
                weight, source = data[at], right[indices[at], left:end]
                for c in range(end - left):
                    row[c] += weight * source[c]


@jit
def times_sparse(start, stop, indptr, indices, data, right_ptr, right_indices, right_data, out):
    """out[r] = sum over c of left[r, c] * right[c], for r in start..stop; right is sparse, out float32 (r, n)."""
    for r in range(start, stop):
        row = out[r]
        for at in range(indptr[r], indptr[r + 1]):
            weight, c = data[at], indices[at]
            for b in range(right_ptr[c], right_ptr[c + 1]):
                row[right_indices[b]] += weight * right_data[b]
