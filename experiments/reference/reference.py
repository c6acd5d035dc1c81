"""Meet values worked out independently, cell by cell: `python reference.py --help`. README.md has the recipe."""

import argparse
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from recexp import make
from recexp.algorithms import FitContext, Recommender
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
    ("ml-1m", 1, 1): [0.4189, 0.1779, 0.3629, 0.1430, 0.3132, 0.1177, 0.3805, 0.1600, 0.2029, 0.0677],
    ("ml-1m", 1, 2): [0.4242, 0.1805, 0.3691, 0.1469, 0.3139, 0.1178, 0.3848, 0.1625, 0.1995, 0.0666],
    ("ml-1m", 1, 3): [0.4220, 0.1800, 0.3657, 0.1457, 0.3139, 0.1186, 0.3817, 0.1616, 0.2015, 0.0669],
    ("ml-1m", 4, 1): [0.3254, 0.1969, 0.2836, 0.1661, 0.2426, 0.1351, 0.2864, 0.1742, 0.1545, 0.0863],
    ("ml-1m", 4, 2): [0.3272, 0.1971, 0.2832, 0.1655, 0.2397, 0.1360, 0.2875, 0.1739, 0.1520, 0.0830],
    ("ml-1m", 4, 3): [0.3248, 0.1962, 0.2830, 0.1662, 0.2383, 0.1359, 0.2852, 0.1738, 0.1511, 0.0829],
    ("ml-100k", 1, 1): [0.4374, 0.2402, 0.3925, 0.2135, 0.3408, 0.1813, 0.3849, 0.2109, 0.2129, 0.1125],
    ("ml-100k", 1, 2): [0.4378, 0.2380, 0.3804, 0.2078, 0.3443, 0.1870, 0.3858, 0.2087, 0.2120, 0.1124],
    ("ml-100k", 1, 3): [0.4354, 0.2398, 0.3806, 0.2069, 0.3307, 0.1807, 0.3856, 0.2090, 0.2092, 0.1097],
    ("ml-100k", 4, 1): [0.3159, 0.2542, 0.2855, 0.2306, 0.2528, 0.2019, 0.2807, 0.2336, 0.1508, 0.1163],
    ("ml-100k", 4, 2): [0.3172, 0.2554, 0.2778, 0.2260, 0.2434, 0.1908, 0.2830, 0.2334, 0.1568, 0.1139],
    ("ml-100k", 4, 3): [0.3197, 0.2586, 0.2870, 0.2358, 0.2515, 0.2033, 0.2946, 0.2437, 0.1599, 0.1261],
}
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
    model = make(*ALGORITHMS[name]).fit(train, FitContext(rng=np.random.default_rng(0)))
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
