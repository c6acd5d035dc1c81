"""Checks for people's own splits, filters and datasets: each names the promise that a component breaks."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import recexp
from recexp.data import Column, Dataset, Interactions, Split
from recexp.datasets.base import Source
from recexp.errors import DataError
from recexp.filters.base import Filter
from recexp.params import params
from recexp.splits.base import Splitter, divide
from recexp.splits.random import RandomPerUser
from recexp.testing import check_dataset, check_filter, check_split
from recexp.testing.examples import DAY

Change = Callable[[Any], Any]
RNG = np.random.default_rng(0)


@params
class EveryFifth(Splitter):
    """Each user's every fifth row is test; then something is done to the split."""

    time: ClassVar[Any] = None
    change: ClassVar[Change] = staticmethod(lambda split: [split])

    def split(self, dataset: Dataset) -> Iterator[Split]:
        labels = np.where(np.arange(len(dataset.interactions)) % 5, 0, 2)
        yield from type(self).change(divide(dataset, labels, exclude_seen=self.exclude_seen))


def split(*, seen: bool = True, **attributes: Any) -> Splitter:
    @params
    class Mine(EveryFifth):
        pass

    for name, value in attributes.items():
        setattr(Mine, name, staticmethod(value) if name == "change" else value)
    return Mine(seed=1, exclude_seen=seen)


def others_histories(whole: Split) -> list[Split]:
    log = whole.queries.log
    return [replace(whole, queries=replace(whole.queries, log=replace(log, users=log.users[::-1])))]


def newest_first(whole: Split) -> list[Split]:
    log = whole.queries.log
    return [replace(whole, queries=replace(whole.queries, log=replace(log, timestamps=log.timestamps[::-1])))]


def asked_by_another(whole: Split) -> list[Split]:
    return [replace(whole, queries=whole.queries.asked_by(whole.queries.users[0]))]


def unexcluded(whole: Split) -> list[Split]:
    return [replace(whole, queries=replace(whole.queries, exclude=None))]


def excluded(whole: Split) -> list[Split]:
    none = whole.target * 0
    none.eliminate_zeros()
    return [replace(whole, queries=replace(whole.queries, exclude=none))]


def learned_tests(whole: Split) -> list[Split]:
    rows = whole.train.interactions
    train = replace(whole.train, interactions=rows.take(np.arange(len(rows)) < 300))
    return [replace(whole, test=rows, train=train)]


def other_codes(whole: Split) -> list[Split]:
    return [replace(whole, train=replace(whole.train, item_ids=whole.train.item_ids[::-1]))]


def shuffled(whole: Split) -> list[Split]:
    kept = RNG.permutation(len(whole.queries))[:20]
    return [replace(whole, queries=whole.queries.take(kept), target=whole.target[kept])]


def other_values(whole: Split) -> list[Split]:
    return [replace(whole, target=whole.target * 2)]


def unsealed(whole: Split) -> list[Split]:
    rows = whole.test
    inner = divide(replace(whole.train, interactions=rows), np.arange(len(rows)) % 2 * 2, exclude_seen=True)
    return [replace(whole, validation=inner)]


def nothing(whole: Split) -> list[Split]:
    return []


def twice(whole: Split) -> list[Split]:
    return [replace(whole, fold=fold) for fold in (0, 1)]


def unnumbered(whole: Split) -> list[Split]:
    return [whole, replace(whole, target=whole.target * 2)]


def test_a_good_split_passes() -> None:
    check_split(split())
    check_split(split(seen=False))


