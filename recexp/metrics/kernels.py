"""Compiled loops for metrics; import inside functions only."""

from recexp.kernels import jit


@jit
def find_hits(start, stop, items, indptr, indices, wanted, hits):
    """Fill rows start..stop of `hits`, bool (b, n): is the item in its row of the target? `wanted` is all False."""
    for row in range(start, stop):
        for at in range(indptr[row], indptr[row + 1]):
            wanted[indices[at]] = True
        for p in range(items.shape[1]):
            hits[row, p] = wanted[items[row, p]]  # padding, -1, reads the spare last element
        for at in range(indptr[row], indptr[row + 1]):
            wanted[indices[at]] = False


@jit
def count_hits_from(items, hits, k, rank, counts):
    """Fill `counts`, int64 (b,): hits among each row's first k items whose `rank`, int64 (n_items,), is at least k."""
    for row in range(len(items)):
        found = 0
        for place in range(min(k, items.shape[1])):
            found += hits[row, place] and rank[items[row, place]] >= k
        counts[row] = found


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
    """Fill rows start..stop of `out`, float64 (b, n): the sum of each listed item's cosines with those before it.

    Item i has the traits `traits[trait_ptr[i]:trait_ptr[i + 1]]` and `norm`, 1 / sqrt(number of traits); -1 is padding.
    `seen`, zeros (n_traits,), holds the sum over the items before. Efficient for items with few traits.
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
        if len(seen) <= 4 * items.shape[1]:  # cheaper than looking up the traits again
            seen[:] = 0.0
            continue
        for item in items[row]:
            if item >= 0:
                for t in range(trait_ptr[item], trait_ptr[item + 1]):
                    seen[traits[t]] = 0.0
