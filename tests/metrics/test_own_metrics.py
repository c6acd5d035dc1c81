"""Metrics of a person's own, each a class and a yaml, that ask who asked, what they knew, and when."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import scipy.sparse as sp

import recexp as library
from recexp.data import Column, Dataset, Interactions, Queries
from recexp.history.archive import Archive
from recexp.metrics.base import JudgedLists
from recexp.ranking import Lists

OWN = '''
import numpy as np

from recexp.metrics.base import ListMetric, RunMetric
from recexp.params import params


@params
class GroupGap(RunMetric):
    """Largest minus smallest mean recall of the groups of users that a column of the users' table names."""

    needs = frozenset({"relevant", "user_categories"})
    higher_is_better = False
    column: str

    def value(self, judged, k):
        group = judged.train.users[self.column].values[judged.queries.users]
        recall = judged.hits_at(k) / judged.relevant
        means = [recall[group == code].mean() for code in np.unique(group)]
        return max(means) - min(means)


@params
class Miscalibration(ListMetric):
    """Half of the summed differences between the shares of categories in history and list (Steck 2018)."""

    needs = frozenset({"item_categories"})
    higher_is_better = False
    column: str

    def values(self, judged, k):
        traits = judged.train.items[self.column].indicators()
        liked = judged.queries.history(values=False) @ traits
        shown = np.stack([traits[items[items >= 0]].sum(axis=0) for items in judged.items[:, :k]])
        liked = liked.toarray() / liked.sum(axis=1)[:, None]
        return np.abs(liked - shown / shown.sum(axis=1)[:, None]).sum(axis=1) / 2


@params
class LateHitRate(ListMetric):
    """Hit rate of the queries asked in the last half of the time; the others have no value."""

    needs = frozenset({"relevant", "timestamps"})

    def values(self, judged, k):
        times = judged.queries.timestamps
        return np.where(times >= np.median(times), judged.hits_at(k) > 0, np.nan)
'''
YAML = {
    "group_gap": "_target_: own_metrics.GroupGap\ncolumn: city\n",
    "miscalibration": "_target_: own_metrics.Miscalibration\ncolumn: genre\n",
    "late_hit_rate": "_target_: own_metrics.LateHitRate\n",
}


def test_fairness_calibration_and_time_are_a_file_and_a_yaml_each(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_metrics.py").write_text(OWN)
    (tmp_path / "conf" / "metric").mkdir(parents=True)
    for name, text in YAML.items():
        (tmp_path / "conf" / "metric" / f"{name}.yaml").write_text(text)
    cities = {f"u{u}": ["rome", "oslo"][u % 2] for u in range(40)}
    rows = [f"{user},{city}" for user, city in cities.items()]
    (tmp_path / "users.csv").write_text("\n".join(["user_id,city", *rows]))
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("own_metrics", None)
    outcome = library.run(
        *("dataset=files", "dataset.interactions=ratings.csv", "dataset.items=films.csv"),
        f"dataset.users={tmp_path}/users.csv",
        "algorithm=popularity",
        "tracking.log_model=false",
        "evaluation.cutoffs=[5]",
        "evaluation.metrics=[recall,hit_rate,group_gap,miscalibration,late_hit_rate]",
        config_dir=str(tmp_path / "conf"),
    )
    archive = Archive(None)
    run = archive.run(outcome.run_id)
    users = pq.read_table(archive.file(run, "per_user.parquet")).to_pydict()
    by_city = {city: [] for city in ("rome", "oslo")}
    for user, recall in zip(users["user_id"], users["recall_at_5"]):
        by_city[cities[user]].append(recall)
    gap = abs(np.mean(by_city["rome"]) - np.mean(by_city["oslo"]))
    assert outcome.metrics["test/group_gap_at_5"] == pytest.approx(gap) and gap > 0
    assert "test/group_gap_at_5" not in outcome.intervals

    late = ~np.isnan(users["late_hit_rate_at_5"])
    assert len(late) / 2 <= late.sum() < len(late)
    assert np.array(users["late_hit_rate_at_5"])[late].tolist() == np.array(users["hit_rate_at_5"])[late].tolist()

    assert len(set(users["miscalibration_at_5"])) > 5 and min(users["miscalibration_at_5"]) >= 0
    low, high = outcome.intervals["test/miscalibration_at_5"]
    assert low < outcome.metrics["test/miscalibration_at_5"] < high


def test_calibration_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_metrics.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("own_metrics", None)
    metric = importlib.import_module("own_metrics").Miscalibration(column="genre")
    log = Interactions(np.zeros(2, np.int32), np.array([0, 1], np.int32), np.ones(2, np.float32), 1, 4)
    genres = {"genre": Column.category(["noir", "drama", "noir", "noir"])}
    data = Dataset("hand", log, np.array([7]), np.arange(4), items=genres)
    queries = Queries.of_users(np.array([0], np.int32), log, exclude_seen=True)
    lists = Lists(np.array([[2, 3]], np.int32), np.zeros((1, 2), np.float32))
    judged = JudgedLists.of(lists, sp.csr_array(np.array([[0, 0, 1, 0]])), queries, data, np.ones(4, bool))
    assert metric.values(judged, 2).tolist() == [(abs(1 / 2 - 1) + abs(1 / 2 - 0)) / 2]
