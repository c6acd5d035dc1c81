"""irspack's side of the comparison; see side.py."""

from typing import Any

import numpy as np
from irspack import CosineUserKNNRecommender, DenseSLIMRecommender, IALSRecommender, SLIMRecommender
from irspack.utils.id_mapping import retrieve_recommend_from_score
from side import THREADS, Given, Side, run

BLOCK = {DenseSLIMRecommender: 3072}
"""Users at once where 1024 are not the fastest: a block makes its own float64 copy of the weights."""


def user_knn(given: Given) -> Any:
    return CosineUserKNNRecommender(given.csr(), top_k=100, n_threads=THREADS).learn()


def ease(given: Given) -> Any:
    return DenseSLIMRecommender(given.csr(), reg=250.0).learn()


def slim(given: Given) -> Any:
    return SLIMRecommender(given.csr(), alpha=0.05, l1_ratio=0.01, n_threads=THREADS).learn()


def als(given: Given) -> Any:
    settings = {"n_components": 64, "alpha0": 0.3, "reg": 0.01, "train_epochs": 15}
    return IALSRecommender(given.csr(), **settings, random_seed=given.seed, n_threads=THREADS).learn()


def recommend(model: Any, given: Given) -> np.ndarray:
    """Return the best of each block's scores by irspack's own compiled selection, which its id mappers call."""
    lists = []
    block = BLOCK.get(type(model), 1024)
    for start in range(0, given.n_users, block):
        scores = model.get_score_remove_seen_block(start, min(start + block, given.n_users))
        found = retrieve_recommend_from_score(np.ascontiguousarray(scores), [], given.k, THREADS)
        lists += [[item for item, _ in row] for row in found]
    return np.array(lists)


if __name__ == "__main__":
    run({model.__name__: Side(model, recommend) for model in (user_knn, ease, slim, als)})
