"""VSKNN against the lists that its authors published for a sample of YooChoose's clicks."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recexp
from recexp.data import Dataset, Interactions, Queries
from recexp.ranking import Ranking


@pytest.fixture
def clicks(shared: Path) -> Dataset:
    file = shared / "yoochoose-100k" / "yoochoose-clicks-100k_train_full.txt.gz"
    return recexp.make("dataset=sessions", f"dataset.interactions={file}").load()


def asked(clicks: Dataset, shared: Path, lists: pd.DataFrame) -> tuple[Queries, np.ndarray]:
    """Return a query for each list, and the items that came next; items that train does not know are left out."""
    rows = pd.read_csv(shared / "yoochoose-100k" / "yoochoose-clicks-100k_test.txt.gz", sep="\t")
    rows["code"] = pd.Index(clicks.item_ids).get_indexer(rows.ItemId)
    sessions = rows[rows.code >= 0].sort_values("Time", kind="stable").groupby("SessionId").code.apply(np.array)
    histories = [sessions[one.SessionId][: one.Position + 1] for one in lists.itertuples()]
    targets = [sessions[one.SessionId][one.Position + 1] for one in lists.itertuples()]
    users = np.repeat(np.arange(len(lists), dtype=np.int32), [len(items) for items in histories])
    items = np.concatenate(histories).astype(np.int32)
    log = Interactions(users, items, np.ones(len(items), np.float32), len(lists), clicks.n_items)
    return Queries.of_users(np.arange(len(lists), dtype=np.int32), log, exclude_seen=False), np.array(targets)


def test_meets_published_lists(clicks: Dataset, shared: Path) -> None:
    """Which of more than k neighbors of equal similarity count is left to the order of Python sets in their code."""
    lists = pd.read_csv(shared / "yoochoose-100k" / "recoms_rsc15_100k_vsknn.csv.gz", sep=";")
    queries, targets = asked(clicks, shared, lists)
    model = recexp.make("algorithm=vsknn").fit(clicks)
    items, scores = clicks.interactions.csr(values=False), model.exact_scores(queries)
    neighbors = (queries.history(values=False) @ items.T > 0).sum(axis=1)
    same = np.zeros(len(lists), bool)
    for row, one in enumerate(lists.itertuples()):
        codes = pd.Index(clicks.item_ids).get_indexer(np.array(one.Recommendations.split(","), np.int64))
        published = np.array(one.Scores.split(","), float)
        assert len(codes) == 50
        same[row] = np.abs(scores[row, codes] - published).max() < 1e-9
    assert len(lists) == 387 and (neighbors <= model.k).sum() == 280
    assert same[neighbors <= model.k].all()
    assert same.sum() == 288, "those of more neighbors of which the newest were taken"
    ranking = Ranking.draw(clicks.n_items, None, rng=np.random.default_rng(0))
    hits = model.recommend(queries, 20, ranking).items == targets[:, None]
    assert abs(hits.any(axis=1).mean() - 0.6098) < 0.006
    assert abs((hits / np.arange(1, 21)).sum(axis=1).mean() - 0.3342) < 0.006
