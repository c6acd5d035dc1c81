"""This project's side of epochs.py: train on rows.npy, and tell the seconds of an epoch."""

import statistics
import sys
import time
from pathlib import Path

import numpy as np

import recexp
from recexp.algorithms import FitContext
from recexp.data import Dataset, Interactions

EPOCHS = 6
FIELDS = {
    "neumf": ["algorithm.factors=64", "algorithm.layers=[128,128,64]", "algorithm.negatives=1"],
    "lightgcn": ["algorithm.layers=2"],
    "multvae": ["algorithm.latent=64"],
}


def dataset(folder: Path) -> Dataset:
    """Return the rows that RecBole learned from."""
    users, items = np.load(folder / "rows.npy")
    n_users, n_items = int(users.max()) + 1, int(items.max()) + 1
    rows = Interactions(users, items, np.ones(len(users), np.float32), n_users, n_items)
    return Dataset("ml-100k", rows, np.arange(n_users), np.arange(n_items))


if __name__ == "__main__":
    name, folder = sys.argv[1], Path(sys.argv[2])
    model = recexp.make(f"algorithm={name}", f"algorithm.epochs={EPOCHS}", "algorithm.batch_size=2048", *FIELDS[name])
    moments = [time.perf_counter()]
    model.fit(dataset(folder), FitContext(log_step=lambda *_: moments.append(time.perf_counter())))
    print(statistics.median(np.diff(moments)[1:]))
