"""Columns of users and items in networks."""

from dataclasses import replace

import numpy as np
import pytest

import recexp
from recexp.algorithms import FitContext
from recexp.algorithms.features import all_features
from recexp.data import Column, Dataset, Queries
from recexp.errors import IncompatibleError

FAST = ("algorithm.epochs=40", "algorithm.batch_size=64", "algorithm.learning_rate=0.02")


@pytest.fixture
def told(store: Dataset) -> Dataset:
    """The store, whose tables say the taste of each user and item; user 7 and item 11 have no rows."""

    def table(n: int) -> dict[str, Column]:
        return {"taste": Column.category([("even", "odd")[code % 2] for code in range(n)])}

    return replace(store, users=table(60), items=table(24))


def everyone(data: Dataset) -> Queries:
    return Queries.of_users(np.arange(60, dtype=np.int32), data.interactions, exclude_seen=False)


@pytest.mark.parametrize("name", ["ncf", "two_tower"])
def test_new_items_and_users_are_placed_by_their_features(name: str, told: Dataset) -> None:
    words = [] if name == "two_tower" else ["algorithm.features=true"]
    scores = recexp.make(f"algorithm={name}", *FAST, *words).fit(told).score(everyone(told))
    assert scores[1::2, 11].mean() > scores[::2, 11].mean() + scores[:, 11].std() / 2, "item 11 is odd"
    assert scores[7, 1::2].mean() > scores[7, ::2].mean(), "user 7 is odd"


def test_two_towers_answer_users_with_features_and_no_rows(told: Dataset) -> None:
    trained = told.interactions.known_users
    for data, able in ((told, True), (replace(told, users={}), False)):
        model = recexp.make("algorithm=two_tower", *FAST).fit(data)
        assert model.can_answer(everyone(data), trained).all() == able
        assert model.capabilities.known_users_only != able
        assert not model.can_answer(everyone(data).asked_by(-1), trained).any()


@pytest.mark.parametrize("name", ["ncf", "stacked_autoencoder"])
def test_a_model_answers_as_its_network_was_trained(name: str, told: Dataset) -> None:
    """What features add is in the weights that are kept: no table of features is needed to answer."""
    import torch

    model = recexp.make(f"algorithm={name}", "algorithm.features=true", "algorithm.epochs=1").fit(told)
    lesson = model._lesson(told, torch.Generator().manual_seed(1), FitContext())
    for weights in lesson.network.parameters():
        torch.nn.init.normal_(weights, 0.0, 0.3, generator=torch.Generator().manual_seed(2))
    model.weights_ = {name: tensor.detach().numpy() for name, tensor in lesson.weights().items()}
    assert not any("features" in name for name in model.weights_)
    asked, users = everyone(told), torch.arange(60)
    if name == "ncf":
        expected = lesson.network(users.repeat_interleave(24), torch.arange(24).repeat(60)).reshape(60, 24)
    else:
        expected = lesson.network(lesson.histories, users, users)
    assert model.score(asked) == pytest.approx(expected.detach().numpy(), abs=1e-4)


@pytest.mark.parametrize("name", ["ncf", "stacked_autoencoder"])
def test_features_that_are_not_there_are_asked_for_by_their_key(name: str, store: Dataset) -> None:
    bare = replace(store, users={}, items={})
    with pytest.raises(IncompatibleError, match=r"^algorithm\.features: .* has neither user nor item features"):
        recexp.make(f"algorithm={name}", "algorithm.features=true").fit(bare)


@pytest.mark.parametrize("words", [["1", "2.5"], ["a", "b"]])
def test_a_text_without_words_is_left_out(words: list[str], told: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    """The fields of these models name no columns: it cannot be left out by hand."""
    wordless = {"label": Column.text(words * 12), **told.items}
    assert (all_features(wordless, 24) != all_features(told.items, 24)).nnz == 0
    assert "column skipped: the text column label contains" in caplog.text
