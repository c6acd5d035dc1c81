"""Hold each user's latest row of ncf_ml1m/train.csv out: `python hold_out.py` writes learn.csv and validation.csv.

As in the test file, each row is ranked among 99 items that the user has not in train, drawn uniformly.
"""

from pathlib import Path

import numpy as np
import pandas as pd

if __name__ == "__main__":
    folder, rng = Path("ncf_ml1m"), np.random.default_rng(0)
    rows = pd.read_csv(folder / "train.csv").sort_values(["user_id", "timestamp"], kind="stable")
    held = rows.groupby("user_id").tail(1)[["user_id", "item_id"]]
    seen, items = rows.groupby("user_id")["item_id"].unique(), rows["item_id"].unique()
    others = (rng.choice(np.setdiff1d(items, seen[user]), 99, replace=False) for user in held["user_id"])
    held["candidates"] = ["|".join(map(str, drawn)) for drawn in others]
    held.to_csv(folder / "validation.csv", index=False)
    rows.drop(held.index).to_csv(folder / "learn.csv", index=False)
