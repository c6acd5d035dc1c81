"""A progress bar for long steps: on a terminal only, and never needed for the result."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(total: int, description: str) -> Iterator[Callable[[int], None]]:
    """Yield `advance(n)`, to be called as `n` more of `total` units are done; silent when stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield lambda n: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(description, total=total)
        yield lambda n: progress.advance(task, n)
