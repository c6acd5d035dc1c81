"""Questionnaires: what is asked, and what is made of the answers."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.tree import DecisionTreeRegressor

import recexp
from recexp.algorithms.cold_start.questionnaire import Questionnaire
from recexp.data import Column, Dataset, Interactions, Queries, Split
from recexp.errors import ConfigError, DataError
from recexp.models.fitted import FittedModel
from recexp.ranking import Ranking
from recexp.testing.examples import repeated_rows


def make(*words: str) -> Questionnaire:
    return recexp.make("algorithm=questionnaire", *[f"algorithm.{word}" for word in words])


@pytest.fixture(scope="module")
def data() -> Dataset:
    """300 users of 40 items, some of which go together."""
    rng = np.random.default_rng(3)
    taste = rng.random((300, 4)) @ rng.random((4, 40)) ** 3
    users, items = (part.astype(np.int32) for part in np.nonzero(taste + 0.3 * rng.random((300, 40)) > 1.1))
    ratings = rng.integers(1, 6, len(users)).astype(np.float32)
    rows = Interactions(users, items, ratings, 300, 40, explicit=True)
    return Dataset("tastes", rows, np.arange(300), np.arange(40))


@pytest.fixture(scope="module")
def x(data: Dataset) -> np.ndarray:
    """Who has what, of users with a row."""
    return data.interactions.csr(values=False)[data.interactions.used_users].toarray()


def asked(data: Dataset, histories: list[list[int]]) -> Queries:
    users = np.repeat(np.arange(len(histories), dtype=np.int32), [len(h) for h in histories])
    items = np.array([item for h in histories for item in h], np.int32)
    log = Interactions(users, items, np.ones(len(items), np.float32), len(histories), data.n_items)
    return Queries.of_users(np.arange(len(histories), dtype=np.int32), log, exclude_seen=True).asked_by(-1)


def test_scores_are_the_ridge_regression_from_answers_to_items(data: Dataset, x: np.ndarray) -> None:
    model = make("n_questions=6", "pool=20", "l2=7.0").fit(data)
    yes = [[], [int(model.questions_[2])], [*map(int, model.questions_)]]
    answers = np.array([np.isin(model.questions_, some) for some in yes], float)
    oracle = Ridge(alpha=7.0).fit(x[:, model.questions_], x)
    not_asked = int(np.setdiff1d(np.arange(40), model.questions_)[0])
    found = model.score(asked(data, [[*some, not_asked] for some in yes]))
    np.testing.assert_allclose(found, oracle.predict(answers), atol=1e-5)


def test_greedy_asks_what_a_regression_explains_most_from(data: Dataset, x: np.ndarray) -> None:
    model = make("n_questions=4", "pool=15", "l2=1e-9").fit(data)
    pool, chosen = data.interactions.most_popular(15), []
    for _ in range(4):
        left = [item for item in pool if item not in chosen]
        wrong = [
            ((x - LinearRegression().fit(x[:, [*chosen, i]], x).predict(x[:, [*chosen, i]])) ** 2).sum() for i in left
        ]
        chosen.append(left[int(np.argmin(wrong))])
    assert model.questions_.tolist() == chosen


def test_the_other_choices_by_their_definitions(data: Dataset, x: np.ndarray) -> None:
    users = x.sum(axis=0)
    by = lambda worth: np.argsort(-worth, kind="stable")[:5].tolist()  # noqa: E731
    assert make("choose=popularity", "n_questions=5").fit(data).questions_.tolist() == by(users)
    p = np.clip(users / len(x), 1e-12, 1 - 1e-12)
    pool = make("choose=entropy", "n_questions=5").fit(data).questions_
    assert set(pool) == set(by(-np.abs(p - 0.5)))
    rows, n = data.interactions, users.astype(int)
    spread = np.array([np.std(rows.values[rows.items == item]) if n[item] else 0 for item in range(40)])
    assert make("choose=popularity_spread", "n_questions=5").fit(data).questions_.tolist() == by(users * spread)
    drawn = make("choose=random", "n_questions=5", "pool=9").fit(data).questions_
    assert len({*drawn}) == 5 and {*drawn} <= {*by(users), *data.interactions.most_popular(9)}


def test_the_tree_asks_and_answers_as_scikit_learn_s(data: Dataset, x: np.ndarray) -> None:
    model = make("choose=tree", "n_questions=3", "pool=40", "min_users=20", "l2=1e-9").fit(data)
    oracle = DecisionTreeRegressor(max_depth=3, min_samples_leaf=20, random_state=0).fit(x, x)
    histories = [np.flatnonzero(row).tolist() for row in x[:60]]
    np.testing.assert_allclose(model.score(asked(data, histories)), oracle.predict(x[:60]), atol=1e-5)
    assert len(model.tree_["item"]) == oracle.tree_.node_count > 7


def test_a_shrunk_leaf_is_between_its_users_and_the_node_before(data: Dataset, x: np.ndarray) -> None:
    tree = make("choose=tree", "n_questions=1", "min_users=20", "l2=30.0").fit(data).tree_
    yes = x[:, tree["item"][0]] > 0
    expected = (x[yes].sum(axis=0) + 30 * x.mean(axis=0)) / (yes.sum() + 30)
    np.testing.assert_allclose(tree["profiles"][tree["yes"][0]], expected, atol=1e-6)


@pytest.mark.parametrize("choose", ["greedy", "tree"])
def test_a_base_reads_what_was_answered_with_yes_and_nothing_else(data: Dataset, choose: str) -> None:
    model = recexp.make(
        "algorithm=questionnaire",
        f"algorithm.choose={choose}",
        "algorithm.n_questions=4",
        "algorithm.min_users=20",
        "+algorithm@algorithm.base=ease",
    ).fit(data)
    ease = recexp.make("algorithm=ease").fit(data)
    first = int(model.tree_["item"][0] if choose == "tree" else model.questions_[0])
    unasked = next(i for i in range(40) if i not in (model.tree_["item"] if choose == "tree" else model.questions_))
    np.testing.assert_array_equal(
        model.score(asked(data, [[first, unasked], [unasked]])), ease.score(asked(data, [[first], []]))
    )
    assert model.can_answer(asked(data, [[first, unasked], [unasked]]), np.ones(300, bool)).tolist() == [True, False]


def test_answers_are_the_rows_of_the_history_in_their_order(data: Dataset) -> None:
    model = make("choose=popularity", "n_questions=3").fit(data)
    low, _, high = sorted(map(int, model.questions_))
    unasked = next(item for item in range(40) if item not in model.questions_)
    found = model.answers(asked(data, [[], [high, unasked, low], [unasked], [low, high, low]]))
    assert found.sequences(3).tolist() == [[-1, -1, -1], [-1, high, low], [-1, -1, -1], [low, high, low]]
    assert found.users.tolist() == [-1] * 4


def test_the_users_of_an_interview_are_answered_better_than_by_popularity_on_the_same_targets(ml100k: Dataset) -> None:
    (split,) = recexp.make("split=interview", "split.seed=1").split(ml100k)
    model = recexp.make("algorithm=questionnaire").fit(split.train)
    model.check_split(split)
    pool = split.train.interactions.most_popular(100)
    assert not np.isin(split.target.indices, pool).any()
    assert (np.diff(split.queries.exclude.indptr) == 100).all()
    found = {
        name: ndcg(split, one)
        for name, one in {
            "questionnaire": model,
            "popularity": recexp.make("algorithm=popularity").fit(split.train),
        }.items()
    }
    assert found["questionnaire"] > found["popularity"] + 0.05, found


def ndcg(split: Split, model: Any) -> float:
    scores = model.score(split.queries).copy()
    scores[split.queries.exclude.toarray() > 0] = -np.inf
    top = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    hits = np.take_along_axis(split.target.toarray() > 0, top, axis=1)
    discounts = 1 / np.log2(np.arange(2, 12))
    ideal = np.cumsum(discounts)[np.minimum(np.diff(split.target.indptr), 10) - 1]
    return float((hits @ discounts / ideal).mean())


def test_targets_that_were_asked_about_are_refused(data: Dataset) -> None:
    """The mistake of a careless table: what is asked stays in the target."""
    (split,) = recexp.make("split=cold_users", "split.seed=1").split(data)
    model = recexp.make("algorithm=questionnaire").fit(split.train)
    with pytest.raises(DataError, match=r"^questionnaire asks about \d+ items that the split also asks for, such as"):
        model.check_split(split)
    hybrid = recexp.make("algorithm=hybrid_weighted", "+algorithm@algorithm.parts.asked=questionnaire")
    with pytest.raises(DataError, match=r"^questionnaire asks about"):
        hybrid.fit(split.train).check_split(split)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["n_questions=81"], "algorithm.n_questions=81: algorithm.pool has 80; ask fewer questions"),
        (
            ["n_questions=41", "pool=900"],
            "algorithm.n_questions=41: only 40 items have train rows; ask fewer questions",
        ),
        (
            ["choose=tree", "min_users=151"],
            "algorithm.min_users=151: no item is had, and not had, by so many train users",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(words: list[str], said: str) -> None:
    data = repeated_rows(m=4000, n_users=300, n_items=120 if "n_questions=81" in words else 40)
    with pytest.raises((ConfigError, DataError), match=f"^{said}"):
        make(*words).fit(data)


def test_a_base_that_reads_no_histories_is_refused() -> None:
    with pytest.raises(
        ConfigError,
        match=r"^algorithm\.base: MF only answers users that it was trained on, so answers to questions tell it",
    ):
        recexp.make("algorithm=questionnaire", "+algorithm@algorithm.base=mf")


def test_a_base_that_ignores_histories_is_refused() -> None:
    words = "algorithm=questionnaire", "+algorithm@algorithm.base=popularity"
    with pytest.raises(ConfigError, match=r"^algorithm\.base: Popularity reads no histories, so answers to questions"):
        recexp.make(*words)
    recexp.make(
        "algorithm=questionnaire", "+algorithm@algorithm.base=hybrid_switching"
    )  # popularity is a part of it, beside one that reads them


@pytest.mark.parametrize("base", ["", "ease"])
@pytest.mark.parametrize("choose", ["greedy", "tree"])
def test_what_was_asked_about_is_in_no_list(data: Dataset, choose: str, base: str) -> None:
    """Whatever the answers: with a base, nobody's no is answered by the fallback, which would list what all have."""
    words = ["n_questions=4", "min_users=20", f"choose={choose}"]
    more = [f"+algorithm@algorithm.base={base}"] * bool(base)
    model = recexp.make("algorithm=questionnaire", *[f"algorithm.{word}" for word in words], *more).fit(data)
    popular = recexp.make("algorithm=popularity").fit(data)
    whole = FittedModel.of(
        model, popular, Ranking(np.arange(40), np.ones(40, bool)), data, exclude_seen=True, block_mib=1
    )
    for said in (False, True):
        answers: dict[int, bool] = {}
        while (question := whole.next_question(answers)) is not None:
            answers[question.item_id] = said
        assert 1 < len(answers) <= 4 and {*answers} <= {*model.questions().tolist()}
        lists = whole.recommend(None, 40, history=[item for item, yes in answers.items() if yes])
        assert len(lists) == 40 - len(answers) and not {item for item, _ in lists} & {*answers}