@pytest.mark.parametrize(
    ("made", "message", "promise"),
    [
        (split(change=nothing), "split yielded nothing", "yields one Split, or several"),
        (split(change=twice), "two folds are the same split", "numbered from 0"),
        (split(change=unnumbered), r"the folds of 2 splits must be \[0, 1\] \(they are \[None, None\]\)", "numbered"),
        (split(change=lambda whole: [None]), r"split must yield Splits \(it yielded \[None\]\)", "yields one Split"),
        (split(change=other_codes), "train has other codes; do not compact", "have the codes of the dataset"),
        (split(change=learned_tests), r"300 rows are in train and in test, such as row \[1\]", "in train and in test"),
        (split(change=unsealed), "the train of validation hold 50 rows that train has not", "test rows"),
        (split(change=other_values), r"\(user, item, value\) \[.*\] of the target is in no test row", "looked for"),
        (split(change=asked_by_another), "of the target is in no test row", "of the user who asks"),
        (split(change=others_histories), "a history holds rows of another user", "of its user alone"),
        (split(change=newest_first), "the rows of a history are not in time order", "in time order"),
        (split(change=unexcluded), "queries.exclude must hold the items of histories", "With `exclude_seen`"),
        (
            split(seen=False, change=excluded),
            "queries.exclude must be None with exclude_seen=False",
            "without, nothing",
        ),
        (split(time="point"), "time is point, and train has a row at", "all that is learned is older"),
        (split(time="history"), "time is history, and .* rows of histories are newer than their query", "older"),
        (split(time="later"), "time must be mixed, history, point or None", "older"),
        (split(change=shuffled), "a second call gave other splits; draw from self.rng", "same seed"),
        (split(rule=lambda self: {"seed": 1}), r"rule\(\) holds the seed", "without the seed"),
    ],
)
def test_a_split_that_breaks_a_promise_is_told_which(made: Splitter, message: str, promise: str) -> None:
    with pytest.raises(AssertionError, match=message) as caught:
        check_split(made)
    assert any(promise in note for note in caught.value.__notes__)


def test_a_split_may_be_tried_on_data_of_its_own() -> None:
    picky = split(change=lambda whole: [whole] if "place" in whole.test.context else _refuse())
    with pytest.raises(DataError, match="no place") as caught:
        check_split(picky)
    assert "give others as `dataset`" in caught.value.__notes__[0]
    rng = np.random.default_rng(0)
    users, items = (rng.integers(0, 20, 300).astype(np.int32) for _ in range(2))
    place = Column.category(["home", "work"] * 150)
    rows = Interactions(users, items, np.ones(300, np.float32), 20, 20, context={"place": place})
    check_split(picky, Dataset("mine", rows, np.arange(20), np.arange(20)))


def _refuse() -> Any:
    raise DataError("no place")


def test_what_is_no_split() -> None:
    with pytest.raises(AssertionError, match=r"RandomPerUser is a class; pass one that is built, RandomPerUser\(...\)"):
        check_split(RandomPerUser)
    with pytest.raises(AssertionError, match="must be a Splitter"):
        check_split(filter_of(lambda data, rng: data))


def filter_of(apply: Callable[[Dataset, np.random.Generator], Any], *, draws: bool = False) -> Filter:
    @params
    class Mine(Filter):
        random = draws

        def apply(self, dataset: Dataset, *, rng: np.random.Generator) -> Dataset:
            return apply(dataset, rng)

    return Mine()


def relabeled(data: Dataset, rng: np.random.Generator) -> Dataset:
    return replace(data, item_ids=data.item_ids[::-1])


def drawn(data: Dataset, rng: np.random.Generator) -> Dataset:
    return data.take(rng.random(len(data.interactions)) < 0.5)


def unseeded(data: Dataset, rng: np.random.Generator) -> Dataset:
    return data.take(RNG.random(len(data.interactions)) < 0.5)


def holes(data: Dataset, rng: np.random.Generator) -> Dataset:
    rows = data.interactions
    return replace(data, interactions=replace(rows, values=np.full_like(rows.values, np.nan), explicit=False))


def bare(data: Dataset, rng: np.random.Generator) -> Dataset:
    return replace(data, interactions=replace(data.interactions, context={}))


