"""Checks for people's own algorithms and metrics: each names the promise that a component breaks."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from recexp.algorithms import Capabilities, FitContext, Recommender
from recexp.data import Dataset, Interactions, Queries
from recexp.metrics.base import JudgedLists, ListMetric, Metric, RatingMetric, RunMetric
from recexp.params import params
from recexp.ranking import Lists, Ranking
from recexp.testing import check_metric, check_recommender

RNG = np.random.default_rng(0)


@params
class Counts(Recommender):
    """How many rows an item has, and one more where it is in the history."""

    weights: dict[str, float]

    def fit(self, train: Dataset, context: FitContext | None = None) -> "Recommender":
        self.counts_ = np.bincount(train.interactions.items, minlength=train.n_items).astype(np.float32)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        return self.counts_ + self.weights["seen"] * queries.history(values=False).toarray()


def model(**attributes: Any) -> Recommender:
    @params
    class Mine(Counts):
        pass

    for name, value in attributes.items():
        setattr(Mine, name, value)
    return Mine(weights={"seen": 1.0})


def with_fit(change: Callable[[Recommender, Dataset, FitContext], Any]) -> Recommender:
    def fit(self: Recommender, train: Dataset, context: FitContext | None = None) -> Any:
        Counts.fit(self, train)
        return change(self, train, context or FitContext())

    return model(fit=fit)


def with_score(change: Callable[[np.ndarray, Queries], np.ndarray]) -> Recommender:
    return model(score=lambda self, queries: change(Counts.score(self, queries), queries))


def forgets_self(self: Recommender, train: Dataset, context: FitContext) -> None:
    return None


def tunes_itself(self: Counts, train: Dataset, context: FitContext) -> Recommender:
    self.weights["seen"] = 2.0
    return self


def adds_up(self: Counts, train: Dataset, context: FitContext) -> Recommender:
    self.counts_ = self.counts_ + getattr(self, "_before", 0)
    self._before = self.counts_
    return self


def draws(self: Counts, train: Dataset, context: FitContext) -> Recommender:
    self.counts_ = self.counts_ + RNG.random(len(self.counts_), np.float32)
    return self


def logs_text(self: Counts, train: Dataset, context: FitContext) -> Recommender:
    context.log_step("first", {"loss": 1.0})
    return self


def divides(self: Counts, train: Dataset, context: FitContext) -> Recommender:
    with np.errstate(invalid="ignore"):
        self.counts_ = self.counts_ / self.counts_.sum()
    return self


def weighs(self: Counts, train: Dataset, context: FitContext) -> Recommender:
    rows = train.interactions
    self.counts_ = np.bincount(rows.items, np.nan_to_num(rows.values, posinf=9), train.n_items).astype(np.float32)
    return self


def reads_times(self: Counts, train: Dataset, context: FitContext) -> Recommender:
    if train.interactions.timestamps is None:
        self.counts_ = np.full(train.n_items, np.nan, np.float32)
    return self


def in_code_order(self: Recommender, queries: Queries, k: int, ranking: Ranking) -> Lists:
    scores = self.score(queries)
    items = np.tile(np.arange(k, dtype=np.int32), (len(queries), 1))
    return Lists(items, np.take_along_axis(scores, items, 1))


def relative(scores: np.ndarray, queries: Queries) -> np.ndarray:
    return scores + np.float32(len(queries))


def test_a_good_model_passes() -> None:
    check_recommender(Counts(weights={"seen": 1.0}))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (with_fit(forgets_self), "fit must return self"),
        (with_fit(tunes_itself), "fit changed a hyperparameter"),
        (with_fit(adds_up), "a model fitted before on other data gave other scores"),
        (with_fit(draws), "a second fit with the same seed gave other scores"),
        (
            with_fit(logs_text),
            r"context.log_step takes a step and numbers by name \(it was given \[\('first', 1.0\)\]\)",
        ),
        (with_fit(divides), "data without rows: scores are not finite; refuse such data with a DataError"),
        (with_fit(weighs), 'missing ratings changed scores, and capabilities.feedback is "binary"'),
        (with_fit(reads_times), "scores are not finite where the data hold nothing but what it needs"),
        (model(score=lambda self, queries: np.ones((len(queries), 24), np.float32)), "it answers before fit"),
        (with_score(lambda scores, queries: scores[:, :-1]), r"score returned \(59, 23\); one score .* is \(59, 24\)"),
        (with_score(lambda scores, queries: scores.astype(str)), "score returned values of type <U32"),
        (with_score(relative), "got other scores"),
        (model(recommend=in_code_order), "the list of query 0 is not that of its scores"),
    ],
)
def test_a_model_that_breaks_a_promise_is_told_which(made: Recommender, message: str) -> None:
    with pytest.raises(AssertionError, match=message) as caught:
        check_recommender(made)
    assert caught.value.__notes__[0].startswith("Mine must keep this: ")


@params
class Hidden(Counts):
    """What it learns is in a name that is not kept."""

    def fit(self, train: Dataset, context: FitContext | None = None) -> "Recommender":
        self._counts, self.counts_ = np.arange(train.n_items, dtype=np.float32), np.zeros(train.n_items)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        return np.tile(self.counts_ + getattr(self, "_counts", 0), (len(queries), 1))


@params
class Unsure(Counts):
    """Its predictions are of another type."""

    capabilities = Capabilities(predicts=True)

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        return np.full(len(rows), 3.0)


@params
class Vectors(Counts):
    """Its vectors are not what it scores by."""

    capabilities = Capabilities(vectors=True)

    def user_vectors(self, queries: Queries) -> np.ndarray:
        return np.ones((len(queries), 2), np.float32)

    def item_vectors(self) -> np.ndarray:
        return np.ones((24, 2), np.float32)


@params
class Latest(Counts):
    """It reads the order of histories and does not say so."""

    def score(self, queries: Queries) -> np.ndarray:
        scores = super().score(queries).copy()
        scores[np.arange(len(queries)), queries.sequences(1)[:, 0]] += 1
        return scores


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (Latest, "its histories backward got other scores; a model that reads their order has needs="),
        (Hidden, "the loaded model gives other scores"),
        (Unsure, "predict returned float64, not float32"),
        (Vectors, "products of vectors are not scores plus a constant"),
    ],
)
def test_what_a_model_says_it_can_do_is_tried(cls: type[Counts], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_recommender(cls(weights={"seen": 0.0}))


@params
class ByPublisher(Counts):
    """Counts by what the items table says in a column of its own."""

    capabilities = Capabilities(needs=frozenset({"items.publisher"}), needs_history=False)

    def fit(self, train: Dataset, context: FitContext | None = None) -> "Recommender":
        publishers = train.items["publisher"].values
        rows = np.bincount(publishers[train.interactions.items], minlength=len(publishers))
        self.counts_ = rows[publishers].astype(np.float32)
        return self


def test_a_model_that_reads_a_column_is_checked_on_data_that_have_it() -> None:
    made = ByPublisher(weights={"seen": 1.0})
    with pytest.raises(AssertionError, match=r"needs items\.publisher, which store does not have: .*dataset="):
        check_recommender(made)
    users, items = (part.ravel() for part in np.mgrid[:30, :25])
    frame = pd.DataFrame({"user_id": users, "item_id": items})[(users * 7 + items * 3) % 5 < 2]
    books = pd.DataFrame({"item_id": range(25), "publisher": [*"abcde"] * 5})
    check_recommender(made, dataset=Dataset.from_frame(frame, items=books))
    with pytest.raises(AssertionError, match="has 12 users with rows and 25 items; 20 and 21 are needed"):
        check_recommender(made, dataset=Dataset.from_frame(frame[frame["user_id"] < 12], items=books))


def test_a_fit_that_asks_for_a_context_is_told_so() -> None:
    with pytest.raises(TypeError, match="context") as caught:
        check_recommender(model(fit=lambda self, train, context: Counts.fit(self, train)))
    assert "`fit(train)` returns self" in caught.value.__notes__[0]


@params
class Share(ListMetric):
    """The share of a list's items that are relevant."""

    needs: ClassVar[frozenset[str]] = frozenset({"relevant"})
    change: ClassVar[Callable[..., Any]] = staticmethod(lambda values, judged: values)

    def values(self, judged: JudgedLists, k: int) -> np.ndarray:
        return type(self).change(judged.hits_at(k) / k, judged)


