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
        for item in items[row]:
            if item >= 0:
                for t in range(trait_ptr[item], trait_ptr[item + 1]):
                    seen[traits[t]] = 0.0


@jit
def sum_earlier_by_owners(start, stop, cells, cell_ptr, items, trait_ptr, traits, owner_ptr, owners, norm, out):
    """Fill `out`, float64 (b, n), at the cells that hold items start..stop: sum of their cosines with all cells before.

    The same for items of many traits: each row of the item-item matrix is made once for all lists.

    Of m items, i has the traits `traits[trait_ptr[i]:trait_ptr[i + 1]]` and is in the cells `cells[cell_ptr[i]: ...]`;
    `owners` lists the items of each trait; `norm` is one over the root of an item's number of traits. Item m is
    padding. Only one row of the item-item matrix exists at a time. `items` and `owners` are unsigned, so that no index
    needs a test for being negative: that halves the time.
    """
    n, m = items.shape[1], len(norm)
    cosine = np.zeros(m + 1)
    for item in range(start, stop):
        cosine[:] = 0
        for t in range(trait_ptr[item], trait_ptr[item + 1]):
            trait = traits[t]
            for owner in owners[owner_ptr[trait] : owner_ptr[trait + 1]]:
                cosine[owner] += 1.0
        for other in range(m):
            cosine[other] *= norm[other]
        for c in range(cell_ptr[item], cell_ptr[item + 1]):
            row, place = cells[c] // n, cells[c] % n
            total = 0.0
            for other in items[row, :place]:
                total += cosine[other]
            out[row, place] = total * norm[item]
