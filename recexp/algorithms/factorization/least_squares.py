"""Shared solver of alternating least squares: the regressions of all rows, on all threads."""

import numpy as np

from recexp import threads
from recexp.algorithms.sparse_products import CSR

TOLERANCE = 1e-6
"""Of the residual, relative: what float32 can tell from 0."""

CHUNKS = 64
"""Rows are shared among threads in so many ranges of equal work."""

LINE = 16
"""Numbers in a line of the cache: rows that begin with a line and fill lines are read twice as fast."""


def solve(
    rows: CSR,
    fixed: np.ndarray,
    gram: np.ndarray,
    ridges: np.ndarray,
    out: np.ndarray,
    *,
    weights: tuple[float, float],
    pulls: tuple[float, float],
    steps: int,
) -> None:
    """Improve each row x of `out`, float32 (n, d), towards the minimum, over its entries (v: row of `fixed`, value), of

        sum of w (v . x)^2 - 2 t v . x  +  x^T gram x  +  ridge |x|^2,   w, t = constant + slope * value.

    One thread computes each row, so results do not depend on the number of threads. See `kernels.least_squares`.

    Parameters
    ----------
    fixed : float32 (m, d), the rows that the entries' codes refer to.
    gram : float32 (d, d), symmetric.
    ridges : float (n,).
    weights, pulls : constant and slope of w and t.
    steps : of conjugate gradients, at most.
    """
    from recexp.algorithms.kernels import least_squares

    d = fixed.shape[1]
    work = np.concatenate([[0], np.cumsum(np.diff(rows[0]) + d // 4)])
    bounds = np.searchsorted(work, np.linspace(0, work[-1], CHUNKS + 1))
    square = lined(d + -d % LINE, d)
    square[:d, :d] = gram
    constants = (np.array(weights, np.float32), np.array(pulls, np.float32))
    given = (*rows, *constants, _in_lines(fixed), square, ridges.astype(np.float32), steps, np.float32(TOLERANCE))
    wide = _in_lines(out)

    def chunks(start: int, stop: int) -> None:
        least_squares.solve(bounds[start], bounds[stop], *given, wide, lined(3, d))

    threads.map_rows(chunks, CHUNKS)
    if wide is not out:
        out[:] = wide[:, :d]


def enough(factors: int) -> int:
    """Return the steps that solve for `factors` unknowns: as many in exact arithmetic, and as many for rounding."""
    return 2 * factors + 10


def lined(n: int, d: int) -> np.ndarray:
    """Return float32 zeros (n, d rounded up to whole lines of the cache), the first at the beginning of a line."""
    width = d + -d % LINE
    memory = np.zeros(n * width + LINE, np.float32)
    begin = -memory.ctypes.data // memory.itemsize % LINE
    return memory[begin : begin + n * width].reshape(n, width)


def _in_lines(rows: np.ndarray) -> np.ndarray:
    """Return `rows` itself where it is as `lined` makes it, else a copy, padded with zeros."""
    n, d = rows.shape
    if d % LINE == 0 and rows.flags.c_contiguous and rows.ctypes.data % (LINE * rows.itemsize) == 0:
        return rows
    wide = lined(n, d)
    wide[:, :d] = rows
    return wide
