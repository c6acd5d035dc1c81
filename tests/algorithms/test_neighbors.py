"""ItemKNN and UserKNN against small cases by hand and naive loops in float64."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from recexp.algorithms.neighbors.item_knn import ItemKNN
from recexp.algorithms.neighbors.user_knn import UserKNN
from recexp.data import Dataset, Queries
from recexp.ranking import Ranking

Ask, Tiny = Callable[..., Queries], Callable[..., Dataset]
X = [[1, 1, 0], [1, 1, 0], [1, 0, 1], [0, 0, 1]]
"""Items have 3, 2 and 2 users; 0 and 1 share 2, 0 and 2 share 1."""
S01, S02 = 2 / np.sqrt(6), 1 / np.sqrt(6)


DEFAULTS = {
    "similarity": "cosine",
    "asymmetry": 0.5,
    "shrinkage": 0.0,
    "weighting": "none",
    "weigh_scores": True,
    "normalize": False,
    "aggregate": "sum",
    "user_damping": 15.0,
    "item_damping": 10.0,
    "iterations": 10,
}


def item_knn(data: Dataset, k: int = 1, *, neighbors_of: str = "target", center: bool = False, **fields) -> ItemKNN:
    model = ItemKNN(**{**DEFAULTS, "k": k, "neighbors_of": neighbors_of, "center": center, **fields})
    return model.fit(data)


def user_knn(data: Dataset, k: int = 2, *, neighbors_of: str = "user", **fields) -> UserKNN:
    model = UserKNN(**{**DEFAULTS, "k": k, "neighbors_of": neighbors_of, **fields})
    return model.fit(data)


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
        model.weights_ = mutate(model.weights_)
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
    if dot == 0 or similarity == "dot":
        return dot
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
        [(1, "cosine"), (4, "cosine"), (50, "cosine"), (4, "dice"), (4, "jaccard"), (4, "dot")],
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
    model = item_knn(
        tiny(x), k, similarity=similarity, shrinkage=shrinkage, weighting=weighting, neighbors_of=neighbors_of
    )
    np.testing.assert_allclose(model.weights_.toarray(), s, atol=1e-6)
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
    model = user_knn(tiny(x), k, similarity=similarity, shrinkage=shrinkage, weighting=weighting)
    np.testing.assert_allclose(model.score(ask(histories, users)), expected, atol=1e-5)


@pytest.mark.parametrize("asymmetry", [0.0, 0.3, 1.0])
def test_asymmetric_cosine_splits_the_norms(asymmetry: float, tiny: Tiny, ask: Ask) -> None:
    """Items 0 and 1 have 3 and 2 users and share 2: the target's exponent is twice the asymmetry."""
    for neighbors_of in ("target", "seen"):
        model = item_knn(tiny(X), 5, similarity="asymmetric_cosine", asymmetry=asymmetry, neighbors_of=neighbors_of)
        scores = model.score(ask(np.eye(3)))
        assert scores[0, 1] == pytest.approx(2 / (2**asymmetry * 3 ** (1 - asymmetry)))  # 1 is the target
        assert scores[1, 0] == pytest.approx(2 / (3**asymmetry * 2 ** (1 - asymmetry)))
    users = user_knn(tiny(X), 5, similarity="asymmetric_cosine", asymmetry=asymmetry).score(ask([[1, 0, 0], [1, 1, 1]]))
    assert users[0, 1] == pytest.approx(2 / 2 ** (1 - asymmetry))  # users 0 and 1 have seen two items each
    assert users[1, 1] == pytest.approx(4 / (3**asymmetry * 2 ** (1 - asymmetry)))


def test_half_asymmetry_is_cosine(x: np.ndarray, tiny: Tiny, ask: Ask) -> None:
    for make in (item_knn, user_knn):
        plain, half = (make(tiny(x), 4, similarity=s).score(ask(x)) for s in ("cosine", "asymmetric_cosine"))
        assert (abs(plain - half) < 1e-6).mean() > 0.9  # but for ties


@pytest.mark.parametrize("neighbors_of", ["target", "seen"])
def test_normalized_neighbours_sum_to_one(neighbors_of: str, x: np.ndarray, tiny: Tiny) -> None:
    plain, model = (item_knn(tiny(x), 4, neighbors_of=neighbors_of, normalize=flag) for flag in (False, True))
    axis = 0 if neighbors_of == "target" else 1
    s = plain.weights_.toarray()
    sums = s.sum(axis=axis, keepdims=True)
    np.testing.assert_allclose(model.weights_.toarray(), s / np.where(sums > 0, sums, 1), atol=1e-6)


