"""Stable sorts by counting, in the order of the rows: several times faster than comparing at millions of rows."""

import numpy as np
import scipy.sparse as sp

DIGIT, DIGITS = 15, 3
"""Bits that are sorted by at once, and how often that is faster than to compare."""


def by_code(rows: np.ndarray, codes: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `rows`, int (m,), group by group in their order, and where each group begins, int (n + 1,).

    `codes`, int (m,), names the group of each of `rows` in 0..n-1.
    """
    one = sp.csr_array((rows, codes, np.array([0, len(rows)], rows.dtype)), shape=(1, n))
    by_group = one.tocsc()  # a counting sort that keeps the order of equals
    return by_group.data, by_group.indptr


def ascending(values: np.ndarray) -> np.ndarray:
    """Return int (m,): the row numbers of int64 values from the lowest to the highest, ties in order."""
    rows = np.arange(len(values), dtype=sp.get_index_dtype(maxval=len(values)))
    if (values[1:] >= values[:-1]).all():
        return rows
    low = int(values.min())
    bits = (int(values.max()) - low).bit_length()
    if bits > DIGIT * DIGITS:
        return np.argsort(values, kind="stable").astype(rows.dtype)
    passes = -(-bits // DIGIT)
    width, above = -(-bits // passes), values - low
    for shift in range(0, bits, width):
        digits = ((above >> shift) & ((1 << width) - 1)).astype(rows.dtype)
        rows, _ = by_code(rows, digits[rows] if shift else digits, 1 << width)
    return rows