def test_the_next_question_of_a_tree_follows_the_answers(data: Dataset) -> None:
    model = make("choose=tree", "n_questions=2", "min_users=20").fit(data)
    first, no, yes = (int(model.tree_[name][0]) for name in ("item", "no", "yes"))
    assert [model.next_question(given) for given in ({}, {first: False}, {first: True})] == [
        first,
        model.tree_["item"][no],
        model.tree_["item"][yes],
    ]


def test_questions_have_titles_and_other_histories_are_told(data: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    titled = replace(data, items={"title": Column.text([f"film {n}" for n in range(40)])})
    model, popular = make("n_questions=3").fit(titled), recexp.make("algorithm=popularity").fit(titled)
    ranking = Ranking(np.arange(40), np.ones(40, bool))
    whole = FittedModel.of(model, popular, ranking, titled, exclude_seen=True, block_mib=1)
    item, title = whole.next_question({})
    assert item == model.questions_[0] and title == f"film {item}"
    unasked = next(n for n in range(40) if n not in model.questions_)
    whole.recommend_many([None, None], 3, histories=[[unasked], [item]])
    assert caplog.messages == ["1 of 2 histories hold none of the items that are asked about"]
    with pytest.raises(DataError, match="item 99 is unknown"):
        whole.next_question({99: True})
    with pytest.raises(DataError, match="Popularity asks no questions; algorithm=questionnaire does"):
        replace(whole, model=popular).next_question({})


def test_ratings_are_needed_for_their_spread(data: Dataset) -> None:
    rows = replace(data.interactions, explicit=False)
    missing = make("choose=popularity_spread").missing_requirements(replace(data, interactions=rows))
    assert missing.startswith("Questionnaire needs ratings, but tastes has none after filtering")


def test_a_pool_of_all_items_is_refused(data: Dataset) -> None:
    with pytest.raises(DataError, match=r"^split\.pool=40: train has only \d\d items; choose a smaller pool"):
        list(recexp.make("split=interview", "split.pool=40").split(data))
