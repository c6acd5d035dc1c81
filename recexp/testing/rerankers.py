"""The contract of rerankers."""

import copy
import json
import tempfile
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from recexp import trust
from recexp.algorithms.baselines.popularity import Popularity
from recexp.algorithms.linear.ease import EASE
from recexp.data import Column, Dataset, Queries
from recexp.models.fitted import FittedModel
from recexp.params import classes, describe
from recexp.ranking import PAD, Lists, Ranking
from recexp.rerankers.base import Reranker
from recexp.testing import examples
from recexp.testing.checking import check_kind, equal_arrays, expect, quiet, run_checks

LENGTHS = (1, 3, 10, 50)
"""Of lists that are asked for; the last is more than there are items."""


@quiet()
def check_reranker(reranker: Reranker, dataset: Dataset | None = None) -> None:
    """Rerank the best items of a small model; raise if the reranker violates the contract of rerankers::

        check_reranker(MyReranker(weight=0.5))
        check_reranker(MyReranker(weight=0.5), dataset=Dataset.from_frame(frame, items=films))

    Without `dataset` the data have 60 users, 24 items, the user columns `age` and `city`, and the item columns `kind`,
    `tags`, `price`, `title` and `stock`. A reranker that reads other columns needs a dataset that has them.
    """
    check_kind(reranker, Reranker)
    data = _example() if dataset is None else dataset
    if missing := reranker.missing_requirements(data):
        raise AssertionError(f"{missing}; check_reranker(reranker, dataset=...) takes data that have them")
    run_checks(reranker, CHECKS, Case(reranker, data))


@dataclass(frozen=True)
class Case:
    """A reranker, and the data of the check."""

    unfitted: Reranker
    data: Dataset

    def fresh(self) -> Reranker:
        """Return an unfitted copy of the reranker."""
        return copy.deepcopy(self.unfitted)

    @cached_property
    def queries(self) -> Queries:
        """One query for each user with rows, and a last one for an unknown user with the first user's history."""
        rows = self.data.interactions
        known = np.unique(rows.users)
        queries = Queries.of_users(np.append(known, known[0]), rows, exclude_seen=True)
        return replace(queries, users=np.append(known, -1).astype(np.int32))

    @cached_property
    def bare(self) -> FittedModel:
        """A model without a reranker."""
        popular = Popularity(half_life_days=None).fit(self.data)
        ranking = Ranking.draw(self.data.n_items, None, rng=np.random.default_rng(1))
        return FittedModel.of(EASE(l2=10.0).fit(self.data), popular, ranking, self.data, exclude_seen=True, block_mib=1)

    @cached_property
    def model(self) -> FittedModel:
        """The same model with the reranker, fitted."""
        return replace(self.bare, reranker=self.fresh().fit(self.data))

    def candidates(self, n: int) -> Lists:
        """Return the n best unseen items of each query."""
        return self.bare.lists(self.queries, n)


def fit_returns_the_reranker_and_changes_nothing_else(case: Case) -> None:
    """`fit(train)` returns self and does not change fields or data."""
    reranker = case.fresh()
    before, fingerprint = json.dumps(describe(reranker)), replace(case.data).fingerprint
    expect(reranker.fit(case.data) is reranker, "fit must return self")
    expect(json.dumps(describe(reranker)) == before, "fit changed a field; what it keeps goes to names ending in _")
    expect(replace(case.data).fingerprint == fingerprint, "fit changed the data")


def lists_are_made_of_candidates(case: Case) -> None:
    """`rerank` returns k candidates (or all, if fewer), best first, without duplicates; lists are padded."""
    reranker = case.model.reranker
    for k in LENGTHS:
        given = case.candidates(min(max(reranker.depth(k), k), case.data.n_items))
        found = reranker.rerank(case.queries, given, min(k, case.data.n_items))
        wanted = min(k, given.items.shape[1])
        expect(
            found.items.shape == found.scores.shape == (len(case.queries), wanted),
            f"rerank gave items {found.items.shape} and scores {found.scores.shape} of lists of {wanted}",
        )
        for had, items, scores in zip(given.items, found.items, found.scores):
            listed = items[items != PAD]
            expect(len({*listed.tolist()}) == len(listed), "rerank gave a list that holds an item twice")
            expect({*listed.tolist()} <= {*had.tolist()}, "rerank gave an item that was not among the candidates")
            enough = min(wanted, int((had != PAD).sum()))
            expect(len(listed) == enough, f"rerank gave a list of {len(listed)} items; there were {enough} to give")
            expect((items[: len(listed)] != PAD).all(), "rerank gave a list with padding before an item")
            expect(np.isfinite(scores[: len(listed)]).all(), "rerank gave a score that is no finite number")
            expect((scores[len(listed) :] == -np.inf).all(), "the score of padding must be -inf")
            expect((np.diff(scores[: len(listed)]) <= 0).all(), "scores rise within a list; best comes first")


