"""Values worked out independently with plain numpy and scipy on ML-100K: each algorithm must meet them to 0.0005.

Rows in file order; key = default_rng(seed).random(m); each user's first floor(0.2 n) rows by key are test; lists of 10,
train items excluded; recall divides by |target|. EASE l2 = 250; neighbours: cosine, k = 100, ties by item order.
"""

import os
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from recexp.config import make
from recexp.data import Dataset, Interactions, Queries
from recexp.ranking import Ranking

ALGORITHMS = {
    "ease": ["algorithm=ease", "algorithm.l2=250.0"],
    "item_knn_target": ["algorithm=item_knn", "algorithm.k=100", "algorithm.neighbors_of=target"],
    "item_knn_seen": ["algorithm=item_knn", "algorithm.k=100", "algorithm.neighbors_of=seen"],
    "user_knn": ["algorithm=user_knn", "algorithm.k=100"],
    "popularity": ["algorithm=popularity"],
}
NEIGHBORS = ["algorithm.similarity=cosine", "algorithm.shrinkage=0.0", "algorithm.weighting=none"]
EXPECTED = {  # (least rating, seed): NDCG@10 and Recall@10 of each algorithm in the order above
    (1, 1): [.4374, .2402, .3925, .2135, .3408, .1813, .3849, .2109, .2129, .1125],
    (1, 2): [.4378, .2380, .3804, .2078, .3443, .1870, .3858, .2087, .2120, .1124],
    (1, 3): [.4354, .2398, .3806, .2069, .3307, .1807, .3856, .2090, .2092, .1097],
    (4, 1): [.3159, .2542, .2855, .2306, .2528, .2019, .2807, .2336, .1508, .1163],
    (4, 2): [.3172, .2554, .2778, .2260, .2434, .1908, .2830, .2334, .1568, .1139],
    (4, 3): [.3197, .2586, .2870, .2358, .2515, .2033, .2946, .2437, .1599, .1261],
}  # fmt: skip
ROWS = {1: (80_367, 19_633), 4: (44_679, 10_696)}

pytestmark = pytest.mark.skipif("RECEXP_DATA" not in os.environ, reason="RECEXP_DATA does not say where ml-100k lies")


@cache
def split(least: int, seed: int) -> tuple[Dataset, Interactions]:
    with zipfile.ZipFile(Path(os.environ["RECEXP_DATA"]) / "ml-100k" / "ml-100k.zip") as archive:
        name = next(n for n in archive.namelist() if n.endswith("u.data"))
        table = np.array(archive.read(name).split(), np.int64).reshape(-1, 4)
    table = table[table[:, 2] >= least]
    user_ids, users = np.unique(table[:, 0], return_inverse=True)
    item_ids, items = np.unique(table[:, 1], return_inverse=True)
    order = np.lexsort((np.random.default_rng(seed).random(len(table)), users))
    counts = np.bincount(users)
    place = np.empty(len(table), int)
    place[order] = np.arange(len(table)) - np.repeat(np.cumsum(counts) - counts, counts)
    test = place < np.floor(0.2 * counts[users])
    ones = np.ones(len(table), np.float32)
    rows = Interactions(users.astype(np.int32), items.astype(np.int32), ones, len(user_ids), len(item_ids))
    return Dataset("ml-100k", rows.take(~test), user_ids, item_ids), rows.take(test)


def ndcg_and_recall(lists: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    hits = np.take_along_axis(target, lists, axis=1)
    discount = 1 / np.log2(np.arange(10) + 2)
    ideal = np.cumsum(discount)[np.minimum(target.sum(axis=1), 10) - 1]
    return (hits @ discount / ideal).mean(), (hits.sum(axis=1) / target.sum(axis=1)).mean()


@pytest.mark.parametrize("least, seed", EXPECTED)
@pytest.mark.parametrize("name", ALGORITHMS)
def test_meets_the_reference(name: str, least: int, seed: int) -> None:
    train, test = split(least, seed)
    assert (len(train.interactions), len(test)) == ROWS[least]
    users = np.unique(test.users)
    queries = Queries.of_users(users, train.interactions, exclude_seen=True)
    model = make(*ALGORITHMS[name], *(NEIGHBORS if "knn" in name else []))
    model.fit(train, rng=np.random.default_rng(0))
    in_order = Ranking(np.arange(train.n_items, dtype=np.int32), np.ones(train.n_items, bool))
    lists = model.recommend(queries, 10, in_order)
    at = 2 * list(ALGORITHMS).index(name)
    found = ndcg_and_recall(lists.items, test.csr(values=False)[users].toarray() > 0)
    assert found == pytest.approx(EXPECTED[least, seed][at : at + 2], abs=0.0005)
