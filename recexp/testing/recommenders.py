"""The contract of algorithms."""

import json
from dataclasses import replace
from typing import Any

import numpy as np

from recexp import threads
from recexp.algorithms import FitContext, Recommender
from recexp.data import Dataset
from recexp.errors import ConfigError, DataError
from recexp.params import describe
from recexp.testing import examples, recommender_answers
from recexp.testing.checking import check_kind, equal_arrays, expect, quiet, run_checks
from recexp.testing.recommender_case import Case

USERS, ITEMS = 20, 21
"""The fewest users with rows, and items, of data to check with."""


@quiet()
def check_recommender(model: Recommender, dataset: Dataset | None = None) -> None:
    """Fit an algorithm on small data a dozen times; raise if it violates the contract of algorithms::

        check_recommender(MyModel(factors=8))
        check_recommender(MyModel(factors=8), dataset=Dataset.from_frame(frame, items=films))

    Without `dataset` the data have 60 users, 24 items, ratings, times, sessions, events, links, the user columns `age`
    and `city`, and the item columns `kind`, `tags`, `price` and `title`. An algorithm that reads other columns needs a
    dataset that has them; it may be small, with 20 users and 21 items or more.
    """
    check_kind(model, Recommender)
    data = examples.two_tastes() if dataset is None else dataset
    lacking = sorted(need for need in model.capabilities.needs if not data.has(need))
    expect(
        not lacking,
        f"{type(model).__name__} needs {', '.join(lacking)}, which {data.name} does not have: "
        "check_recommender(model, dataset=...) takes data that have it",
    )
    n_users, n_items = len(np.unique(data.interactions.users)), data.n_items
    enough = n_users >= USERS and n_items >= ITEMS
    expect(enough, f"{data.name} has {n_users} users with rows and {n_items} items; {USERS} and {ITEMS} are needed")
    run_checks(model, (*CHECKS, *recommender_answers.CHECKS), Case(model, data))


def fit_returns_the_model_and_changes_nothing_else(case: Case) -> None:
    """`fit(train)` returns self and does not change hyperparameters or data."""
    model = case.fresh()
    before, fingerprint = json.dumps(describe(model)), replace(case.data).fingerprint
    expect(model.fit(case.data) is model, "fit must return self")
    expect(
        json.dumps(describe(model)) == before, "fit changed a hyperparameter; what it learns goes to names ending in _"
    )
    expect(replace(case.data).fingerprint == fingerprint, "fit changed the data")


def scores_are_finite_numbers(case: Case) -> None:
    """`score` returns a finite number per query and item; a `partial` model returns -inf for items it never lists."""
    scores, expected = np.asarray(case.scores), (len(case.queries), case.data.n_items)
    expect(scores.shape == expected, f"score returned {scores.shape}; one score of each query and item is {expected}")
    expect(
        scores.dtype.kind in "fiub", f"score returned values of type {scores.dtype}; scores are numbers, best float32"
    )
    usable = _usable(case, scores)
    expect(usable.all(), f"{(~usable).sum()} scores are NaN or infinite")


def the_same_seed_gives_the_same_bits(case: Case) -> None:
    """Two fits with contexts of the same seed give equal scores: draw only from `context.rng`."""
    again = case.fresh().fit(case.data).score(case.queries)
    equal_arrays(again, case.scores, "a second fit with the same seed gave other scores")


def a_second_fit_starts_afresh(case: Case) -> None:
    """Refitting a model equals fitting a new one; learning curves are numbers at integer steps."""
    curve: list[tuple[Any, Any]] = []

    def log_step(step: int, values: Any) -> None:
        curve.extend((step, value) for value in values.values())

    part = case.data.take(np.arange(len(case.data.interactions)) % 3 == 0)
    model = case.fresh().fit(part).fit(case.data, FitContext(log_step=log_step))
    equal_arrays(model.score(case.queries), case.scores, "a model fitted before on other data gave other scores")
    wrong = [point for point in curve if not isinstance(point[0], int | np.integer) or not np.isscalar(point[1])]
    expect(not wrong, f"context.log_step takes a step and numbers by name (it was given {wrong[:1]})")


def another_thread_count_agrees(case: Case) -> None:
    """With a different number of threads, scores agree to 1e-6."""
    with threads.limit(3 if threads.count() == 1 else 1):
        scores = case.fresh().fit(case.data).score(case.queries)
    equal_arrays(scores, case.scores, "another number of threads gave other scores", close=True)


