"""Evaluation of a split's lists: means, intervals, slices, relevance, catalogue, errors, speed and memory."""

import subprocess
import sys
from math import log2

import numpy as np
import pytest
import scipy.sparse as sp
from pydantic import ValidationError

from recexp.data import Column, Dataset, Interactions, Queries, Split
from recexp.errors import ConfigError, DataError
from recexp.evaluation.evaluation import Evaluation
from recexp.metrics import accuracy
from recexp.metrics.accuracy import Ndcg, Precision, Recall
from recexp.metrics.base import ListMetric, Measured, Metric
from recexp.metrics.concentration import Gini
from recexp.metrics.coverage import CatalogCoverage
from recexp.metrics.diversity import IntraListDiversity
from recexp.metrics.novelty import AveragePopularity, Novelty, Serendipity
from recexp.metrics.rating import Mae, Rmse
from recexp.params import params
from recexp.ranking import Lists


def evaluation(**changes) -> Evaluation:
    fields = {
        "cutoffs": [1, 2],
        "metrics": {"recall": Recall(), "ndcg": Ndcg()},
        "catalogue": "all",
        "relevant_from": None,
        "history": "all",
        "resamples": 100,
        "confidence": 0.95,
    }
    return Evaluation(**{**fields, **changes})


def interactions(pairs, values, n_users, n_items, **more) -> Interactions:
    users, items = np.array(pairs, np.int32).reshape(-1, 2).T.copy()
    return Interactions(users, items, np.array(values, np.float32), n_users, n_items, **more)


def test_a_metric_that_cannot_measure_is_refused() -> None:
    class Strange(Metric):
        pass

    class Odd(ListMetric):
        pass

    with pytest.raises(TypeError, match="abstract class Strange with abstract method measure"):
        Strange()
    with pytest.raises(TypeError, match="abstract class Odd with abstract method values"):
        Odd()
    with pytest.raises(ValidationError, match="should be an instance of Metric"):
        evaluation(metrics={"recall": Recall(), "strange": object()})


def test_a_new_kind_of_metric_is_one_class() -> None:
    """Root of the mean squared score of each target that a list holds: a unit of its own, with a finish of its own."""

    @params
    class TargetScore(Metric):
        unit = "target"

        def names(self, name, cutoffs):
            return [name]

        def measure(self, answers, cutoffs):
            judged = answers.lists
            return Measured([judged.scores[judged.hits].astype(float) ** 2], judged.owners[np.nonzero(judged.hits)[0]])

        def finish(self, mean):
            return np.sqrt(mean)

    ranked = Lists(RANKED.items, np.array([[1, 3], [3, 7], [1, 3], [3, 1]], np.float32))
    found = evaluation(metrics={"recall": Recall(), "score": TargetScore()}).evaluate(small_split(), ranked, seed=1)
    # hits: 3 of user 0 (score 1), 4 of user 1 (score 7), 3 of user 2 (score 1)
    assert found.metrics["score"] == pytest.approx(((1 + 49 + 1) / 3) ** 0.5)
    low, high = found.intervals["score"]
    assert low == 1 and 5 < high < 7, "resamples of users: of means of squares, then finished"
    plain = evaluation().evaluate(small_split(), ranked, seed=1)
    assert plain.intervals["recall_at_2"] == found.intervals["recall_at_2"], "other units have other resamples"
    assert list(found.per_query) == ["recall_at_1", "recall_at_2"]


def test_means_of_slices_are_finished_too() -> None:
    @params
    class RootRecall(ListMetric):
        def values(self, judged, k):
            return (judged.hits_at(k) / judged.relevant) ** 2

        def finish(self, mean):
            return np.sqrt(mean)

    rows = evaluation(cutoffs=[2], metrics={"root": RootRecall()}).evaluate(small_split(), RANKED, seed=1).slices
    (few,) = (row for row in rows if (row.slice, row.group) == ("user_activity", "1 rows"))
    assert few.value == pytest.approx((0.5**2 / 2) ** 0.5)


def test_values_of_the_wrong_shape_are_refused() -> None:
    @params
    class Total(ListMetric):
        def values(self, judged, k):
            return judged.hits_at(k).sum()

    with pytest.raises(DataError, match=r"Total\.values gave \(\); one value a list is \(4,\)"):
        evaluation(metrics={"total": Total()}).evaluate(small_split(), RANKED, seed=1)


