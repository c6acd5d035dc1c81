"""Write the ratings with Surprise's folds: `python prepare.py` makes surprise_ml100k/ in the working directory."""

from pathlib import Path

import numpy as np

import recexp


def folds(m: int, n_folds: int = 5) -> np.ndarray:
    """Return each row's fold, int (m,): those of Surprise's KFold(n_folds, random_state=0)."""
    order = np.arange(m)
    np.random.RandomState(0).shuffle(order)
    sizes = m // n_folds + (np.arange(n_folds) < m % n_folds)
    fold = np.empty(m, int)
    fold[order] = np.repeat(np.arange(n_folds), sizes)
    return fold


def write_folds(path: Path) -> None:
    """Write the ratings in file order, each with its fold."""
    data = recexp.make("dataset=movielens_100k").load()
    rows = data.interactions
    table = [data.user_ids[rows.users], data.item_ids[rows.items], rows.values, rows.timestamps, folds(len(rows))]
    names = "user_id,item_id,rating,timestamp,fold"
    np.savetxt(path, np.stack(table, axis=1).astype(np.int64), fmt="%d", delimiter=",", header=names, comments="")


if __name__ == "__main__":
    folder = Path("surprise_ml100k")
    folder.mkdir(exist_ok=True)
    write_folds(folder / "ratings.csv")
