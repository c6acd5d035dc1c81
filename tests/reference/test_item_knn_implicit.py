"""ItemKNN's neighbours of the seen against implicit's CosineRecommender, which keeps those."""

import numpy as np
import pytest
import scipy.sparse as sp

from recexp import make
from recexp.data import Dataset, Interactions, Queries
from recexp.ranking import Ranking

neighbours = pytest.importorskip("implicit.nearest_neighbours")


@pytest.mark.parametrize("k", [4, 40])
def test_similarities_and_lists_are_those_of_implicit(k: int) -> None:
    x = sp.csr_matrix((np.random.default_rng(3).random((200, 40)) < np.linspace(0.05, 0.5, 40)).astype(float))
    peer = neighbours.CosineRecommender(K=k + 1, num_threads=1)  # each item is its own nearest there
    peer.fit(x, show_progress=False)
    users, items = (part.astype(np.int32) for part in x.nonzero())
    rows = Interactions(users, items, np.ones(len(users), np.float32), *x.shape)
    data = Dataset("binary", rows, np.arange(200), np.arange(40))
    model = make("algorithm=item_knn", f"algorithm.k={k}", "algorithm.neighbors_of=seen")
    model.fit(data)
    theirs, ours = peer.similarity.toarray(), model.weights_.toarray()
    np.fill_diagonal(theirs, 0)
    np.testing.assert_allclose(np.sort(ours, axis=1), np.sort(theirs, axis=1), atol=1e-6)  # equals may be other items

    queries = Queries.of_users(np.arange(200, dtype=np.int32), rows, exclude_seen=True)
    lists = model.recommend(queries, 5, Ranking(np.arange(40, dtype=np.int32), np.ones(40, bool)))
    _, scores = peer.recommend(np.arange(200), x, N=5)
    if k == 40:  # all neighbours are kept on both sides
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
        np.testing.assert_allclose(lists.scores, scores, atol=1e-5)
