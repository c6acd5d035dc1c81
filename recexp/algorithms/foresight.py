"""Estimates of the memory and time of a fit, reported before allocation; a fit that exceeds memory is refused."""

import logging

from recexp import system, threads
from recexp.errors import ConfigError

log = logging.getLogger(__name__)

UNSAID = 2**30, 1.0
"""Bytes and minutes below which a need goes without saying."""
LONG = 10.0
"""Minutes from which on the message also names alternatives."""
PACE = 3e10
"""Multiplications and additions a second of a core, in single precision: it varies, so that times are rough."""
SCATTERED = 30
"""Operations that take as long as to add to a number that is not in the cache."""
INSTEAD = "algorithm=als or algorithm=item_knn, which need no square of the items, or a filter that keeps fewer items"


def foresee(model: str, size: str, *, memory: float, operations: float = 0.0, instead: str = INSTEAD) -> None:
    """Check what `model` needs for data of `size` ("60,000 items"): `memory` in bytes, and the number of `operations`.

    Logs a large memory requirement and warns about a long run time.

    Raises ConfigError if the required memory exceeds the free memory, with both figures and an alternative.
    """
    minutes = operations / (PACE * threads.count() * 60)
    if memory < UNSAID[0] and minutes < UNSAID[1]:
        return
    need = f"{model} of {size} needs {memory / 2**30:.1f} GiB of memory"
    free = system.free_mib()
    if free is not None and memory > free * 2**20:
        raise ConfigError(f"algorithm: {need}, but only {free / 2**10:.1f} GiB are free; use {instead}")
    if minutes >= LONG:
        log.warning("%s and about %.0f minutes; faster: %s", need, minutes, instead)
    else:
        log.info("%s%s", need, f" and about {minutes:.0f} minutes" if minutes >= UNSAID[1] else "")
