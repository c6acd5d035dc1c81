"""Similarity of the items in a list by their users. Import inside functions only: the loops are compiled.

Each row of the item-item matrix is computed once for all lists, and only one exists at a time.
"""

import numpy as np
import scipy.sparse as sp

from recexp import threads
from recexp.kernels import jit


def cosines_before(lists: np.ndarray, users: sp.csr_array, times: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return float64 (b, n): the sum of each listed item's cosines with the items before it in its list.

    `lists`, int32 (b, n), are padded with -1; `users`, (n_users, n_items) without duplicates, are the interactions.
    `times` and `counts`, int64 (n_items,), are the number of lists that hold each item, and of users who have it.
    """
    (b, n), (n_users, n_items) = lists.shape, users.shape
    listed = np.flatnonzero(times)  # only these matter, those with many users first: m of them, and m itself is padding
    listed = listed[np.argsort(-counts[listed], kind="stable")]
    names = np.full(n_items + 1, len(listed), np.uint32)
    names[listed] = np.arange(len(listed))

    words = -(-len(listed) // 64)
    if words * n_users > users.nnz:  # more memory than the matrix itself: only items with many users
        words = -(-int(np.count_nonzero(64 * counts[listed] >= n_users)) // 64)
    bits, sparse_ptr = np.zeros((n_users + 1, words), np.uint64), np.zeros(n_users + 1, np.int64)
    sparse = np.empty(counts[listed[64 * words :]].sum(), np.uint32)
    user_ptr, cell_ptr = (np.append(0, np.cumsum(sizes[listed])) for sizes in (counts, times))
    owners, cells, items = (
        np.empty(user_ptr[-1], np.int32),
        np.empty(cell_ptr[-1], np.int64),
        np.empty(b * n, np.uint32),
    )
    group_users(users.indptr, users.indices, names, user_ptr, owners, bits, sparse_ptr, sparse)
    group_cells(lists.ravel(), names, cell_ptr, items, cells)
    norm, out = 1 / np.sqrt(np.maximum(counts[listed], 1)), np.zeros(b * n)

    def rows(start: int, stop: int) -> None:
        sum_earlier_by_users(
            start, stop, items, n, cells, cell_ptr, owners, user_ptr, bits, sparse_ptr, sparse, norm, out
        )

    threads.map_rows(rows, len(listed))
    return out.reshape(b, n)


@jit
def group_users(indptr, indices, names, begin, users, bits, sparse_ptr, sparse):
    """Sort the entries of a user-item CSR matrix into users by item, bit rows, and sparse rows of the remaining items.

    `names` are the local item codes, 0..m-1, or m for excluded items. `users[begin[i]:begin[i + 1]]` receives the users
    of item i. Row u of `bits`, 64 items per word, receives the items of user u; items beyond its width go to
    `sparse[sparse_ptr[u]:sparse_ptr[u + 1]]`.
    """
    at, width, ends = 0, 64 * bits.shape[1], begin[:-1].copy()
    for user in range(len(indptr) - 1):
        for t in range(indptr[user], indptr[user + 1]):
            item = names[indices[t]]
            if item == len(ends):
                continue
            users[ends[item]] = user
            ends[item] += 1
            if item < width:
                bits[user, item >> 6] |= np.uint64(1) << np.uint64(item & 63)
            else:
                sparse[at] = item
                at += 1
        sparse_ptr[user + 1] = at


@jit
def group_cells(codes, names, begin, items, cells):
    """Fill `items` with the names of flat `codes`, and `cells[begin[i]:begin[i + 1]]` with the positions of name i."""
    ends = begin[:-1].copy()
    for cell, code in enumerate(codes):
        item = items[cell] = names[code]
        if item < len(ends):
            cells[ends[item]] = cell
            ends[item] += 1


@jit
def full_adder(a, b, c):
    """Add three words bit by bit; return the word of sums and the word of carries."""
    half = a ^ b
    return half ^ c, (a & b) | (half & c)


@jit
def sum_bits(chosen, rows, planes, carry, counts):
    """Fill `counts`, int32 (64 w,), with the number of `chosen` rows of `rows`, uint64 (n, w), that have each bit set.

    Eight rows at a time go through full adders (Harley and Seal's counter); digit d of every count is in `planes[d]`.
    The last row of `rows` is empty; `planes`, (digits, w), and `carry`, (w,), are work buffers.
    """
    eight, width, digits = np.full(8, len(rows) - 1), rows.shape[1], 3
    planes[:digits] = 0
    for at in range(0, len(chosen), 8):
        left = min(8, len(chosen) - at)
        eight[:left] = chosen[at : at + left]
        eight[left:] = len(rows) - 1
        r0, r1, r2, r3 = rows[eight[0]], rows[eight[1]], rows[eight[2]], rows[eight[3]]
        r4, r5, r6, r7 = rows[eight[4]], rows[eight[5]], rows[eight[6]], rows[eight[7]]
        for w in range(width):
            ones, a = full_adder(planes[0, w], r0[w], r1[w])
            ones, b = full_adder(ones, r2[w], r3[w])
            twos, c = full_adder(planes[1, w], a, b)
            ones, a = full_adder(ones, r4[w], r5[w])
            planes[0, w], b = full_adder(ones, r6[w], r7[w])
            planes[1, w], d = full_adder(twos, a, b)
            planes[2, w], carry[w] = full_adder(planes[2, w], c, d)
        if (at // 8 + 1) >> (digits - 3):
            planes[digits] = 0
            digits += 1
        for digit in range(3, digits):
            for w in range(width):
                before = planes[digit, w]
                planes[digit, w] = before ^ carry[w]
                carry[w] &= before
    counts[:] = 0
    for digit in range(digits):
        for w in range(width):
            for bit in range(64):
                counts[64 * w + bit] += np.int32((planes[digit, w] >> np.uint64(bit)) & np.uint64(1)) << digit


@jit(reorder=True)
def sum_earlier(cells, items, n, values, scale, out):
    """Set `out` at `cells` to `scale` times the sum of the `values` of the items before them in lists of length `n`."""
    for cell in cells:
        total = 0.0
        for item in items[cell - cell % n : cell]:
            total += values[item]
        out[cell] = total * scale


@jit
def sum_earlier_by_users(start, stop, items, n, cells, cell_ptr, users, user_ptr, bits, sparse_ptr, sparse, norm, out):
    """Fill `out` at the cells that hold items start..stop: the sum of cosines with the items before in the list.

    `items` and `out` are flat lists of length `n` each, the other arrays come from `group_users` and `group_cells`, and
    `norm` is 1 / sqrt(number of users of an item). Only one row of the item-item matrix exists at a time. `items` and
    `sparse` are unsigned, which avoids checks for negative indices and halves the time.
    """
    m, width = len(norm), 64 * bits.shape[1]
    planes, carry = np.zeros((34, bits.shape[1]), np.uint64), np.zeros(bits.shape[1], np.uint64)
    counts, cosine = np.zeros(width, np.int32), np.zeros(max(m + 1, width))
    for item in range(start, stop):
        chosen = users[user_ptr[item] : user_ptr[item + 1]]
        sum_bits(chosen, bits, planes, carry, counts)
        cosine[:width] = counts
        cosine[width:] = 0
        if len(sparse):
            for user in chosen:
                for t in range(sparse_ptr[user], sparse_ptr[user + 1]):
                    cosine[sparse[t]] += 1.0
        for other in range(m):
            cosine[other] *= norm[other]
        sum_earlier(cells[cell_ptr[item] : cell_ptr[item + 1]], items, n, cosine, norm[item], out)
