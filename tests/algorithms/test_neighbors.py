"""ItemKNN and UserKNN against small cases by hand and naive loops in float64."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from recexp.algorithms.neighbors.item_knn import ItemKNN
from recexp.algorithms.neighbors.user_knn import UserKNN
from recexp.data import Dataset, Queries

Ask, Tiny = Callable[..., Queries], Callable[..., Dataset]
X = [[1, 1, 0], [1, 1, 0], [1, 0, 1], [0, 0, 1]]
"""Items have 3, 2 and 2 users; 0 and 1 share 2, 0 and 2 share 1."""
S01, S02 = 2 / np.sqrt(6), 1 / np.sqrt(6)


def item_knn(data: Dataset, k: int = 1, similarity: str = "cosine", shrinkage: float = 0.0, weighting: str = "none",
             neighbors_of: str = "target") -> ItemKNN:  # fmt: skip
    model = ItemKNN(k=k, similarity=similarity, shrinkage=shrinkage, weighting=weighting, neighbors_of=neighbors_of)
    return model.fit(data, rng=np.random.default_rng(0))


def user_knn(
    data: Dataset, k: int = 2, similarity: str = "cosine", shrinkage: float = 0.0, weighting: str = "none"
) -> UserKNN:
    model = UserKNN(k=k, similarity=similarity, shrinkage=shrinkage, weighting=weighting)
    return model.fit(data, rng=np.random.default_rng(0))


def check_target(model: ItemKNN, ask: Ask) -> None:
    """The one nearest item of 0 is 1, of 1 is 0, of 2 is 0."""
    np.testing.assert_allclose(model.score(ask(np.eye(3))), [[0, S01, S02], [S01, 0, 0], [0, 0, 0]], atol=1e-6)


def check_seen(model: ItemKNN, ask: Ask) -> None:
    np.testing.assert_allclose(model.score(ask(np.eye(3))), [[0, S01, 0], [S01, 0, 0], [S02, 0, 0]], atol=1e-6)


def check_users(model: UserKNN, ask: Ask) -> None:
    """History {0, 2} is 1/2 like users 0 and 1, equal to user 2, 1/sqrt(2) like user 3."""
    asked = ask([[1, 0, 1], [1, 0, 1]], users=[-1, 2])
    root = 1 / np.sqrt(2)
    np.testing.assert_allclose(model.score(asked), [[1, 0, 1 + root], [0.5, 0.5, root]], atol=1e-6)


def test_items_by_hand(tiny: Tiny, ask: Ask) -> None:
    check_target(item_knn(tiny(X), neighbors_of="target"), ask)
    check_seen(item_knn(tiny(X), neighbors_of="seen"), ask)


def test_users_by_hand_the_asking_user_is_not_his_own_neighbour(tiny: Tiny, ask: Ask) -> None:
    check_users(user_knn(tiny(X)), ask)


@pytest.mark.parametrize("mutate", [lambda s: s.T.tocsr(), lambda s: -s], ids=["transposed", "negated"])
def test_wrong_similarities_would_be_noticed(mutate: Callable, tiny: Tiny, ask: Ask) -> None:
    for neighbors_of, check in (("target", check_target), ("seen", check_seen)):
        model = item_knn(tiny(X), neighbors_of=neighbors_of)
        model.similarity_ = mutate(model.similarity_)
        with pytest.raises(AssertionError):
            check(model, ask)


@pytest.mark.parametrize("part", ["rows_", "columns_"])
def test_wrong_users_would_be_noticed(part: str, tiny: Tiny, ask: Ask) -> None:
    model = user_knn(tiny(X))
    setattr(model, part, -getattr(model, part))
    with pytest.raises(AssertionError):
        check_users(model, ask)


def naive_similarity(a: np.ndarray, b: np.ndarray, similarity: str, shrinkage: float) -> float:
    dot, aa, bb = a @ b, a @ a, b @ b
    if dot == 0:
        return 0.0
    if similarity == "cosine":
        return dot / (np.sqrt(aa * bb) + shrinkage)
    if similarity == "dice":
        return 2 * dot / (aa + bb + shrinkage)
    return dot / (aa + bb - dot + shrinkage)


def naive_nearest(
    a: np.ndarray, rows: np.ndarray, own: int, k: int, similarity: str, shrinkage: float
) -> dict[int, float]:
    found = [(-round(naive_similarity(a, rows[d], similarity, shrinkage), 12), d) for d in range(len(rows)) if d != own]
    return {d: -float(s) for s, d in sorted(found)[:k] if s < 0}


def naive_weighted(x: np.ndarray, train: np.ndarray, weighting: str) -> np.ndarray:
    lengths = train.sum(axis=0)
    out = np.zeros(x.shape)
    for u, i in zip(*np.nonzero(x)):
        idf = max(0.0, np.log(x.shape[1] / (1 + x[u].sum())))
        norm = 0.25 + 0.75 * lengths[i] / lengths.mean()
        out[u, i] = {"none": 1.0, "tfidf": idf, "bm25": idf * 2.2 / (1.2 * norm + 1)}[weighting]
    return out


CASES = [
    (k, similarity, shrinkage, weighting)
    for (k, similarity), (shrinkage, weighting) in itertools.product(
        [(1, "cosine"), (4, "cosine"), (50, "cosine"), (4, "dice"), (4, "jaccard")],
        [(0.0, "none"), (3.0, "none"), (0.0, "tfidf"), (1.5, "bm25")],
    )
]


@pytest.fixture(scope="module")
def x() -> np.ndarray:
    """25 users by 14 items; one user has seen everything, one nothing; one item has no users."""
    x = (np.random.default_rng(8).random((25, 14)) < 0.25).astype(float)
    x[:, 9], x[3], x[5] = 0, 0, 1
    x[5, 9] = 0
    return x


@pytest.mark.parametrize("k, similarity, shrinkage, weighting", CASES)
@pytest.mark.parametrize("neighbors_of", ["target", "seen"])
def test_items_agree_with_naive_loops(
    k: int, similarity: str, shrinkage: float, weighting: str, neighbors_of: str, x: np.ndarray, tiny: Tiny, ask: Ask
) -> None:
    weighted = naive_weighted(x, x, weighting)
    s = np.zeros((14, 14))
    for i in range(14):
        for j, value in naive_nearest(weighted[:, i], weighted.T, i, k, similarity, shrinkage).items():
            s[(j, i) if neighbors_of == "target" else (i, j)] = value
    model = item_knn(tiny(x), k, similarity, shrinkage, weighting, neighbors_of)
    np.testing.assert_allclose(model.similarity_.toarray(), s, atol=1e-6)
    unseen = (np.random.default_rng(9).random((6, 14)) < 0.3).astype(float)
    np.testing.assert_allclose(model.score(ask(x)), weighted @ s, atol=1e-5)
    np.testing.assert_allclose(model.score(ask(unseen)), naive_weighted(unseen, x, weighting) @ s, atol=1e-5)


@pytest.mark.parametrize("k, similarity, shrinkage, weighting", CASES)
def test_users_agree_with_naive_loops(
    k: int, similarity: str, shrinkage: float, weighting: str, x: np.ndarray, tiny: Tiny, ask: Ask
) -> None:
    rows = naive_weighted(x, x, weighting)
    unseen = (np.random.default_rng(9).random((6, 14)) < 0.3).astype(float)
    histories, users = np.vstack([x, unseen]), [*range(25), *[-1] * 6]
    expected = np.zeros(histories.shape)
    for q, a in enumerate(naive_weighted(histories, x, weighting)):
        for v, value in naive_nearest(a, rows, users[q], k, similarity, shrinkage).items():
            expected[q] += value * rows[v]
    model = user_knn(tiny(x), k, similarity, shrinkage, weighting)
    np.testing.assert_allclose(model.score(ask(histories, users)), expected, atol=1e-5)


def test_equal_similarities_go_to_the_lower_number(tiny: Tiny) -> None:
    model = item_knn(tiny([[1, 1, 1, 1]]), k=2, neighbors_of="seen")
    assert [list(row) for row in np.split(model.similarity_.indices, model.similarity_.indptr[1:-1])] == [
        [1, 2], [0, 2], [0, 1], [0, 1],
    ]  # fmt: skip


def test_one_item_has_no_neighbours(tiny: Tiny, ask: Ask) -> None:
    assert item_knn(tiny([[1], [1]]), k=5).score(ask([[1]])) == 0
    assert user_knn(tiny([[1], [1]]), k=5).score(ask([[1]], users=[0])) == 1


def test_nothing_quadratic_is_kept(tiny: Tiny) -> None:
    x = (np.random.default_rng(2).random((300, 400)) < 0.2).astype(int)
    assert item_knn(tiny(x), k=10).similarity_.nnz == 400 * 10
