"""A plain EASE in numpy and scipy, the hardest peer of ours; see side.py."""

import numpy as np
from side import Given, Side, run


def ease(given: Given) -> np.ndarray:
    x = given.csr()
    gram = (x.T @ x).toarray()
    gram[np.diag_indices_from(gram)] += np.float32(250)
    inverse = np.linalg.inv(gram)  # float32
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


def recommend(weights: np.ndarray, given: Given) -> np.ndarray:
    x, lists = given.csr(), []
    for start in range(0, given.n_users, 1024):
        seen = x[start : start + 1024]
        scores = seen @ weights
        scores[seen.nonzero()] = -np.inf
        best = np.argpartition(-scores, given.k, axis=1)[:, : given.k]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
        lists.append(np.take_along_axis(best, order, axis=1))
    return np.concatenate(lists)


if __name__ == "__main__":
    run({"ease": Side(ease, recommend)})