def degenerate_data_are_answered_or_refused(case: Case) -> None:
    """No rows, one row, one user or item, equal ratings: finite scores, or a DataError with the reason."""
    rows, data = case.data.interactions, case.data
    kept = {
        "without rows": rows.users < 0,
        "of one row": np.arange(len(rows)) == 0,
        "of one user": rows.users == 3,
        "of one item": rows.items == 4,
    }
    equal = replace(data, interactions=replace(rows, values=np.full_like(rows.values, 3)))
    for what, train in {"of equal ratings": equal, **{name: data.take(some) for name, some in kept.items()}}.items():
        if error := _refusal(case, train, f"data {what}"):
            expect(len(str(error)) > 20, f"data {what} are refused without a reason: {error}")


def senseless_values_are_answered_or_refused(case: Case) -> None:
    """Negative, missing and infinite values: finite scores, or a DataError that names them."""
    for wrong in (-2.0, np.nan, np.inf):
        values = case.data.interactions.values.copy()
        values[::7] = wrong
        if error := _refusal(case, _valued(case.data, values), f"data with values of {wrong}"):
            named = "value" in str(error) or "rating" in str(error)
            expect(named, f"values of {wrong} are refused by an error that names neither values nor ratings: {error}")


def what_it_does_not_need_may_be_missing(case: Case) -> None:
    """The model works on data that have only what `capabilities.needs` names."""
    can = case.unfitted.capabilities
    for need in can.needs:
        case.data.has(need)  # raises where it is nothing that data can have
    bare = examples.without(case.data, can.needs)
    queries = replace(
        case.queries, log=examples.without(replace(case.data, interactions=case.queries.log), can.needs).interactions
    )
    scores = case.fresh().fit(bare).score(queries)
    expect(_usable(case, scores).all(), "scores are not finite where the data hold nothing but what it needs")


def values_do_not_weigh_where_feedback_is_binary(case: Case) -> None:
    """With `feedback="binary"`, missing ratings have no effect."""
    if case.unfitted.capabilities.feedback != "binary":  # otherwise a filter must handle them
        return
    values, log = case.data.interactions.values.copy(), case.queries.log
    values[::5] = np.nan
    asked = replace(case.queries, log=replace(log, values=np.full_like(log.values, np.nan)))
    scores = case.fresh().fit(_valued(case.data, values)).score(asked)
    equal_arrays(scores, case.scores, 'missing ratings changed scores, and capabilities.feedback is "binary"')


def order_matters_only_where_it_is_needed(case: Case) -> None:
    """Reversed histories get the same scores, unless `capabilities.needs` names the order or times of rows."""
    if case.unfitted.capabilities.needs & {"order", "timestamps"}:
        return
    queries = case.queries
    backward = np.concatenate([np.arange(*rows)[::-1] for rows in zip(queries.start, queries.stop, strict=True)])
    asked = replace(queries, log=queries.log.take(backward))
    advice = 'its histories backward got other scores; a model that reads their order has needs=frozenset({"order"})'
    equal_arrays(case.model.score(asked), case.scores, advice, close=True)


CHECKS = (
    fit_returns_the_model_and_changes_nothing_else,
    scores_are_finite_numbers,
    the_same_seed_gives_the_same_bits,
    a_second_fit_starts_afresh,
    another_thread_count_agrees,
    degenerate_data_are_answered_or_refused,
    senseless_values_are_answered_or_refused,
    what_it_does_not_need_may_be_missing,
    values_do_not_weigh_where_feedback_is_binary,
    order_matters_only_where_it_is_needed,
)


def _valued(data: Dataset, values: np.ndarray) -> Dataset:
    return replace(data, interactions=replace(data.interactions, values=values))


def _usable(case: Case, scores: np.ndarray) -> np.ndarray:
    """Return which scores are valid: finite, or -inf of a partial model."""
    usable: np.ndarray = np.isfinite(scores) | (case.unfitted.capabilities.partial & np.isneginf(scores))
    return usable


def _refusal(case: Case, train: Dataset, what: str) -> Exception | None:
    """Return the error with which the model refuses the data, or expect finite scores after a fit."""
    try:
        scores = case.fresh().fit(train).score(case.queries)
    except (ConfigError, DataError) as error:
        return error
    expect(scores.shape == case.scores.shape, f"{what}: scores are {scores.shape}, not {case.scores.shape}")
    expect(_usable(case, scores).all(), f"{what}: scores are not finite; refuse such data with a DataError")
    return None
