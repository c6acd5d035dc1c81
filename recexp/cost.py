"""What a run costs: seconds by step, and the peak of resident memory."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from recexp import system

T = TypeVar("T")


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
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin

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
