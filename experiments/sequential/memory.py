"""Train on 10 M events of 1 M users and tell the memory that it takes beside the data: `python memory.py`."""

import resource
import time

import numpy as np

import recexp
from recexp.data import Dataset, Interactions

USERS, ITEMS, EVENTS = 1_000_000, 50_000, 10_000_000
MODELS = ("gru4rec", "sasrec")
FIELDS = ("algorithm.loss=sampled", "algorithm.epochs=1", "algorithm.batch_size=2048", "algorithm.length=50")


def peak() -> float:
    """Return the most memory that the process has had, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    users = rng.integers(0, USERS, EVENTS).astype(np.int32)
    items = (ITEMS * rng.random(EVENTS) ** 2).astype(np.int32)
    rows = Interactions(users, items, np.ones(EVENTS, np.float32), USERS, ITEMS, timestamps=np.arange(EVENTS))
    data = Dataset("large", rows, np.arange(USERS), np.arange(ITEMS))
    rows.histories  # noqa: B018  # belongs to the data: splits and all other models read it, too
    before = peak()
    print(f"data: {before:.2f} GiB")
    for name in MODELS:
        start = time.process_time()
        recexp.make(f"algorithm={name}", *FIELDS).fit(data)
        print(
            f"{name}: {peak() - before:.2f} GiB more at the peak, {time.process_time() - start:.0f} s of processor time"
        )
