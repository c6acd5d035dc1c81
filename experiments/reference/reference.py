"""Meet values worked out independently, cell by cell: `python reference.py --help`. README.md has the recipe."""

import argparse
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from recexp.algorithms.base import Recommender
from recexp.config import make
from recexp.data import Dataset, Interactions, Queries
from recexp.ranking import Ranking

DATASETS = {"ml-100k": "movielens_100k", "ml-1m": "movielens_1m"}
NEIGHBORS = ["algorithm.k=100", "algorithm.similarity=cosine", "algorithm.shrinkage=0.0", "algorithm.weighting=none"]
ALGORITHMS = {
    "ease": ["algorithm=ease", "algorithm.l2=250.0"],
    "item_knn_target": ["algorithm=item_knn", *NEIGHBORS, "algorithm.neighbors_of=target"],
    "item_knn_seen": ["algorithm=item_knn", *NEIGHBORS, "algorithm.neighbors_of=seen"],
    "user_knn": ["algorithm=user_knn", *NEIGHBORS],
    "popularity": ["algorithm=popularity"],
}
EXPECTED = {  # (data, least rating, seed): NDCG@10 and Recall@10 of each algorithm in the order above
    ("ml-1m", 1, 1): [.4189, .1779, .3629, .1430, .3132, .1177, .3805, .1600, .2029, .0677],
    ("ml-1m", 1, 2): [.4242, .1805, .3691, .1469, .3139, .1178, .3848, .1625, .1995, .0666],
    ("ml-1m", 1, 3): [.4220, .1800, .3657, .1457, .3139, .1186, .3817, .1616, .2015, .0669],
    ("ml-1m", 4, 1): [.3254, .1969, .2836, .1661, .2426, .1351, .2864, .1742, .1545, .0863],
    ("ml-1m", 4, 2): [.3272, .1971, .2832, .1655, .2397, .1360, .2875, .1739, .1520, .0830],
    ("ml-1m", 4, 3): [.3248, .1962, .2830, .1662, .2383, .1359, .2852, .1738, .1511, .0829],
    ("ml-100k", 1, 1): [.4374, .2402, .3925, .2135, .3408, .1813, .3849, .2109, .2129, .1125],
    ("ml-100k", 1, 2): [.4378, .2380, .3804, .2078, .3443, .1870, .3858, .2087, .2120, .1124],
    ("ml-100k", 1, 3): [.4354, .2398, .3806, .2069, .3307, .1807, .3856, .2090, .2092, .1097],
    ("ml-100k", 4, 1): [.3159, .2542, .2855, .2306, .2528, .2019, .2807, .2336, .1508, .1163],
    ("ml-100k", 4, 2): [.3172, .2554, .2778, .2260, .2434, .1908, .2830, .2334, .1568, .1139],
    ("ml-100k", 4, 3): [.3197, .2586, .2870, .2358, .2515, .2033, .2946, .2437, .1599, .1261],
}  # fmt: skip
TOLERANCE = 0.0005


def held_out(users: np.ndarray, seed: int) -> np.ndarray:
    """Return bool (m,): which rows, of the given users, are the random 20 % of their user's, rounded down."""
    order = np.lexsort((np.random.default_rng(seed).random(len(users)), users))
    counts = np.bincount(users)
    place = np.empty(len(users), int)
    place[order] = np.arange(len(users)) - np.repeat(np.cumsum(counts) - counts, counts)
    return place < np.floor(0.2 * counts[users])


@cache
def split(data: str, least: int, seed: int) -> tuple[Dataset, Interactions]:
    """Return the recipe's train set and test rows; the data are fetched where RECEXP_DATA does not say they lie."""
    loaded = make(f"dataset={DATASETS[data]}").load()
    rows = loaded.interactions
    table = np.stack([loaded.user_ids[rows.users], loaded.item_ids[rows.items], rows.values.astype(np.int64)], axis=1)
    table = table[table[:, 2] >= least]
    user_ids, users = np.unique(table[:, 0], return_inverse=True)
    item_ids, items = np.unique(table[:, 1], return_inverse=True)
    test = held_out(users, seed)
    ones = np.ones(len(table), np.float32)
    rows = Interactions(users.astype(np.int32), items.astype(np.int32), ones, len(user_ids), len(item_ids))
    return Dataset(data, rows.take(~test), user_ids, item_ids), rows.take(test)


