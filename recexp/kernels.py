"""Compiled loops that ranking uses: imported inside functions only, since importing numba takes half a second."""

import numba
import numpy as np

jit = numba.njit(nogil=True, cache=True, boundscheck=False)
"""How every kernel is compiled: once, kept on disk, and free of the GIL so that threads share the rows."""


@jit
def top_k(start, stop, scores, exclude_ptr, exclude, allowed_ptr, allowed, listed, catalogue, ties, out_items, out_scores):
    """Fill rows start..stop of out_items (-1 padded) and out_scores with the best items, best first.

    A row of `scores` is (n_items,). Items of its `exclude` row are left out; with `listed`, only its `allowed` row is
    ranked. Each row keeps a list sorted by (score falling, ties rising); most items fail the first comparison.
    """
    n_items, k = scores.shape[1], out_items.shape[1]
    usable = catalogue.copy()
    if listed:
        usable[:] = False
    for row in range(start, stop):
        if listed:
            for a in range(allowed_ptr[row], allowed_ptr[row + 1]):
                usable[allowed[a]] = catalogue[allowed[a]]
        for e in range(exclude_ptr[row], exclude_ptr[row + 1]):
            usable[exclude[e]] = False
        size = 0
        items, best = out_items[row], out_scores[row]
        worst = np.float32(-np.inf)
        for item in range(n_items):
            score = scores[row, item]
            if not score >= worst or not usable[item] or score == -np.inf:
                continue
            if size == k:
                if score == worst and ties[item] > ties[items[k - 1]]:
                    continue
                at = k - 1
            else:
                at = size
                size += 1
            while at > 0 and (best[at - 1] < score or (best[at - 1] == score and ties[items[at - 1]] > ties[item])):
                best[at] = best[at - 1]
                items[at] = items[at - 1]
                at -= 1
            best[at] = score
            items[at] = item
            if size == k:
                worst = best[k - 1]
        if listed:
            for a in range(allowed_ptr[row], allowed_ptr[row + 1]):
                usable[allowed[a]] = False
        for e in range(exclude_ptr[row], exclude_ptr[row + 1]):
            usable[exclude[e]] = catalogue[exclude[e]] and not listed