def enough_candidates_are_asked_for(case: Case) -> None:
    """`depth(k)` is a whole number, at least k."""
    for k in LENGTHS:
        depth = case.model.reranker.depth(k)
        whole = isinstance(depth, int | np.integer) and not isinstance(depth, bool)
        expect(whole and depth >= k, f"depth({k}) is {depth!r}; it must be a whole number, {k} or more")


def what_is_allowed_is_a_mask_a_group(case: Case) -> None:
    """`allowed` returns None, or one mask of all items per group and the group of each query."""
    rule, b = case.model.reranker.allowed(case.queries), len(case.queries)
    if rule is None:
        return
    masks, groups = np.asarray(rule.masks), np.asarray(rule.groups)
    fits = masks.dtype == bool and masks.ndim == 2 and masks.shape[1] == case.data.n_items
    expect(fits, f"allowed gave masks {masks.dtype} {masks.shape}; bool (g, {case.data.n_items}) are one a group")
    expect(
        groups.dtype.kind in "iu" and groups.shape == (b,),
        f"allowed gave groups {groups.dtype} {groups.shape}; they are integers, one for each of {b} queries",
    )
    expect(((groups >= 0) & (groups < len(masks))).all(), f"allowed gave a group outside 0..{len(masks) - 1}")


def nothing_else_is_listed(case: Case) -> None:
    """A model's lists hold only allowed items, as many as fit."""
    lists, rule = case.model.lists(case.queries, 5), case.model.reranker.allowed(case.queries)
    if rule is None:
        return
    seen = case.queries.history(values=False).toarray() > 0
    for items, group, had in zip(lists.items, rule.groups, seen):
        listed, mask = items[items != PAD], rule.masks[group]
        expect(mask[listed].all(), "a list holds an item that `allowed` forbids")
        expect(len(listed) == min(5, int((mask & ~had).sum())), "a list is shorter than what `allowed` leaves")


def other_queries_do_not_matter(case: Case) -> None:
    """The list of a query does not depend on the other queries in the batch."""
    whole, some = case.model.lists(case.queries, 5), np.arange(len(case.queries))[::-3]
    part = case.model.lists(case.queries.take(some), 5)
    equal_arrays(part.items, whole.items[some], "other queries beside it gave a query another list")


def two_fits_give_the_same_lists(case: Case) -> None:
    """Nothing is drawn at random."""
    again = replace(case.bare, reranker=case.fresh().fit(case.data)).lists(case.queries, 5)
    equal_arrays(again.items, case.model.lists(case.queries, 5).items, "a second fit gave other lists")


def it_is_saved_with_the_model(case: Case) -> None:
    """A model that was saved and loaded gives the same lists."""
    with tempfile.TemporaryDirectory() as folder, trust.also(classes(case.unfitted)):
        case.model.save(Path(folder) / "model")
        loaded = FittedModel.load(Path(folder) / "model")
    before, after = (model.lists(case.queries, 5) for model in (case.model, loaded))
    equal_arrays(after.items, before.items, "the model gave other lists after it was saved and loaded")
    equal_arrays(after.scores, before.scores, "the model gave other scores after it was saved and loaded")


def one_that_is_neutral_changes_nothing(case: Case) -> None:
    """With `neutral = True`, lists equal those without a reranker."""
    if case.unfitted.neutral:
        for k in LENGTHS:
            lists = case.model.lists(case.queries, k)
            equal_arrays(lists.items, case.bare.lists(case.queries, k).items, "a neutral reranker changed a list")


CHECKS = (
    fit_returns_the_reranker_and_changes_nothing_else,
    enough_candidates_are_asked_for,
    lists_are_made_of_candidates,
    what_is_allowed_is_a_mask_a_group,
    nothing_else_is_listed,
    other_queries_do_not_matter,
    two_fits_give_the_same_lists,
    it_is_saved_with_the_model,
    one_that_is_neutral_changes_nothing,
)


def _example() -> Dataset:
    """Return the data of two tastes, with the stock of each item; one item's stock is missing."""
    data = examples.two_tastes()
    stock = np.arange(data.n_items, dtype=np.float32) % 4
    stock[5] = np.nan
    return replace(data, items={**data.items, "stock": Column.numeric(stock)})