def test_a_good_filter_passes() -> None:
    check_filter(filter_of(lambda data, rng: data.take(data.interactions.timestamps < 100 * DAY)))
    check_filter(filter_of(drawn, draws=True))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (filter_of(lambda data, rng: None), r"apply must return a Dataset \(it returned NoneType\)"),
        (
            filter_of(lambda data, rng: data.take(np.arange(50)[::-1])),
            "apply changed the order of rows, or has some twice",
        ),
        (
            filter_of(lambda data, rng: data.take(np.array([1, 1, 2]))),
            "apply changed the order of rows, or has some twice",
        ),
        (filter_of(relabeled), "apply changed the items of rows"),
        (filter_of(holes), "apply left NaN among values that are no ratings"),
        (filter_of(bare), "apply lost the context columns"),
        (filter_of(drawn), "another seed gave other data; say `random = True`"),
        (filter_of(unseeded, draws=True), "two calls with the same seed gave different data; draw from rng"),
        (filter_of(lambda data, rng: _refuse()), "Mine refuses the data that it is tried on; give others .* no place"),
    ],
)
def test_a_filter_that_breaks_a_promise_is_told_which(made: Filter, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_filter(made)


@params
class Shop(Source):
    """Three rows, to which something is done."""

    change: ClassVar[Change] = staticmethod(lambda data: data)

    def check(self) -> None: ...

    def load(self) -> Dataset:
        users, items = np.array([0, 0, 1], np.int32), np.array([1, 0, 0], np.int32)
        rows = Interactions(users, items, np.array([1, 2, 3], np.float32), 2, 2)
        ids = np.array(["a", "b"], dtype=object)
        return type(self).change(Dataset(self.name, rows, np.array([5, 6]), ids))


def source(change: Change = lambda data: data, **attributes: Any) -> Source:
    @params
    class Mine(Shop):
        pass

    Mine.change = staticmethod(change)
    for name, value in attributes.items():
        setattr(Mine, name, value)
    return Mine(name="shop", terms="mine", size="small")


def valued(value: float) -> Change:
    return lambda data: replace(data, interactions=replace(data.interactions, values=np.full(3, value, np.float32)))


def test_a_good_source_passes() -> None:
    check_dataset(source())


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (source(lambda data: None), r"load must return a Dataset \(it returned NoneType\)"),
        (source(lambda data: data.take(np.zeros(3, bool))), "the dataset has no rows"),
        (
            source(lambda data: replace(data, name="other")),
            "is called 'other'; it must be called as the source, 'shop'",
        ),
        (
            source(lambda data: replace(data, user_ids=np.array([5.0, 6.0]))),
            "user_ids must be int64, .*they are float64",
        ),
        (source(lambda data: replace(data, item_ids=np.array(["a", "a"], object))), "item_ids has an id twice"),
        (source(valued(np.inf)), "values hold infinity"),
        (source(valued(np.nan)), "values hold NaN and are no ratings"),
        (source(lambda data: valued(RNG.random())(data)), "a second load gave other data"),
        (source(files=lambda self: {"rows": "clicks.log"}), "rows must be a Path"),
        (source(location=lambda self: "clicks.log"), "location must be a Path"),
        (source(files=lambda self: [Path("clicks.log")]), "files must return a dict or None"),
    ],
)
def test_a_source_that_breaks_a_promise_is_told_which(made: Source, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_dataset(made)


def test_the_class_is_checked_as_when_a_config_is_built() -> None:
    class Undecorated(Shop):
        pass

    with pytest.raises(AssertionError, match="Undecorated must be decorated with @params"):
        check_dataset(Undecorated(name="x", terms="x", size="x"))


def test_checks_that_pass_say_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """What recexp warns of in the data that a check makes is not about what is checked."""
    check_filter(recexp.make("filter=event_values"))
    check_filter(recexp.make("filter=positive"))
    check_split(recexp.make("split=random"))
    assert caplog.messages == []
    logging.getLogger("recexp.filters").warning("later")
    assert caplog.messages == ["later"]
