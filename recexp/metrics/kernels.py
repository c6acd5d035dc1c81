"""Compiled loops that metrics use: imported inside functions only."""

import numpy as np

from recexp.compiled import jit


@jit
def find_hits(start, stop, items, indptr, indices, wanted, hits):
    """Fill rows start..stop of `hits`, bool (b, n): the items in their row of the target; `wanted` is all False."""
    for row in range(start, stop):
        for at in range(indptr[row], indptr[row + 1]):
            wanted[indices[at]] = True
        for p in range(items.shape[1]):
            hits[row, p] = wanted[items[row, p]]  # padding, -1, reads the spare last place
        for at in range(indptr[row], indptr[row + 1]):
            wanted[indices[at]] = False


@jit
def sum_values(items, k, values, sums):
    """Fill `sums`, float64 (b,), with the sum of the `values` of each row's first k items; -1 is padding."""
    for row in range(len(items)):
        total = 0.0
        for item in items[row, :k]:
            if item >= 0:
                total += values[item]
        sums[row] = total


@jit
def sum_earlier_by_traits(start, stop, items, trait_ptr, traits, norm, seen, out):
    """Fill rows start..stop of `out`, float64 (b, n): sum of each listed item's cosines with those before it.

    Item i has the traits `traits[trait_ptr[i]:trait_ptr[i + 1]]` and `norm`, one over the root of their number; -1 is
    padding. `seen`, zeros (n_traits,), holds the sum of the items before: for items of few traits.
    """
    for row in range(start, stop):
        for place in range(items.shape[1]):
            item = items[row, place]
            if item < 0:
                continue
            total = 0.0
            for t in range(trait_ptr[item], trait_ptr[item + 1]):
                total += seen[traits[t]]
                seen[traits[t]] += norm[item]
            out[row, place] = total * norm[item]
        if len(seen) <= 4 * items.shape[1]:  # cheaper than to look the traits up again
            seen[:] = 0.0
            continue
        for item in items[row]:
            if item >= 0:
                for t in range(trait_ptr[item], trait_ptr[item + 1]):
                    seen[traits[t]] = 0.0


@jit
def group_users(indptr, indices, rank, ends, users, bits, sparse_ptr, sparse):
    """Sort the entries of a CSR matrix of users and items into users by item, bits and what bits do not hold.

    `rank` names items 0..m-1, or m for those left out. `users[ends[i - 1]:ends[i]]` are set to the users of item i:
    `ends` comes with where those begin and leaves with where they end. Row u of `bits`, 64 items a word, gets the items
    of user u; those past its width go to `sparse[sparse_ptr[u]:sparse_ptr[u + 1]]`.
    """
    at, width = 0, 64 * bits.shape[1]
    for user in range(len(indptr) - 1):
        for t in range(indptr[user], indptr[user + 1]):
            item = rank[indices[t]]
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
def group_cells(items, rank, ends, named, cells):
    """Fill `named` with the names of the flat `items` and set `cells[ends[i - 1]:ends[i]]` to the places of name i.

    `rank` and `ends` are as in `group_users`.
    """
    for cell, item in enumerate(items):
        name = rank[item]
        named[cell] = name
        if name < len(ends):
            cells[ends[name]] = cell
            ends[name] += 1


@jit
def full_adder(a, b, c):
    """Add three bits in each place of three words: return the words of their sums and of their carries."""
    half = a ^ b
    return half ^ c, (a & b) | (half & c)


@jit
def sum_bits(chosen, rows, planes, carry, counts):
    """Fill `counts`, int32 (64 w,), with how many of the `chosen` rows of `rows`, uint64 (n, w), have each bit set.

    Eight rows at a time go through full adders (Harley and Seal's counter); digit d of every count is in `planes[d]`.
    The last row of `rows` is empty, and `planes`, (digits, w), and `carry`, (w,), are room to work in.
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
    """Set `out` at `cells` to `scale` times the sum of the `values` of the items before them in lists of `n` places."""
    for cell in cells:
        total = 0.0
        for item in items[cell - cell % n : cell]:
            total += values[item]
        out[cell] = total * scale


@jit
def sum_earlier_by_users(start, stop, items, n, cells, cell_ptr, users, user_ptr, bits, sparse_ptr, sparse, norm, out):
    """Fill `out` at the cells that hold items start..stop: sum of their cosines with the items before in the list.

    The same for items of many traits, their users: each row of the item-item matrix is made once for all lists.

    `items` and `out` are flat lists of `n` places each, the other arrays what `group_users` and `group_cells` made, and
    `norm` is one over the root of an item's number of users. Only one row of the item-item matrix exists at a time.
    `items` and `sparse` are unsigned, so that no index needs a test for being negative: that halves the time.
    """
    m, width = len(norm), 64 * bits.shape[1]
    planes, carry = np.zeros((34, bits.shape[1]), np.uint64), np.zeros(bits.shape[1], np.uint64)
    counts, cosine = np.zeros(width, np.int32), np.zeros(max(m + 1, width))
    for item in range(start, stop):
        chosen = users[user_ptr[item] : user_ptr[item + 1]]
        sum_bits(chosen, bits, planes, carry, counts)
        cosine[:width] = counts
        cosine[width:] = 0
        for user in chosen[: len(chosen) if len(sparse) else 0]:
            for t in range(sparse_ptr[user], sparse_ptr[user + 1]):
                cosine[sparse[t]] += 1.0
        for other in range(m):
            cosine[other] *= norm[other]
        sum_earlier(cells[cell_ptr[item] : cell_ptr[item + 1]], items, n, cosine, norm[item], out)
