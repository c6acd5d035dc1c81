"""The weights that the authors of NCF publish, in our networks, on their lists (He et al., WWW 2017)."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

import recexp
from recexp.algorithms.neural.pair_model import PairModel
from recexp.data import Interactions, Queries
from recexp.ranking import Ranking

pytestmark = pytest.mark.skipif("RECEXP_DATA" not in os.environ, reason="RECEXP_DATA is not set")


@pytest.fixture(scope="module")
def published() -> dict[str, np.ndarray]:
    with np.load(Path(os.environ["RECEXP_DATA"]) / "checkpoints" / "ncf_ml1m_gmf8_mlp.npz") as file:
        return {name: file[name].astype(np.float32) for name in file.files}


@pytest.fixture(scope="module")
def lists() -> tuple[Queries, np.ndarray]:
    """One query a user, with 99 listed items and the held-out one as candidates, and the held-out items."""
    folder = Path(os.environ["RECEXP_DATA"]) / "ncf-ml-1m"
    with gzip.open(folder / "ml-1m.test.rating.gz", "rt") as rows:
        targets = np.array([int(row.split("\t")[1]) for row in rows])
    with gzip.open(folder / "ml-1m.test.negative.gz", "rt") as rows:
        listed = np.array([[int(item) for item in row.split("\t")[1:]] for row in rows])
    asked = np.column_stack([targets, listed])
    b, shape = len(asked), (len(asked), 3706)
    candidates = sp.csr_array((np.ones(asked.size, np.float32), (np.repeat(np.arange(b), 100), asked.ravel())), shape)
    nothing = Interactions(*(np.zeros(0, kind) for kind in (np.int32, np.int32, np.float32)), *shape)
    begin = np.zeros(b, np.int64)
    return Queries(np.arange(b, dtype=np.int32), nothing, begin, begin, candidates=candidates), targets


def gmf(published: dict[str, np.ndarray]) -> PairModel:
    model = recexp.make("algorithm=gmf")
    model.weights_ = {
        "users.weight": published["gmf_user"],
        "items.weight": published["gmf_item"],
        "output.weight": published["gmf_W"].T,
        "output.bias": published["gmf_b"],
    }
    return model


def mlp(published: dict[str, np.ndarray]) -> PairModel:
    model = recexp.make("algorithm=mlp")
    model.weights_ = {"users.weight": published["mlp_user"], "items.weight": published["mlp_item"]}
    for ours, theirs in {
        "layers.0": "layer1",
        "layers.1": "layer2",
        "layers.2": "layer3",
        "output": "prediction",
    }.items():
        model.weights_[f"{ours}.weight"] = np.ascontiguousarray(published[f"{theirs}_W"].T)
        model.weights_[f"{ours}.bias"] = published[f"{theirs}_b"]
    return model


@pytest.mark.parametrize(("make", "hits", "gain"), [(gmf, 0.6368, 0.3691), (mlp, 0.6710, 0.3963)])
def test_they_give_the_published_numbers(make, hits, gain, published, lists) -> None:
    queries, targets = lists
    ranking = Ranking.draw(queries.n_items, None, rng=np.random.default_rng(0))
    found = make(published).recommend(queries, 10, ranking).items == targets[:, None]
    assert found.any(axis=1).mean() == pytest.approx(hits, abs=1e-4)
    assert (found / np.log2(np.arange(10) + 2)).sum(axis=1).mean() == pytest.approx(gain, abs=1e-4)


def test_scores_of_all_items_are_those_of_the_pairs(published, lists) -> None:
    """The first layer, worked out once a user and once an item, gives what it gives of pairs side by side."""
    queries = lists[0].take(slice(0, 50))
    model, asked = mlp(published), queries.candidates.tocoo()
    alone = model.score(queries)[asked.row, asked.col]
    whole = model.score(Queries(queries.users, queries.log, queries.start, queries.stop))
    assert whole[asked.row, asked.col] == pytest.approx(alone, abs=1e-5)