def test_hits_are_of_the_whole_lists_and_padding_is_none() -> None:
    found = evaluation(cutoffs=[1]).evaluate(
        small_split(), lists([3, 2, 0], [0, 4, -1], [3, 1, 4], [1, -1, -1]), seed=1
    )
    assert found.hits.tolist() == [[True, False, False], [False, True, False], [True, False, True], [False] * 3]
    assert found.metrics["recall_at_1"] == pytest.approx((1 + 0 + 0.5 + 0) / 4)


def small_split(users=(0, 1, 2, 2), values=(5, 3, 4, 2, 5), candidates=None) -> Split:
    """Users 0..3, items 0..5; item 5 is not in train. User 2 asks twice. Targets: 3 | 4 | 3, 4 | 5."""
    train = interactions([(0, 0), (0, 1), (1, 0), (1, 2), (2, 0), (3, 3), (3, 4)], [1] * 7, 4, 6, explicit=True)
    data = Dataset("small", train, np.arange(4), np.arange(6))
    target = sp.csr_array((np.array(values, np.float32), [3, 4, 3, 4, 5], [0, 1, 2, 4, 5]), shape=(4, 6))
    queries = Queries.of_users(np.maximum(users, 0).astype(np.int32), train, exclude_seen=False)
    queries = Queries(np.array(users, np.int32), queries.log, queries.start, queries.stop, candidates=candidates)
    test = interactions([(0, 3), (1, 4), (2, 3)], [5, 3, np.nan], 4, 6, explicit=True)
    return Split(train=data, queries=queries, target=target, test=test)


def lists(*rows) -> Lists:
    return Lists(np.array(rows, np.int32), np.zeros((len(rows), len(rows[0])), np.float32))


RANKED = lists([3, 2], [0, 4], [3, 1], [1, -1])


def test_values_by_hand_in_the_order_asked_for():
    results = evaluation(metrics={"ndcg": Ndcg(), "coverage": CatalogCoverage(), "recall": Recall()}).evaluate(
        small_split(), RANKED, seed=1
    )
    ndcg_2 = [1, 1 / log2(3), 1 / (1 + 1 / log2(3)), 0]
    assert results.per_query["recall_at_2"].tolist() == [1, 1, 0.5, 0]
    assert results.per_query["ndcg_at_2"] == pytest.approx(ndcg_2)
    assert list(results.metrics) == [f"{name}_at_{k}" for name in ("ndcg", "coverage", "recall") for k in (1, 2)]
    assert results.metrics["ndcg_at_2"] == pytest.approx(sum(ndcg_2) / 4), "the mean is over queries"
    assert results.metrics["recall_at_1"] == pytest.approx((1 + 0 + 0.5 + 0) / 4)
    assert results.metrics["coverage_at_1"] == pytest.approx(3 / 6)
    assert list(results.intervals) == ["ndcg_at_1", "ndcg_at_2", "recall_at_1", "recall_at_2"], "none for coverage"
    assert results.users.tolist() == [0, 1, 2, 2]
    assert all(low <= results.metrics[name] <= high for name, (low, high) in results.intervals.items())


def test_users_not_queries_are_resampled():
    """With one user there is nothing to resample: the interval is the mean itself."""
    one = evaluation().evaluate(small_split(users=(2, 2, 2, 2)), RANKED, seed=1)
    assert one.intervals["recall_at_2"] == (one.metrics["recall_at_2"],) * 2
    unknown = evaluation().evaluate(small_split(users=(-1, -1, -1, -1)), RANKED, seed=1)
    low, high = unknown.intervals["recall_at_2"]
    assert low < high, "each unknown user is one of its own"


def test_the_seed_decides_intervals_and_nothing_else():
    first, again, other = (evaluation().evaluate(small_split(), RANKED, seed=s) for s in (1, 1, 2))
    assert first.metrics == again.metrics == other.metrics
    assert first.intervals == again.intervals and first.slices == again.slices
    assert first.intervals != other.intervals


def test_relevance_threshold_leaves_out_queries_and_says_so(caplog):
    caplog.set_level("INFO")
    split = evaluation(relevant_from=4.0).relevant(small_split())  # targets left: 3 | none | 3 | 5
    assert split.queries.users.tolist() == [0, 2, 2]
    assert split.target.indices.tolist() == [3, 3, 5]
    assert "1 of 4 queries have no relevant held-out item" in caplog.text
    with pytest.raises(DataError, match=r"evaluation.relevant_from=9: nothing held out is relevant; .* 5$"):
        evaluation(relevant_from=9.0).relevant(small_split())


