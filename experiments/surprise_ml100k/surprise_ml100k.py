"""Run Surprise's benchmark of MovieLens 100K: `python surprise_ml100k.py [ROW ...]`; README.md says what it is.

`python surprise_ml100k.py --write FILE` only writes the ratings with their folds.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from recexp.config import make

sys.path.insert(0, str(Path(__file__).parents[1]))
from study import study

HERE = Path(__file__).parent
NEIGHBORS = ["algorithm=user_knn", "algorithm.similarity=msd", "algorithm.k=40", "algorithm.shrinkage=0.0"]
ROWS = {
    "BaselineOnly": ["algorithm=bias"],
    "SlopeOne": ["algorithm=slope_one"],
    "KNNBasic": [*NEIGHBORS, "algorithm.aggregate=average"],
    "KNNWithMeans": [*NEIGHBORS, "algorithm.aggregate=average_means"],
    "KNNBaseline": [*NEIGHBORS, "algorithm.aggregate=average_baselines"],
    "SVD": ["algorithm=mf"],
    "SVD++": ["algorithm=svdpp"],
    "NMF": ["algorithm=rating_nmf"],
}
COMMON = ["dataset=files", "dataset.name=surprise_ml100k", "dataset.columns.fold=fold", "filter=ratings", "split=kfold",
          "split.by=column", "evaluation=ratings"]  # fmt: skip


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
    data = make("dataset=movielens_100k").load()
    rows = data.interactions
    table = [data.user_ids[rows.users], data.item_ids[rows.items], rows.values, rows.timestamps, folds(len(rows))]
    names = "user_id,item_id,rating,timestamp,fold"
    np.savetxt(path, np.stack(table, axis=1).astype(np.int64), fmt="%d", delimiter=",", header=names, comments="")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write_folds(Path(sys.argv[2]))
        sys.exit()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ratings.csv"
        write_folds(path)
        sys.exit(0 if study(HERE, ROWS, [*COMMON, f"dataset.interactions={path}"]) else 1)
