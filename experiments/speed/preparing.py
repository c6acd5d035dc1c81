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


def many_rows(m: int, n_users: int, n_items: int) -> Dataset:
    """Return drawn rows whose times are mixed."""
    users, items = synthetic(m, n_users, n_items, seed=1)
    times = np.random.default_rng(1).integers(1_500_000_000, 1_600_000_000, m)
    sizes = n_users, n_items
    rows = Interactions(users, items, np.ones(m, np.float32), *sizes, timestamps=times, explicit=False)
    return Dataset("many rows", rows, *map(np.arange, sizes))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=float, default=20)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=300_000)
    parser.add_argument("--dataset", help="such as movielens_1m, all rows positive, instead of drawn rows")
    given = parser.parse_args()
    if given.dataset:
        data, _ = make("filter=all_positive").apply(make(f"dataset={given.dataset}").load(), seed=1)
    else:
        data = many_rows(int(given.millions * 1e6), given.users, given.items)
    splitter, audit = make("split=random"), make("audit=standard")
    timed("histories", lambda: replace(data.interactions).histories)
    (split,) = timed("split", lambda: list(splitter.split(data)))
    timed("audit", lambda: audit.inspect(split, splitter.time))
