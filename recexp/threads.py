"""How many threads work, and how ranges of rows are shared among them.

Compiled kernels release the GIL and work on disjoint rows, so their results do not depend on the number of threads;
BLAS gets the same number, and the two never run at once.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

_count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def count() -> int:
    """Threads in use now."""
    return _count


@contextmanager
def limit(threads: int | None) -> Iterator[None]:
    """Use `threads` threads (None: all cores of this process) for kernels and BLAS within the block."""
    global _count
    if threads is None:
        yield
        return
    from threadpoolctl import threadpool_limits

    before, _count = _count, threads
    try:
        with threadpool_limits(threads):
            yield
    finally:
        _count = before


def map_rows(function: Callable[[int, int], None], n_rows: int, chunks_per_thread: int = 8) -> None:
    """Call `function(start, stop)` on ranges that cover `range(n_rows)`, on all threads; the first error is raised."""
    n_chunks = min(n_rows, _count * chunks_per_thread)
    if _count == 1 or n_chunks <= 1:
        function(0, n_rows)
        return
    bounds = [n_rows * c // n_chunks for c in range(n_chunks + 1)]
    with ThreadPoolExecutor(_count) as pool:
        list(pool.map(function, bounds[:-1], bounds[1:]))
