"""What every reranker promises, checked for each yaml in conf/reranker without naming any."""

import dataclasses

import numpy as np
import pytest

import recexp
from recexp.config import options
from recexp.data import Dataset, Queries
from recexp.params import params
from recexp.ranking import Lists
from recexp.rerankers import Allowed, Reranker, Restriction
from recexp.testing import check_reranker


@pytest.mark.parametrize("name", options("reranker"))
def test_it_keeps_what_every_reranker_promises(name: str) -> None:
    check_reranker(recexp.make(f"reranker={name}"))


@params
class Unlike(Reranker):
    """Takes the first item, then the best of another kind, then the others: what a reranker for diversity looks like.

    `broken` breaks one promise.
    """

    broken: str

    def fit(self, train: Dataset) -> "Unlike":
        self.kinds_ = train.items["kind"].values
        if self.broken == "unsaved":
            self._kinds = self.kinds_
        return None if self.broken == "fit" else self

    def depth(self, k: int) -> int:
        return k - 1 if self.broken == "depth" else 3 * k

    def rerank(self, queries: Queries, candidates: Lists, k: int) -> Lists:
        items, scores = candidates.items.copy(), candidates.scores.copy()
        kinds = np.where(items >= 0, (self._kinds if self.broken == "unsaved" else self.kinds_)[items], -1)
        other = (kinds != kinds[:, :1]) & (items >= 0)
        second = np.where(other.any(axis=1), other.argmax(axis=1), min(1, items.shape[1] - 1))
        for row, at in enumerate(second):
            order = [0, at, *(place for place in range(1, items.shape[1]) if place != at)][: items.shape[1]]
            items[row], scores[row] = items[row, order], np.minimum.accumulate(scores[row, order])
        if self.broken == "twice":
            items[:, 1:2] = items[:, :1]
        if self.broken == "stranger":
            items[:, 0] = (candidates.items.max(axis=1) + 1) % len(self.kinds_)
        if self.broken == "scores":
            scores[:, 1:2] += 10
        if self.broken == "neighbors" and len(queries) < 40:
            items[:, :2] = items[:, 1::-1]
        return Lists(items, scores) if self.broken == "long" else Lists(items[:, :k], scores[:, :k])


@params
class Half(Restriction):
    """Allows items of even codes; `broken` breaks one promise."""

    broken: str

    def fit(self, train: Dataset) -> "Half":
        self.even_ = np.arange(train.n_items) % 2 == 0
        return self

    def allowed(self, queries: Queries) -> Allowed:
        masks = self.even_[None]
        if self.broken == "flat":
            return Allowed(self.even_, np.zeros(len(queries), int))
        return Allowed(masks, np.full(len(queries), self.broken == "group", int))


BROKEN = {
    "fit": "fit must return self",
    "depth": r"depth\(1\) is 0; it must be a whole number, 1 or more",
    "long": r"rerank gave items \(60, 3\) and scores \(60, 3\) of lists of 1",
    "twice": "a list that holds an item twice",
    "stranger": "an item that was not among the candidates",
    "scores": "scores rise within a list",
    "neighbors": "other queries beside it gave a query another list",
}


def test_one_that_looks_at_kinds_keeps_it() -> None:
    check_reranker(Unlike(broken=""))
    check_reranker(Half(broken=""))
    check_reranker(recexp.make("reranker=chain").__class__(parts={"a": Half(broken=""), "b": Unlike(broken="")}))


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_promise_is_named(broken: str) -> None:
    with pytest.raises(AssertionError, match=BROKEN[broken]):
        check_reranker(Unlike(broken=broken))


def test_what_is_not_saved_is_seen() -> None:
    with pytest.raises(AttributeError, match="_kinds") as caught:
        check_reranker(Unlike(broken="unsaved"))
    assert "A model that was saved and loaded gives the same lists" in caught.value.__notes__[0]


def test_masks_of_another_form_are_seen() -> None:
    with pytest.raises(AssertionError, match=r"allowed gave masks bool \(24,\); bool \(g, 24\) are one a group"):
        check_reranker(Half(broken="flat"))
    with pytest.raises(AssertionError, match=r"allowed gave a group outside 0\.\.0"):
        check_reranker(Half(broken="group"))


def test_data_without_the_columns_are_refused() -> None:
    with pytest.raises(AssertionError, match=r"InStock needs items\.units, which store does not have .*dataset=\.\.\."):
        check_reranker(dataclasses.replace(recexp.make("reranker=in_stock"), column="units"))