def test_normalized_users_give_the_share_that_has_the_item(tiny: Tiny, ask: Ask) -> None:
    root = 1 / np.sqrt(2)
    found = user_knn(tiny(X), normalize=True).score(ask([[1, 0, 1]]))
    np.testing.assert_allclose(found, [[1 / (1 + root), 0, 1]], atol=1e-6)


@pytest.mark.parametrize("similarity", ["cosine", "jaccard"])
@pytest.mark.parametrize("weighting, weigh_scores", [("none", True), ("bm25", False), ("bm25", True)])
def test_neighbours_of_neighbours_agree_with_naive_loops(
    similarity: str, weighting: str, weigh_scores: bool, x: np.ndarray, tiny: Tiny, ask: Ask
) -> None:
    """A train user counts for those who are at least as near to it as its k-th nearest train user."""
    rows, k = naive_weighted(x, x, weighting), 4
    unseen = (np.random.default_rng(9).random((6, 14)) < 0.3).astype(float)
    histories, users = np.vstack([x, unseen]), [*range(25), *[-1] * 6]
    asked = naive_weighted(histories, x, weighting)
    summed, expected = rows if weigh_scores else x, np.zeros(histories.shape)
    for v in range(25):
        to_train = sorted(
            (naive_similarity(rows[v], rows[u], similarity, 0.0) for u in range(25) if u != v), reverse=True
        )
        for q, a in enumerate(asked):
            value = naive_similarity(rows[v], a, similarity, 0.0)
            if users[q] != v and value > 0 and value >= to_train[k - 1] - 1e-12:
                expected[q] += value * summed[v]
    model = user_knn(
        tiny(x), k, similarity=similarity, weighting=weighting, weigh_scores=weigh_scores, neighbors_of="neighbor"
    )
    np.testing.assert_allclose(model.score(ask(histories, users)), expected, atol=1e-5)


def test_scores_without_weights(x: np.ndarray, tiny: Tiny, ask: Ask) -> None:
    model = item_knn(tiny(x), 4, weighting="bm25", weigh_scores=False)
    np.testing.assert_allclose(model.score(ask(x)), x @ model.weights_.toarray(), atol=1e-5)


@pytest.mark.parametrize("weighting, weigh_scores", [("none", True), ("bm25", True), ("bm25", False)])
def test_centered_sums(weighting: str, weigh_scores: bool, x: np.ndarray, tiny: Tiny, ask: Ask) -> None:
    model = item_knn(tiny(x), 4, weighting=weighting, weigh_scores=weigh_scores, normalize=True, center=True)
    summed = naive_weighted(x, x, weighting) if weigh_scores else x
    m = summed.mean(axis=0)
    expected = m + (summed - m) @ model.weights_.toarray()
    np.testing.assert_allclose(model.score(ask(x)), expected, atol=1e-5)
    rule = Ranking(np.arange(14, dtype=np.int32), np.ones(14, bool))
    best = np.where(x > 0, -np.inf, expected).max(axis=1)
    found = model.recommend(ask(x), 3, rule).scores[:, 0]
    np.testing.assert_allclose(found, best, atol=1e-5)


@pytest.mark.parametrize("n", [0, 1])
def test_hardly_any_data(n: int, tiny: Tiny, ask: Ask) -> None:
    matrix = [[n, 0, 0]]
    for make in (item_knn, user_knn):
        assert (make(tiny(matrix), 5).score(ask([[1, 0, 1]])) >= 0).all()
    assert (user_knn(tiny(matrix), 1, neighbors_of="neighbor").score(ask([[1, 0, 1]])) >= 0).all()


def test_equal_similarities_go_to_the_lower_number(tiny: Tiny) -> None:
    model = item_knn(tiny([[1, 1, 1, 1]]), k=2, neighbors_of="seen")
    assert [list(row) for row in np.split(model.weights_.indices, model.weights_.indptr[1:-1])] == [
        [1, 2],
        [0, 2],
        [0, 1],
        [0, 1],
    ]


def test_one_item_has_no_neighbours(tiny: Tiny, ask: Ask) -> None:
    assert item_knn(tiny([[1], [1]]), k=5).score(ask([[1]])) == 0
    assert user_knn(tiny([[1], [1]]), k=5).score(ask([[1]], users=[0])) == 1


def test_nothing_quadratic_is_kept(tiny: Tiny) -> None:
    x = (np.random.default_rng(2).random((300, 400)) < 0.2).astype(int)
    assert item_knn(tiny(x), k=10).weights_.nnz == 400 * 10
