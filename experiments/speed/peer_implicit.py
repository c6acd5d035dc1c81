"""implicit's side of the comparison; see side.py."""

from typing import Any

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import CosineRecommender
from side import THREADS, Given, Side, run
from threadpoolctl import threadpool_limits


def fitted(model: Any, given: Given) -> tuple[Any, Any]:
    """Fit as implicit recommends: BLAS on one thread, for its own threads are all busy."""
    x = given.csr()
    with threadpool_limits(1, "blas"):
        model.fit(x, show_progress=False)
    return model, x


def recommend(fitted: tuple[Any, Any], given: Given) -> np.ndarray:
    model, x = fitted
    return model.recommend(given.asked, x[given.asked], N=given.k, filter_already_liked_items=True)[0]


def item_knn(given: Given) -> tuple[Any, Any]:
    return fitted(CosineRecommender(K=100, num_threads=THREADS), given)


def als(given: Given) -> tuple[Any, Any]:
    settings = {"factors": 64, "regularization": 0.05, "alpha": 10.0, "iterations": 15, "use_cg": True}
    return fitted(AlternatingLeastSquares(**settings, num_threads=THREADS, random_state=given.seed), given)


def bpr(given: Given) -> tuple[Any, Any]:
    model = BayesianPersonalizedRanking(factors=64, iterations=100, num_threads=THREADS, random_state=given.seed)
    return fitted(model, given)


if __name__ == "__main__":
    run({model.__name__: Side(model, recommend) for model in (item_knn, als, bpr)})
