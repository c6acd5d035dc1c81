"""Compare settings of an algorithm on validation parts: `python defaults.py algorithm=als algorithm.alpha=1,10`."""

import itertools
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "reference"))
import reference

from recexp import make
from recexp.algorithms import FitContext
from recexp.data import Dataset, Interactions, Queries
from recexp.ranking import Ranking

SEEDS = (101, 102, 103)


@cache
def validation(seed: int) -> tuple[Dataset, Interactions]:
    """Return train and validation of a seed's train part (ML-1M, all positive); its test part is never looked at."""
    train, _ = reference.split("ml-1m", 1, seed)
    rows = train.interactions
    held_out = reference.held_out(rows.users, seed)
    return replace(train, interactions=rows.take(~held_out)), rows.take(held_out)


def evaluated(overrides: list[str], seed: int) -> tuple[float, float, float]:
    """Return NDCG@10, Recall@10 and the seconds of fit and recommendation."""
    train, held_out = validation(seed)
    users = np.unique(held_out.users)
    queries = Queries.of_users(users, train.interactions, exclude_seen=True)
    begin = time.perf_counter()
    model = make(*overrides).fit(train, FitContext(rng=np.random.default_rng(seed)))
    ranking = Ranking.draw(train.n_items, None, rng=np.random.default_rng(seed))
    lists = reference.lists(model, queries, ranking)
    seconds = time.perf_counter() - begin
    return *reference.ndcg_and_recall(lists, held_out.csr(values=False)[users].toarray() > 0), seconds


if __name__ == "__main__":
    grid = [
        [f"{key}={value}" for value in values.split(",")]
        for key, _, values in (argument.partition("=") for argument in sys.argv[1:])
    ]
    sys.stdout.write("| settings | NDCG@10 | Recall@10 | seconds |\n|---|---|---|---|\n")
    for overrides in itertools.product(*grid):
        ndcg, recall, seconds = np.mean([evaluated(list(overrides), seed) for seed in SEEDS], axis=0)
        sys.stdout.write(f"| {' '.join(overrides)} | {ndcg:.4f} | {recall:.4f} | {seconds:.2f} |\n")
        sys.stdout.flush()