def test_lists_without_a_value_are_left_out_of_the_mean():
    ranked = lists([0, 2], [-1, -1], [-1, -1], [-1, -1])
    results = evaluation(metrics={"popularity": AveragePopularity()}).evaluate(small_split(), ranked, seed=1)
    assert results.metrics["popularity_at_2"] == (3 + 1) / 2
    assert np.isnan(results.per_query["popularity_at_2"]).tolist() == [False, True, True, True]


def test_ratings_are_pooled_over_rows_and_unrated_rows_left_out(caplog):
    caplog.set_level("INFO")
    rate = evaluation(metrics={"rmse": Rmse(), "recall": Recall(), "mae": Mae()})
    results = rate.evaluate(small_split(), RANKED, seed=1, predicted=np.array([4.0, 3.5, 1.0]))
    assert results.metrics["rmse"] == pytest.approx(((1 + 0.25) / 2) ** 0.5)
    assert results.metrics["mae"] == pytest.approx((1 + 0.5) / 2)
    assert list(results.metrics) == ["rmse", "recall_at_1", "recall_at_2", "mae"]
    assert results.intervals["rmse"] == pytest.approx((0.5, 1.0)), "each user alone is drawn in 1 of 4 resamples"
    assert rate.rates and not evaluation().rates
    with pytest.raises(DataError, match="must be 3 finite ratings"):
        rate.evaluate(small_split(), RANKED, seed=1, predicted=np.array([4.0, np.nan, 1.0]))
    assert "rmse" not in rate.evaluate(small_split(), RANKED, seed=1).metrics
    assert "rating metrics are skipped" in caplog.text


def test_only_rating_or_run_metrics_work_too():
    results = evaluation(metrics={"gini": Gini()}).evaluate(small_split(), RANKED, seed=1)
    assert list(results.metrics) == ["gini_at_1", "gini_at_2"] and not results.intervals and not results.per_query
    results = evaluation(metrics={"mae": Mae()}).evaluate(small_split(), RANKED, seed=1, predicted=np.ones(3))
    assert list(results.metrics) == ["mae"]


def test_slices_by_hand():
    rows = evaluation(cutoffs=[2], metrics={"recall": Recall()}).evaluate(small_split(), RANKED, seed=1).slices
    found = {(row.slice, row.group): (row.size, row.metric, row.value) for row in rows}
    # histories: 2, 2, 1, 1 rows; recall 1, 1 | .5, 0
    assert found["user_activity", "1 rows"] == (2, "recall_at_2", 0.25)
    assert found["user_activity", "2 rows"] == (2, "recall_at_2", 1.0)
    assert found["user_warmth", "1-4 train rows"] == (4, "recall_at_2", 0.625)
    # train users: item 0 has 3 of 7; items 1 to 4 have one each, more popular ones hold 3/7 < .5: head; 5 none: tail
    assert found["item_popularity", "head"] == (4, "found_at_2", 3 / 4)  # 3, 4 and 3 of 3, 4 | not 4 of the third
    assert found["item_popularity", "tail"] == (1, "found_at_2", 0.0)
    assert found["item_warmth", "unseen in train"] == (1, "found_at_2", 0.0)
    assert found["item_warmth", "seen in train"] == (4, "found_at_2", 3 / 4)
    assert ("item_popularity", "mid") not in found and ("user_warmth", "no train rows") not in found
    assert all(row.low <= row.value <= row.high for row in rows)


def test_items_at_the_borders_of_popularity_groups():
    """Of 10 train rows item 0 has 5, item 1 has 3 (more popular: 50 %), item 2 has 2 (more popular: 80 %)."""
    pairs = [(u, 0) for u in range(5)] + [(0, 1), (1, 1), (2, 1), (3, 2), (4, 2)]
    train = Dataset("d", interactions(pairs, [1] * 10, 5, 4), np.arange(5), np.arange(4))
    queries = Queries.of_users(np.arange(3, dtype=np.int32), train.interactions, exclude_seen=False)
    target = sp.csr_array((np.ones(3, np.float32), [0, 1, 2], [0, 1, 2, 3]), shape=(3, 4))
    split = Split(train=train, queries=queries, target=target, test=train.interactions)
    rows = evaluation(cutoffs=[1]).evaluate(split, lists([0], [3], [2]), seed=1).slices
    found = {row.group: row.value for row in rows if row.slice == "item_popularity"}
    assert found == {"head": 1.0, "mid": 0.0, "tail": 1.0}


