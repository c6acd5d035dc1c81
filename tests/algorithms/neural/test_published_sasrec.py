"""The SASRec that pmixer publishes for MovieLens 1M, in our network, ranked among all items."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import recexp
from recexp.algorithms.neural.sasrec import SASRec
from recexp.data import Interactions, Queries
from recexp.ranking import Ranking

pytestmark = pytest.mark.skipif("RECEXP_DATA" not in os.environ, reason="RECEXP_DATA is not set")

LAYERS = {
    "body.blocks.{}.norms.0": "attention_layernorms.{}",
    "body.blocks.{}.norms.1": "forward_layernorms.{}",
    "body.blocks.{}.attention.output": "attention_layers.{}.out_proj",
    "body.blocks.{}.inner": "forward_layers.{}.conv1",
    "body.blocks.{}.outer": "forward_layers.{}.conv2",
}


@pytest.fixture(scope="module")
def published() -> SASRec:
    with np.load(Path(os.environ["RECEXP_DATA"]) / "checkpoints" / "sasrec_ml1m_pmixer_epoch1000.npz") as file:
        theirs = {name: file[name] for name in file.files}
    weights = {"items.weight": theirs["item_emb.weight"], "body.places": theirs["pos_emb.weight"][1:]}
    for kind in ("weight", "bias"):
        weights[f"body.norm.{kind}"] = theirs[f"last_layernorm.{kind}"]
        for block in range(2):
            parts = np.split(theirs[f"attention_layers.{block}.in_proj_{kind}"], 3)
            for name, part in zip(("query", "key", "value"), parts):
                weights[f"body.blocks.{block}.attention.{name}.{kind}"] = part
            for ours, name in LAYERS.items():
                weights[f"{ours.format(block)}.{kind}"] = theirs[f"{name.format(block)}.{kind}"].squeeze()
    model: SASRec = recexp.make("algorithm=sasrec", "algorithm.factors=50", "algorithm.norm=original")
    model.weights_ = weights
    return model


@pytest.fixture(scope="module")
def asked() -> tuple[Queries, np.ndarray]:
    """Each user's last item, asked after all before it, which are not ranked again; items are numbered as theirs."""
    folder = Path(os.environ["RECEXP_DATA"])
    rows = pd.read_parquet(folder / "ml-1m" / "ratings_provenance.parquet").dropna(subset="seq_pos")
    number = pd.read_csv(folder / "checkpoints" / "sasrec_item_map.tsv", sep="\t").set_index("movie_id")["sasrec_item"]
    rows = rows.sort_values(["user_id", "seq_pos"])
    users = rows["user_id"].astype("category").cat.codes.to_numpy(np.int32)
    items = number.loc[rows["movie_id"]].to_numpy(np.int32)
    log = Interactions(users, items, np.ones(len(rows), np.float32), users.max() + 1, 3417)
    begin = log.histories[1]
    start, stop = begin[:-1].astype(np.int64), begin[1:].astype(np.int64) - 1
    queries = Queries(np.arange(log.n_users, dtype=np.int32), log, start, stop)
    padding = sp.csr_array((np.ones(len(stop)), (queries.users, np.zeros(len(stop), np.int32))), (len(stop), 3417))
    return replace(queries, exclude=sp.csr_array(queries.history(values=False) + padding)), items[stop]


def test_it_gives_the_published_numbers(published, asked) -> None:
    queries, targets = asked
    ranking = Ranking.draw(queries.n_items, None, rng=np.random.default_rng(0))
    found = published.recommend(queries, 10, ranking).items == targets[:, None]
    assert len(found) == 6040
    assert found.any(axis=1).mean() == pytest.approx(0.2460, abs=2e-4)
    assert (found / np.log2(np.arange(10) + 2)).sum(axis=1).mean() == pytest.approx(0.1321, abs=2e-4)
