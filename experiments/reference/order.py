"""Compare algorithms on the recipe's splits of ML-1M, all positive: `python order.py ease "user_knn k=50" als`."""

import sys

import numpy as np
from reference import lists, ndcg_and_recall, split

from recexp import make
from recexp.algorithms import FitContext
from recexp.data import Queries
from recexp.ranking import Ranking

SEEDS = (1, 2, 3)


def evaluated(words: str, seed: int) -> tuple[float, float]:
    """Return NDCG@10 and Recall@10 of an algorithm with its yaml's values, but for those given as key=value."""
    name, *values = words.split()
    train, test = split("ml-1m", 1, seed)
    users = np.unique(test.users)
    queries = Queries.of_users(users, train.interactions, exclude_seen=True)
    model = make(f"algorithm={name}", *(f"algorithm.{value}" for value in values))
    model.fit(train, FitContext(rng=np.random.default_rng(seed)))
    ranking = Ranking.draw(train.n_items, None, rng=np.random.default_rng(seed))
    return ndcg_and_recall(lists(model, queries, ranking), test.csr(values=False)[users].toarray() > 0)


if __name__ == "__main__":
    first = None
    heads = ["algorithm", *(f"seed {seed}" for seed in SEEDS), "mean NDCG@10", "of the first", "Recall@10"]
    sys.stdout.write(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|\n")
    for words in sys.argv[1:]:
        found = np.array([evaluated(words, seed) for seed in SEEDS])
        first = first or found[:, 0].mean()
        cells = " | ".join(f"{value:.4f}" for value in found[:, 0])
        mean, recall = found.mean(axis=0)
        sys.stdout.write(f"| {words} | {cells} | {mean:.4f} | {mean / first:.3f} | {recall:.4f} |\n")
        sys.stdout.flush()
