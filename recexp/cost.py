"""What a run costs: seconds by step, processor seconds of a model's work, and the peak of resident memory."""

import builtins
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from recexp import system

T = TypeVar("T")


class Overhead:
    """CPU seconds that this process has spent on loading modules and compiling kernels, which happens only once.

    Each is the work of one thread, so that what other threads do meanwhile is not counted.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._thread = threading.local()

    def begin(self) -> None:
        """Begin, or begin something within what has begun already."""
        depth = getattr(self._thread, "depth", 0)
        if not depth:
            self._thread.began = time.thread_time()
        self._thread.depth = depth + 1

    def end(self) -> None:
        """End what began last."""
        self._thread.depth -= 1
        if not self._thread.depth:
            self.seconds += time.thread_time() - self._thread.began

    @contextmanager
    def counting_imports(self) -> Iterator[None]:
        """Count the modules that are imported in the block: many a fit imports a library when it needs it."""
        load = builtins.__import__

        def timed(*args: Any, **kwargs: Any) -> Any:
            self.begin()
            try:
                return load(*args, **kwargs)
            finally:
                self.end()

        builtins.__import__ = timed
        try:
            yield
        finally:
            builtins.__import__ = load


OVERHEAD = Overhead()


class Costs:
    """Collects seconds by name, and the process's peak memory, since it was made or reset."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin again."""
        self.seconds: dict[str, float] = {}
        self._begin = time.perf_counter()
        system.restart_peak()  # each job of a sweep has its own

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Add the seconds that the block takes to `name`."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._add(name, time.perf_counter() - begin)

    @contextmanager
    def measure_work(self, name: str) -> Iterator[None]:
        """Measure the block, and add its processor seconds on all cores, without overhead, to `NAME_cpu`.

        Other work on the machine makes the block take longer, but hardly adds to these. A GPU's work is not in them.
        """
        begin, before = time.process_time(), OVERHEAD.seconds
        try:
            with self.measure(name), OVERHEAD.counting_imports():
                yield
        finally:
            self._add(f"{name}_cpu", max(0.0, time.process_time() - begin - (OVERHEAD.seconds - before)))

    def measure_each(self, name: str, items: Iterable[T]) -> Iterator[T]:
        """Yield the items, and add the seconds that it takes to make each to `name`."""
        made = iter(items)
        while True:
            with self.measure(name):
                try:
                    item = next(made)
                except StopIteration:
                    return
            yield item

    def metrics(self) -> dict[str, float]:
        """Return `fit_seconds` and the like, `total_seconds` and `peak_mib`."""
        total = time.perf_counter() - self._begin
        seconds = {f"{name}_seconds": value for name, value in self.seconds.items()}
        return {**seconds, "total_seconds": total, "peak_mib": system.peak_mib()}

    def _add(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