def test_unknown_users_are_cold_and_activity_goes_by_quartiles():
    cold = evaluation().evaluate(small_split(users=(-1, -1, 2, 2)), RANKED, seed=1).slices
    assert {row.size for row in cold if row.group == "no train rows"} == {2}
    pairs = [(u, i) for u in range(40) for i in range(u // 2 + 1)]  # histories of 1, 1, 2, 2, ... 20, 20 rows
    train = Dataset("d", interactions(pairs, [1] * len(pairs), 40, 30), np.arange(40), np.arange(30))
    queries = Queries.of_users(np.arange(40, dtype=np.int32), train.interactions, exclude_seen=False)
    target = sp.csr_array((np.ones(40, np.float32), np.full(40, 29), np.arange(41)), shape=(40, 30))
    split = Split(train=train, queries=queries, target=target, test=train.interactions)
    rows = evaluation(cutoffs=[1]).evaluate(split, lists(*[[29]] * 40), seed=1).slices
    groups = [(row.group, row.size) for row in rows if row.slice == "user_activity" and row.metric == "recall_at_1"]
    assert groups == [("1-5 rows", 10), ("6-10 rows", 10), ("11-15 rows", 10), ("16-20 rows", 10)]


def test_candidate_lists_are_marked():
    every = sp.csr_array(np.ones((4, 6), np.float32))
    assert evaluation().evaluate(small_split(candidates=every), RANKED, seed=1).candidates
    assert not evaluation().evaluate(small_split(), RANKED, seed=1).candidates


def test_cutoffs_beyond_the_items_work_with_shorter_lists():
    everything = lists(*[[0, 1, 2, 3, 4, 5]] * 4)
    precision = evaluation(cutoffs=[2, 50], metrics={"precision": Precision()})
    results = precision.evaluate(small_split(), everything, seed=1)
    assert results.metrics["precision_at_50"] == pytest.approx(5 / 4 / 50), "it still divides by k"


def test_lists_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="got lists \\(4, 2\\); expected 4 of at least 5"):
        evaluation(cutoffs=[1, 5]).evaluate(small_split(), RANKED, seed=1)
    with pytest.raises(DataError, match="got lists"):
        evaluation().evaluate(small_split(), lists([1, 2], [1, 2], [1, 2]), seed=1)


def test_lists_that_repeat_an_item_or_hold_an_unknown_one_are_refused():
    with pytest.raises(DataError, match="a list that contains an item twice"):
        evaluation().evaluate(small_split(), lists([1, 2], [1, 2], [2, 2], [-1, -1]), seed=1)
    with pytest.raises(DataError, match="evaluate got item 6; the data have 6"):
        evaluation().evaluate(small_split(), lists([1, 2], [1, 2], [1, 2], [1, 6]), seed=1)


def test_catalogue_and_ties():
    train = small_split().train
    everything, seen = evaluation().ranking(train, 1), evaluation(catalogue="in_train").ranking(train, 1)
    assert everything.catalogue.all() and seen.catalogue.tolist() == [True] * 5 + [False]
    assert sorted(everything.ties) == list(range(6))
    assert (everything.ties == seen.ties).all(), "the same seed breaks ties the same way"
    assert any((evaluation().ranking(train, seed).ties != everything.ties).any() for seed in range(2, 6))
    coverage = evaluation(catalogue="in_train", metrics={"coverage": CatalogCoverage()})
    assert coverage.evaluate(small_split(), RANKED, seed=1).metrics["coverage_at_1"] == pytest.approx(3 / 5)


@pytest.mark.parametrize("cutoffs", [[10, 5], [5, 5], [], [0]])
def test_cutoffs_must_rise(cutoffs):
    with pytest.raises(ValidationError, match="cutoffs"):
        evaluation(cutoffs=cutoffs)


def test_what_a_metric_needs_is_checked_before_fitting():
    data = small_split().train
    diversity = evaluation(metrics={"diversity": IntraListDiversity(by="features")})
    with pytest.raises(ConfigError, match=r"evaluation.metrics: diversity needs item_categories, and small has none"):
        diversity.check(data)
    table = {"genre": Column.category(list("aabbcc"))}
    diversity.check(Dataset("tabled", data.interactions, data.user_ids, data.item_ids, items=table))
    evaluation(metrics={"diversity": IntraListDiversity(by="interactions"), "rmse": Rmse()}).check(data)
    implicit = Dataset("i", interactions([(0, 0)], [1], 1, 1), np.arange(1), np.arange(1))
    with pytest.raises(ConfigError, match=r"evaluation.metrics: rmse needs ratings, and i has none"):
        evaluation(metrics={"rmse": Rmse()}).check(implicit)


def test_all_list_metrics_are_fast(in_sorts):
    """6,040 users at four cut-offs, with intervals and slices."""
    rng = np.random.default_rng(0)
    users, items = rng.integers(0, 6040, 575_000), (rng.random(575_000) ** 3 * 3706).astype(np.int32)
    log = interactions(np.stack([users, items], axis=1), np.ones(575_000), 6040, 3706)
    genres = Column.multi_category([[f"g{g}" for g in row] for row in rng.integers(0, 18, (3706, 2))])
    data = Dataset("synthetic", log, np.arange(6040), np.arange(3706), items={"genres": genres})
    pairs = rng.integers(0, 6040, 115_000), rng.integers(0, 3706, 115_000)
    target = sp.csr_array((np.ones(115_000, np.float32), pairs), shape=(6040, 3706))
    asked = np.flatnonzero(np.diff(target.indptr)).astype(np.int32)
    queries = Queries.of_users(asked, log, exclude_seen=False)
    split = Split(train=data, queries=queries, target=target[asked], test=log.take(np.arange(1)))
    ranked = (rng.integers(0, 3706, (len(asked), 1)) + np.cumsum(rng.integers(1, 30, (len(asked), 100)), axis=1)) % 3706
    ranked = Lists(ranked.astype(np.int32), np.zeros(ranked.shape, np.float32))
    classes = [*accuracy.Accuracy.__subclasses__(), Novelty, AveragePopularity, Serendipity]
    metrics = {metric.__name__: metric() for metric in classes}
    metrics |= {by: IntraListDiversity(by=by) for by in ("features", "interactions")}
    everything = evaluation(cutoffs=[5, 10, 20, 100], metrics=metrics, resamples=1000)
    results = everything.evaluate(split, ranked, seed=1)  # compiles
    assert in_sorts(lambda: everything.evaluate(split, ranked, seed=1)) < 8, "1.9 where the bound was set"
    assert len(results.intervals) == 13 * 4


def test_memory_at_100_000_users():
    """With 20,000 items a dense array would be 8 GB, of bytes 2 GB; the data alone are about 75 MiB."""
    code = """
import numpy as np, scipy.sparse as sp
from recexp.cost import Costs
from recexp.data import Dataset, Interactions, Queries, Split
from recexp.evaluation.evaluation import Evaluation
from recexp.metrics import accuracy, coverage, diversity, novelty
from recexp.ranking import Lists
u, n, rng = 100_000, 20_000, np.random.default_rng(0)
users, items = rng.integers(0, u, 1_500_000, dtype=np.int32), rng.integers(0, n, 1_500_000, dtype=np.int32)
log = Interactions(users, items, np.ones(len(users), np.float32), u, n)
data = Dataset("large", log, np.arange(u), np.arange(n))
wanted = rng.integers(0, n, u * 5, dtype=np.int32)
target = sp.csr_array((np.ones(u * 5, np.float32), wanted, np.arange(0, u * 5 + 1, 5)), shape=(u, n))
queries = Queries.of_users(np.arange(u, dtype=np.int32), log, exclude_seen=False)
split = Split(train=data, queries=queries, target=target, test=log.take(np.arange(1)))
ranked = (rng.integers(0, n, (u, 1), dtype=np.int32) + np.arange(20, dtype=np.int32) * 7) % n
lists = Lists(ranked, np.zeros((u, 20), np.float32))
metrics = {"ndcg": accuracy.Ndcg(), "recall": accuracy.Recall(), "novelty": novelty.Novelty(),
           "coverage": coverage.CatalogCoverage(), "diversity": diversity.IntraListDiversity(by="interactions")}
evaluation = Evaluation(cutoffs=[5, 10, 20], metrics=metrics, catalogue="all", relevant_from=None, history="all",
                        resamples=50, confidence=0.95)
costs = Costs()
evaluation.evaluate(split, lists, seed=1)
print(costs.metrics()["peak_mib"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 600
