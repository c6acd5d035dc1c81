"""The contract of algorithms: their answers."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from recexp import trust
from recexp.data import Interactions, Queries
from recexp.errors import NotFittedError
from recexp.models.fitted import FittedModel
from recexp.params import classes
from recexp.testing.checking import equal_arrays, expect
from recexp.testing.recommender_case import Case


def it_says_when_it_is_not_fitted(case: Case) -> None:
    """Before `fit`, `score` and `recommend` raise NotFittedError, as reading any attribute that ends in _ does."""
    for ask in (lambda m: m.score(case.queries), lambda m: m.recommend(case.queries, 5, case.ranking)):
        try:
            ask(case.fresh())
        except NotFittedError:
            continue
        except AttributeError as error:
            raise AssertionError(f"{error}; what fit learns must be in attributes that end in _") from error
        raise AssertionError("it answers before fit; what fit learns must be in attributes that end in _")


def blocks_are_answered_as_the_whole(case: Case) -> None:
    """The answer to a query does not depend on the other queries in the batch."""
    whole = case.model.recommend(case.queries, 5, case.ranking)
    for block in (slice(0, 7), slice(7, 8), np.array([4, 0, 17])):
        part = case.model.recommend(case.queries.take(block), 5, case.ranking)
        equal_arrays(part.items, whole.items[block], f"a block of queries ({block}) got other items")
        equal_arrays(part.scores, whole.scores[block], f"a block of queries ({block}) got other scores", close=True)


def lists_hold_the_best_items(case: Case) -> None:
    """`recommend` lists the items with the highest scores, best first, without duplicates or excluded items."""
    queries, ties = case.queries, case.ranking.ties
    lists, again = (case.model.recommend(queries, 6, case.ranking) for _ in range(2))
    equal_arrays(again.items, lists.items, "the same question was answered in two ways")
    excluded = np.zeros(case.scores.shape, bool) if queries.exclude is None else queries.exclude.toarray() > 0
    for row in range(len(queries)):
        allowed = np.flatnonzero(~excluded[row] & (case.scores[row] > -np.inf))
        where = f"the list of query {row} is not that of its scores"
        best = allowed[np.lexsort((ties[allowed], -np.asarray(case.scores, np.float32)[row, allowed]))][:6]
        equal_arrays(lists.items[row, : len(best)], best, where)
        equal_arrays(lists.scores[row, : len(best)], case.scores[row, best], f"{where}: its scores differ", close=True)
        expect((lists.items[row, len(best) :] == -1).all(), f"the list of query {row} must be padded with -1")


def only_candidates_are_listed(case: Case) -> None:
    """If a query has candidates, its list holds only candidates."""
    allowed = np.zeros((len(case.queries), case.data.n_items), bool)
    allowed[:, [1, 4, 20]] = True
    asked = replace(case.queries, candidates=sp.csr_array(allowed), exclude=None)
    found = set(np.unique(case.model.recommend(asked, 5, case.ranking).items).tolist())
    partial = case.unfitted.capabilities.partial and found <= {-1, 1, 4, 20}
    expect(
        partial or found == {-1, 1, 4, 20},
        f"of candidates 1, 4 and 20, lists of five hold {sorted(found)}, -1 where they end",
    )


def anyone_gets_an_answer(case: Case) -> None:
    """Unknown users, users without rows and histories of unknown items get a list, from the fallback if necessary."""
    whole, users, items = case.wrapped(), case.data.user_ids.tolist(), case.data.item_ids.tolist()
    asked: list[tuple[Any, Any]] = [(None, None), (users[7], None), (users[1], None)]
    for user, history in [*asked, ("nobody", ["no such item"]), ("nobody", [items[4], items[6]])]:
        answer = whole.recommend(user, 5, history=history)
        who = f"user {user} with history {history}"
        distinct = len({item for item, _ in answer})
        partial = case.unfitted.capabilities.partial and distinct == len(answer)
        expect(partial or distinct == 5, f"{who}: a list of 5 items was asked for (got {answer})")
        expect(np.isfinite([score for _, score in answer]).all(), f"{who}: a score is not finite ({answer})")
    known, values = items[2], whole.predict(users[1], [items[2], "no such item"])
    expect(
        case.unfitted.capabilities.partial or np.isfinite(values[known]),
        f"the value of a known item for a known user is {values[known]}",
    )
    expect(np.isnan(values["no such item"]), "an unknown item has a value")


def a_saved_model_is_the_same(case: Case) -> None:
    """A saved and loaded model gives equal scores: everything learned is in attributes that end in _."""
    with tempfile.TemporaryDirectory() as folder:
        case.wrapped().save(Path(folder) / "model")
        with trust.also(classes(case.model)):
            loaded = FittedModel.load(Path(folder) / "model")
    expect(type(loaded.model) is type(case.model), f"the loaded model is a {type(loaded.model).__name__}")
    equal_arrays(loaded.model.score(case.queries), case.scores, "the loaded model gives other scores")


def predictions_are_finite_one_a_row(case: Case) -> None:
    """With `predicts`, every user and item, known or not, get a finite rating, independent of the other rows."""
    if not case.unfitted.capabilities.predicts:
        return
    users = np.array([3, 3, 7, -1, 12, 3], np.int32)  # 7 has no rows
    items = np.array([2, 11, 2, 5, 8, 2], np.int32)  # 11 has no rows
    known = Queries.of_users(np.maximum(users, 0), case.data.interactions, exclude_seen=False)
    history = Queries(users, known.log, known.start, np.where(users >= 0, known.stop, known.start))
    asked = Interactions(np.maximum(users, 0), items, np.ones(6, np.float32), case.data.n_users, case.data.n_items)
    predicted, some = case.model.predict(asked, history), np.array([4, 0])
    expect(predicted.dtype == np.float32, f"predict returned {predicted.dtype}, not float32")
    expect(predicted.shape == (6,), f"predict returned {predicted.shape} for 6 rows")
    expect(np.isfinite(predicted).all(), f"predict returned {predicted}")
    expect(predicted[0] == predicted[5], "the same user and item have two predictions")
    alone = case.model.predict(asked.take(some), history.take(some))
    expect(np.allclose(alone, predicted[some], atol=1e-5), "a block of rows got other predictions")


def products_of_vectors_rank_as_scores_do(case: Case) -> None:
    """With `vectors`, a user's scores are the products of vectors, up to a constant."""
    if not case.unfitted.capabilities.vectors:
        return
    users, items = case.model.user_vectors(case.queries), case.model.item_vectors()
    expect(users.dtype == items.dtype == np.float32, f"vectors are {users.dtype} and {items.dtype}, not float32")
    above = case.scores - users @ items.T
    expect(np.allclose(above, above[:, :1], rtol=0, atol=1e-5), "products of vectors are not scores plus a constant")


CHECKS = (
    it_says_when_it_is_not_fitted,
    blocks_are_answered_as_the_whole,
    lists_hold_the_best_items,
    only_candidates_are_listed,
    anyone_gets_an_answer,
    a_saved_model_is_the_same,
    predictions_are_finite_one_a_row,
    products_of_vectors_rank_as_scores_do,
)
