"""ContextPrefilter: the same as the base on the rows of a context; fewer columns where there are few rows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import recexp
from recexp.algorithms.context.context_prefilter import ContextPrefilter
from recexp.algorithms.neighbors.item_knn import ItemKNN
from recexp.data import Column, Dataset, Queries
from recexp.errors import DataError
from recexp.models.saving import check_savable
from recexp.testing import check_recommender
from recexp.testing.examples import repeated_rows

DAYS = ["free", "work"]


def made(*overrides: str) -> ContextPrefilter:
    return recexp.make("algorithm=context_prefilter", *overrides)


def data() -> Dataset:
    """500 rows: half on free days, of which 30 in Rome; 20 rows do not tell the day."""
    found = repeated_rows()
    days = np.where(np.arange(500) % 2, "work", "free").astype(object)
    days[-20:] = None
    cities = np.where(np.arange(500) % 16 == 0, "rome", "oslo").astype(object)
    context = {"day": Column.category(list(days)), "city": Column.category(list(cities))}
    return replace(found, interactions=replace(found.interactions, context=context))


def asked(data: Dataset, days: list[str | None], cities: list[str | None] | None = None) -> Queries:
    users = np.arange(len(days), dtype=np.int32)
    context = {"day": Column.category(days)} | ({} if cities is None else {"city": Column.category(cities)})
    return replace(Queries.of_users(users, data.interactions, exclude_seen=False), context=context)


def test_it_keeps_what_algorithms_promise_where_contexts_have_models() -> None:
    check_recommender(made("algorithm.min_rows=40"), dataset=data())


def test_a_query_is_answered_by_the_rows_of_its_context_or_of_fewer_columns() -> None:
    store = data()
    model = made("algorithm.columns=[day,city]", "algorithm.min_rows=60").fit(store)
    assert model.contexts_ == [["free"], ["work"], ["free", "oslo"], ["work", "oslo"]]
    day, city = (store.interactions.context[name] for name in ("day", "city"))
    free = np.array([day.categories[code] == "free" and code >= 0 for code in day.values])
    oslo = np.array([city.categories[code] == "oslo" for code in city.values])
    base: ItemKNN = recexp.make("algorithm=item_knn")
    queries = asked(
        store, ["free", "free", "free", None, "holiday", "free"], ["oslo", "rome", "bern", "oslo", "oslo", None]
    )
    rows = [free & oslo, free, free, free | True, free | True, free]
    scores = model.score(queries)
    for number, chosen in enumerate(rows):
        alone = base.fit(store.take(chosen)).score(queries.take(slice(number, number + 1)))
        np.testing.assert_array_equal(scores[[number]], alone)
    assert (scores[0] != scores[1]).any() and (scores[1] != scores[3]).any()


def test_queries_without_context_get_the_model_of_all_rows_and_that_is_said() -> None:
    store = data()
    model = made("algorithm.columns=[day]", "algorithm.min_rows=60").fit(store)
    bare = replace(asked(store, ["free"] * 4), context={})
    np.testing.assert_array_equal(model.score(bare), recexp.make("algorithm=item_knn").fit(store).score(bare))
    assert "no query tells its context" in model.remarks(bare)[0]
    assert model.remarks(asked(store, ["free"] * 4)) == []
    check_savable(model)


def test_ratings_are_predicted_in_the_context_of_their_row() -> None:
    """On free days everybody likes everything."""
    store = data()
    free = np.array([code >= 0 and DAYS[code] == "free" for code in store.interactions.context["day"].values])
    values = np.where(free, 5, 1).astype(np.float32)
    store = replace(store, interactions=replace(store.interactions, values=values))
    model = made("algorithm@algorithm.base=bias", "algorithm.columns=[day]", "algorithm.min_rows=60").fit(store)
    rows = store.interactions.take(np.arange(100))
    history = Queries.of_users(rows.users, store.interactions, exclude_seen=False)
    np.testing.assert_allclose(model.predict(rows, history), values[:100], atol=1e-3)


def test_columns_must_be_categories_that_are_there(tmp_path: Path) -> None:
    store = data()
    context = {"price": Column.numeric(np.ones(500))}
    priced = replace(store, interactions=replace(store.interactions, context=context))
    with pytest.raises(DataError, match=r"^algorithm\.columns: price is numeric, and contexts are made of categories$"):
        made("algorithm.columns=[price]").fit(priced)
    assert "context.price" in made("algorithm.columns=[price]").missing_requirements(store)
