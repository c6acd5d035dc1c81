"""Seconds of histories, a random split and its audit on many rows; see README.md.

`python preparing.py --millions 20`; with `PYTHONPATH=DIR`, of the version of recexp in that folder.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from scales import synthetic

from recexp import make
from recexp.data import Dataset, Interactions


def timed(name: str, work: Callable[[], Any]) -> Any:
    """Return what `work` returns, and print what it took."""
    begin = time.perf_counter(), time.process_time()
    found = work()
    took, busy = time.perf_counter() - begin[0], time.process_time() - begin[1]
    sys.stdout.write(f"{name}: {took:.2f} s, of the processor {busy:.2f} s\n")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=float, default=20)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=300_000)
    given = parser.parse_args()
    m = int(given.millions * 1e6)
    users, items = synthetic(m, given.users, given.items, seed=1)
    times = np.random.default_rng(1).integers(1_500_000_000, 1_600_000_000, m)
    sizes = given.users, given.items
    rows = Interactions(users, items, np.ones(m, np.float32), *sizes, timestamps=times, explicit=False)
    data = Dataset("many rows", rows, *map(np.arange, sizes))
    splitter, audit = make("split=random"), make("audit=standard")
    timed("histories", lambda: replace(rows).histories)
    (split,) = timed("split", lambda: list(splitter.split(data)))
    timed("audit", lambda: audit.inspect(split, splitter.time))