def lists(model: Recommender, queries: Queries, ranking: Ranking) -> np.ndarray:
    """Return int (b, 10): the lists of 10, of a block of queries at a time."""
    blocks = [queries.take(slice(at, at + 2000)) for at in range(0, len(queries), 2000)]
    return np.concatenate([model.recommend(block, 10, ranking).items for block in blocks])


def ndcg_and_recall(ranked: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """Return the means at 10 for int (b, 10) lists and bool (b, n_items) targets, written apart from recexp.metrics."""
    hits = np.take_along_axis(target, ranked, axis=1)
    discount = 1 / np.log2(np.arange(10) + 2)
    ideal = np.cumsum(discount)[np.minimum(target.sum(axis=1), 10) - 1]
    return (hits @ discount / ideal).mean(), (hits.sum(axis=1) / target.sum(axis=1)).mean()


def evaluated(name: str, train: Dataset, test: Interactions) -> tuple[float, float]:
    """Return NDCG@10 and Recall@10 of an algorithm, equal scores in item order."""
    users = np.unique(test.users)
    queries = Queries.of_users(users, train.interactions, exclude_seen=True)
    model = make(*ALGORITHMS[name]).fit(train, rng=np.random.default_rng(0))
    in_order = Ranking(np.arange(train.n_items, dtype=np.int32), np.ones(train.n_items, bool))
    return ndcg_and_recall(lists(model, queries, in_order), test.csr(values=False)[users].toarray() > 0)


def shuffled(train: Dataset, test: Interactions, seed: int) -> tuple[Dataset, Interactions]:
    """Give users and items other codes: all that changes is which of several equals comes first."""
    rng = np.random.default_rng(seed)
    users, items = (rng.permutation(n).astype(np.int32) for n in (test.n_users, test.n_items))
    renamed = [replace(rows, users=users[rows.users], items=items[rows.items]) for rows in (train.interactions, test)]
    return replace(train, interactions=renamed[0]), renamed[1]


def expected(name: str, data: str, least: int, seed: int) -> np.ndarray:
    """Return the table's NDCG@10 and Recall@10."""
    at = 2 * list(ALGORITHMS).index(name)
    return np.array(EXPECTED[data, least, seed][at : at + 2])


def tabulate(data: str) -> None:
    """Write a Markdown table of ours and how far it lies from the expected value."""
    write = sys.stdout.write
    write(f"| data | seed | {' | '.join(ALGORITHMS)} |\n|---|---|{'---|' * len(ALGORITHMS)}\n")
    worst = 0.0
    for which, least, seed in EXPECTED:
        if which != data:
            continue
        cells = []
        for name in ALGORITHMS:
            found, wanted = np.array(evaluated(name, *split(data, least, seed))), expected(name, data, least, seed)
            off = abs(found - wanted).max()
            worst = max(worst, off)
            cells.append(f"{found[0]:.4f} {found[1]:.4f} ({off:.4f})")
        write(f"| {data} {'all' if least == 1 else f'>= {least}'} | {seed} | {' | '.join(cells)} |\n")
    write(f"\nlargest difference: {worst:.5f}\n")


def save(data: str, least: int, seed: int, folder: Path) -> None:
    """Write train.csv and test.csv for `split=predefined`."""
    train, test = split(data, least, seed)
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("train", train.interactions), ("test", test)):
        ids = np.column_stack([train.user_ids[rows.users], train.item_ids[rows.items]])
        np.savetxt(folder / f"{name}.csv", ids, fmt="%d", delimiter=",", header="user_id,item_id", comments="")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", choices=DATASETS)
    parser.add_argument("--write", type=Path, metavar="DIR", help="write one split as train.csv and test.csv instead")
    parser.add_argument("--least", type=int, default=1, help="with --write: the least rating kept (1 or 4)")
    parser.add_argument("--seed", type=int, default=1, help="with --write: the split's seed")
    given = parser.parse_args()
    if given.write:
        save(given.data, given.least, given.seed, given.write)
    else:
        tabulate(given.data)
