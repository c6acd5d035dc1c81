"""Surprise's side of the comparison; see side.py."""

from typing import Any

import numpy as np
import pandas as pd
from side import Given, Side, run
from surprise import SVD, AlgoBase, Dataset, Reader, SlopeOne, SVDpp


def prepare(given: Given) -> Any:
    """Return Surprise's own form of the rows: its makers do not count it either."""
    columns = {"user": given.users, "item": given.items, "rating": given.values}
    return Dataset.load_from_df(pd.DataFrame(columns), Reader(rating_scale=(1, 5))).build_full_trainset()


def mf(given: Given) -> AlgoBase:
    return SVD(random_state=given.seed).fit(given.prepared)


def svdpp(given: Given) -> AlgoBase:
    return SVDpp(random_state=given.seed, cache_ratings=True).fit(given.prepared)


def slope_one(given: Given) -> AlgoBase:
    return SlopeOne().fit(given.prepared)


def predict(model: AlgoBase, given: Given) -> np.ndarray:
    rows = zip(given.test_users.tolist(), given.test_items.tolist())
    return np.array([model.predict(user, item).est for user, item in rows])


if __name__ == "__main__":
    run({model.__name__: Side(model, predict, prepare) for model in (mf, svdpp, slope_one)})
