"""Number of users shared by pairs of items. `by_item` lists each item's users, `by_user` each user's sorted items."""

import numpy as np

from recexp.kernels import jit


@jit
def lower(start, stop, by_item_ptr, by_item, by_user_ptr, by_user, out):
    """Fill out[i, :i + 1] for i in start..stop; `out` is float64 or float32 (n_items, n_items), zeros."""
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
def dense(start, stop, by_item_ptr, by_item, by_user_ptr, by_user, out):
    """Fill rows start..stop of `out`, float32 (n_items, n_items), zeros."""
    for i in range(start, stop):
        row = out[i]
        for at in range(by_item_ptr[i], by_item_ptr[i + 1]):
            user = by_item[at]
            for other in range(by_user_ptr[user], by_user_ptr[user + 1]):
                row[by_user[other]] += np.float32(1)


@jit
def count(start, stop, by_item_ptr, by_item, by_user_ptr, by_user, counts):
    """Fill counts[i], int64, with the number of items that share a user with i, for i in start..stop."""
    last = np.full(len(counts), -1, np.int64)
    for i in range(start, stop):
        for at in range(by_item_ptr[i], by_item_ptr[i + 1]):
            user = by_item[at]
            for other in range(by_user_ptr[user], by_user_ptr[user + 1]):
                j = by_user[other]
                if last[j] != i:
                    last[j] = i
                    counts[i] += 1


@jit
def fill(start, stop, by_item_ptr, by_item, by_user_ptr, by_user, indptr, indices, data):
    """Fill rows start..stop of a sparse matrix, whose `indptr` is known, in the order in which items are met."""
    place = np.full(len(indptr) - 1, -1, np.int64)
    for i in range(start, stop):
        end = indptr[i]
        for at in range(by_item_ptr[i], by_item_ptr[i + 1]):
            user = by_item[at]
            for other in range(by_user_ptr[user], by_user_ptr[user + 1]):
                j = by_user[other]
                if place[j] < indptr[i]:
                    place[j], indices[end], data[end] = end, j, 0
                    end += 1
                data[place[j]] += np.float32(1)
