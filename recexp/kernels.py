"""The decorator that compiles loops, and the loops of ranking; imported inside functions: numba takes half a second."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from recexp import garbage

with garbage.uncollected():
    import numba
    from numba.core.registry import cpu_target

    from recexp import kernel_cache

    cpu_target.target_context.refresh()  # imports half of numba, as the first kernel does otherwise

REORDERED = {"contract", "nsz", "reassoc"}
"""What lets a sum be vectorised: its order is the compiler's, the same in every run. NaN and infinity keep meaning."""


def jit(
    function: Callable[..., Any] | None = None, *, reorder: bool = False, inner: bool = False
) -> Callable[..., Any]:
    """Compile a kernel, free of the GIL, and keep it on disk: beside its file, in the user's cache or in our own.

    Division by zero gives infinity or NaN, as in numpy, so that loops that divide can be vectorised.
    `@jit(reorder=True)` allows its floating-point sums to be taken in another order than written; a kernel that is
    `inner` is called by others only, and is compiled without an entrance for Python: that takes as long as its loops.
    """
    if function is None:
        return partial(jit, reorder=reorder, inner=inner)
    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": REORDERED if reorder else False,
        "no_cfunc_wrapper": True,
        "no_cpython_wrapper": inner,
    }
    for usable in (lambda: True, kernel_cache.use_own_folder):
        with suppress(RuntimeError):  # there is no place to keep it
            if usable():
                return numba.njit(cache=True, **options)(function)
    return numba.njit(**options)(function)


@jit(inner=True)
def insert(items, scores, size, item, score, ties):
    """Put an entry where it belongs among the first `size`, the highest score first, then the lowest of `ties`; return
    the new size.

    When the list is full, its last entry falls out; an entry that belongs behind it changes nothing.
    """
    at = size
    if size == len(items):
        at -= 1
        if score < scores[at] or (score == scores[at] and ties[item] > ties[items[at]]):
            return size
    else:
        size += 1
    while at > 0 and (scores[at - 1] < score or (scores[at - 1] == score and ties[items[at - 1]] > ties[item])):
        scores[at], items[at] = scores[at - 1], items[at - 1]
        at -= 1
    scores[at], items[at] = score, item
    return size


@jit
def top_k(
    start,
    stop,
    scores,
    exclude_ptr,
    exclude,
    allowed_ptr,
    allowed,
    listed,
    catalogue,
    usable,
    ties,
    out_items,
    out_scores,
):
    """Fill rows start..stop of out_items (-1 padded) and out_scores with the best items, best first.

    A row of `scores` is (n_items,). Items of its `exclude` row are left out; with `listed`, only its `allowed` row is
    ranked. `usable` begins and ends as a copy of `catalogue`, with `listed` as all False. Most items fail the first
    comparisons, with the worst of the k best so far: by score or, as most do where scores are sparse, by tie.
    """
    n_items, k = scores.shape[1], out_items.shape[1]
    for row in range(start, stop):
        if listed:
            for a in range(allowed_ptr[row], allowed_ptr[row + 1]):
                usable[allowed[a]] = catalogue[allowed[a]]
        for e in range(exclude_ptr[row], exclude_ptr[row + 1]):
            usable[exclude[e]] = False
        size, worst, last = np.int64(0), np.float32(-np.inf), ties.size
        for item in range(n_items):
            score = scores[row, item]
            if (score > worst or (score == worst and ties[item] < last)) and usable[item] and score != -np.inf:
                size = insert(out_items[row], out_scores[row], size, item, score, ties)
                if size == k:
                    worst, last = out_scores[row, k - 1], ties[out_items[row, k - 1]]
        if listed:
            for a in range(allowed_ptr[row], allowed_ptr[row + 1]):
                usable[allowed[a]] = False
        for e in range(exclude_ptr[row], exclude_ptr[row + 1]):
            usable[exclude[e]] = catalogue[exclude[e]] and not listed


@jit(inner=True)
def add_product(row, ptr, indices, data, right_ptr, right_indices, right_data, sums):
    """sums += row `row` of a sparse matrix times another."""
    for at in range(ptr[row], ptr[row + 1]):
        weight, c = data[at], indices[at]
        for b in range(right_ptr[c], right_ptr[c + 1]):
            sums[np.uint32(right_indices[b])] += weight * right_data[b]  # no check for negative ones


@jit
def top_k_of_product(
    start,
    stop,
    ptr,
    indices,
    data,
    right_ptr,
    right_indices,
    right_data,
    exclude_ptr,
    exclude,
    catalogue,
    ties,
    by_tie,
    sums,
    usable,
    out_items,
    out_scores,
):
    """Fill rows start..stop with the best items by the rows of a product of sparse matrices, as `top_k` does.

    `sums`, float32 zeros (n_items,), and `usable`, a copy of `catalogue`, end as they begin.

    Only entries of the product are looked at, and as many items of score 0, in their order `by_tie`, as are needed.
    """
    for row in range(start, stop):
        add_product(row, ptr, indices, data, right_ptr, right_indices, right_data, sums)
        for e in range(exclude_ptr[row], exclude_ptr[row + 1]):
            usable[exclude[e]] = False
        items, scores, size, worst = out_items[row], out_scores[row], np.int64(0), np.float32(-np.inf)
        for at in range(ptr[row], ptr[row + 1]):
            c = indices[at]
            for b in range(right_ptr[c], right_ptr[c + 1]):
                item = np.uint32(right_indices[b])
                score, sums[item] = sums[item], 0
                if score >= worst and score != 0 and score > -np.inf and usable[item]:
                    size = insert(items, scores, size, np.int64(item), score, ties)
                    if size == len(items):
                        worst = scores[size - 1]
        if not (size == len(items) and worst > 0):
            add_product(row, ptr, indices, data, right_ptr, right_indices, right_data, sums)
            for item in by_tie:
                if size == len(items) and scores[size - 1] == 0 and ties[items[size - 1]] < ties[item]:
                    break
                if sums[item] == 0 and usable[item]:
                    size = insert(items, scores, size, np.int64(item), np.float32(0), ties)
            for at in range(ptr[row], ptr[row + 1]):
                for b in range(right_ptr[indices[at]], right_ptr[indices[at] + 1]):
                    sums[np.uint32(right_indices[b])] = 0
        for e in range(exclude_ptr[row], exclude_ptr[row + 1]):
            usable[exclude[e]] = catalogue[exclude[e]]
