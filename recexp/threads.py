"""How many threads work, and how ranges of rows are shared among them.

Compiled kernels release the GIL and work on disjoint rows, so their results do not depend on the number of threads;
BLAS gets the same number, and the two never run at once.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import TypeVar, cast

from threadpoolctl import threadpool_limits

from recexp import system

T = TypeVar("T")

_count = system.cores()


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
    before, _count = _count, threads
    try:
        with threadpool_limits(threads):
            yield
    finally:
        _count = before


def map_rows(function: Callable[[int, int], None], n_rows: int, chunks_per_thread: int = 8) -> None:
    """Call `function(start, stop)` on ranges of `range(n_rows)`, on all threads.

    An error or interrupt stops all threads and is raised; no further calls are made.
    """
    threads = _count
    n_chunks = min(n_rows, threads * chunks_per_thread)
    if threads == 1 or n_chunks <= 1:
        function(0, n_rows)
        return
    ranges = deque(pairwise(n_rows * c // n_chunks for c in range(n_chunks + 1)))

    def work() -> None:
        while True:
            try:
                start, stop = ranges.popleft()
            except IndexError:
                return
            try:
                function(start, stop)
            except BaseException:
                ranges.clear()
                raise

    helpers: list[Future[None]] = []
    try:
        for _ in range(threads - 1):
            helpers.append(_helpers(threads - 1).submit(work))
        work()
        for helper in helpers:
            if not helper.cancel():
                helper.result()
    except BaseException:
        ranges.clear()
        wait([helper for helper in helpers if not helper.cancel()])
        raise


def call_all(functions: Sequence[Callable[[], T]]) -> list[T]:
    """Call functions on all threads, which helps where they release the GIL, and return what they return, in order."""
    found: list[T | None] = [None] * len(functions)

    def call(start: int, stop: int) -> None:
        for number in range(start, stop):
            found[number] = functions[number]()

    map_rows(call, len(functions))
    return cast("list[T]", found)


@cache
def _helpers(count: int) -> ThreadPoolExecutor:
    """Return the threads beside the calling one: kept, for to start them takes longer than many a loop.

    Where all are busy, in a call within a call, the calling thread does the work alone.
    """
    return ThreadPoolExecutor(count, thread_name_prefix="recexp")


system.after_fork(_helpers.cache_clear)  # threads do not survive a fork