@params
class Total(RunMetric):
    """How many items are recommended."""

    bounds = (0, np.inf)

    def value(self, judged: JudgedLists, k: int) -> float:
        return float((judged.recommended_at(k) > 0).sum())


@params
class Bias(RatingMetric):
    """How far predictions are too high."""

    bounds = (-np.inf, np.inf)

    def errors(self, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
        return predicted - actual

    def finish(self, mean: np.ndarray) -> np.ndarray:
        return mean


@params
class Distance(Bias):
    """How far predictions are off."""

    def errors(self, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
        return np.abs(predicted - actual)


def share(change: Callable[..., Any] = lambda values, judged: values, **attributes: Any) -> Metric:
    @params
    class Mine(Share):
        pass

    Mine.change = staticmethod(change)
    for name, value in attributes.items():
        setattr(Mine, name, value)
    return Mine()


def unstable(values: np.ndarray, judged: JudgedLists) -> np.ndarray:
    return values * np.linspace(0, 1, len(values))


def test_good_metrics_pass() -> None:
    for metric in (share(), Total(), Distance()):
        check_metric(metric)


def test_a_metric_that_reads_a_column_of_ones_own_is_tried_on_data_that_have_it() -> None:
    def weighed(values: np.ndarray, judged: JudgedLists) -> np.ndarray:
        return values * (judged.train.items["weight"].values.max() > 0)

    rows = pd.DataFrame({"user_id": np.arange(20) % 4, "item_id": range(20)})
    films = pd.DataFrame({"item_id": range(20), "weight": np.arange(20.0)})
    check_metric(share(weighed), dataset=Dataset.from_frame(rows, items=films))
    with pytest.raises(AssertionError, match="at least 13 items"):
        check_metric(share(weighed), dataset=Dataset.from_frame(rows[:3], items=films))
    with pytest.raises(KeyError, match="weight") as caught:
        check_metric(share(weighed))
    assert "give others as `dataset`" in caught.value.__notes__[-1]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (share(needs=frozenset({"prices"})), "prices"),
        (share(needs=frozenset()), r"values depend on what is relevant; say needs = frozenset\(\{\"relevant\"\}\)"),
        (share(lambda values, judged: values * 3), r"a value at 1 is 3, outside of bounds = \(0.0, 1.0\)"),
        (share(lambda values, judged: values / 0.0), "a value at 1 is infinite|outside"),
        (share(lambda values, judged: np.full(len(values), np.nan)), "at 2 no list has a value"),
        (share(unstable), "other values when the lists come in another order"),
        (share(higher_is_better=False), "the best answers have 0.*, and higher is not better"),
        (share(higher_is_better="up"), "higher_is_better must be True, False or None"),
        (share(bounds=(1, 0)), "bounds must be"),
        (Bias(), "the best answers have 0, random ones .*, and higher is not better"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_a_metric_that_breaks_a_promise_is_told_which(made: Metric, message: str) -> None:
    with pytest.raises(Exception, match=message) as caught:
        check_metric(made)
    assert "must keep this" in caught.value.__notes__[0]
