"""The leakage audit finds leaks that are planted, and nothing in sound splits."""

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import recexp as library
from recexp.audit import Audit, AuditReport
from recexp.audit.count_leaks import telling_columns
from recexp.data import Column, Dataset, Interactions, Queries, Split
from recexp.errors import LeakageError

AUDIT = Audit(policy="warn", similarity=0.9)


def split_of(dataset: Dataset, name: str, *overrides: str) -> tuple[Split, str | None]:
    splitter = library.make(f"split={name}", *overrides)
    return next(splitter.split(dataset)), splitter.time


def audited(dataset: Dataset, name: str, *overrides: str) -> AuditReport:
    return AUDIT.inspect(*split_of(dataset, name, *overrides))


@pytest.fixture(scope="module")
def filtered(ml100k: Dataset, electronics: Dataset) -> Callable[[str, str], Dataset]:
    """What a filter leaves of one of them."""
    loaded = {"ml100k": ml100k, "electronics": electronics}
    return cache(lambda filter, name: library.make(f"filter={filter}").apply(loaded[name], seed=1)[0])


@pytest.fixture(scope="module")
def positive(filtered: Callable) -> Dataset:
    return filtered("positive", "ml100k")


def with_rows(split: Split, more: Interactions) -> Split:
    """Return the split with rows added to train."""
    rows = split.train.interactions
    columns = {
        name: np.concatenate([getattr(rows, name), getattr(more, name)])
        for name in ("users", "items", "values", "timestamps")
    }
    return replace(split, train=replace(split.train, interactions=replace(rows, **columns)))


@pytest.mark.parametrize("name", ["random", "temporal", "leave_last", "user_holdout", "cold_items"])
@pytest.mark.parametrize("filter", ["positive", "all_positive"])
def test_nothing_is_found_in_sound_splits(filtered: Callable, filter: str, name: str) -> None:
    sizes = ("split.validation_n=1",) if name == "leave_last" else ("split.validation_ratio=0.1",)
    assert audited(filtered(filter, "ml100k"), name, *sizes).findings == ()


@pytest.mark.parametrize("name", ["random", "temporal", "leave_last", "sessions"])
@pytest.mark.parametrize("filter", ["none", "purchases", "event_values"])
def test_nothing_is_found_in_the_store(filtered: Callable, filter: str, name: str) -> None:
    assert audited(filtered(filter, "electronics"), name).findings == ()


def test_shares_are_those_of_the_rows(positive: Dataset) -> None:
    """Counted here row by row."""
    split, claim = split_of(positive, "random")
    found = AUDIT.inspect(split, claim)
    train, test = split.train.interactions, split.test
    newest = {}
    for user, time in zip(train.users.tolist(), train.timestamps.tolist()):
        newest[user] = max(time, newest.get(user, time))
    older = [time < newest[user] for user, time in zip(test.users.tolist(), test.timestamps.tolist())]
    assert found.metrics["older_than_history"] == pytest.approx(np.mean(older))
    assert found.metrics["older_than_train"] == pytest.approx(np.mean(test.timestamps < max(newest.values())))
    known, asked = set(train.items.tolist()), set(test.items.tolist())
    assert found.metrics["new_items"] == pytest.approx(len(asked - known) / len(asked))
    assert found.facts == ("this split mixes times: models learn from rows newer than the targets",)


def test_test_rows_in_train_are_found(positive: Dataset) -> None:
    split, claim = split_of(positive, "random")
    planted = AUDIT.inspect(with_rows(split, split.test.take(np.arange(10))), claim)
    assert planted.metrics["repeated_pairs"] == pytest.approx(10 / len(split.test))
    assert planted.findings == ("0.09% of the test rows are also in train (same user and item)",)


@pytest.mark.parametrize("name", ["random", "user_holdout"])
def test_answers_in_the_histories_are_found(positive: Dataset, name: str) -> None:
    """Train is sound; the queries' histories hold all that is known of their users."""
    split, claim = split_of(positive, name)
    users = np.unique(split.queries.users)
    queries = Queries.of_users(users, positive.interactions, exclude_seen=False)
    target = split.test.csr(values=True)[users]
    found = AUDIT.inspect(replace(split, queries=queries, target=target), claim)
    assert found.metrics["answers_in_histories"] == 1.0
    assert any(text.startswith("100.00% of the targets are in the histories") for text in found.findings)


@pytest.mark.parametrize("copies", ["whole", "a second later", "without times"])
def test_one_doubled_row_does_not_hide_test_rows_in_train(positive: Dataset, copies: str) -> None:
    split, claim = split_of(positive, "random")
    test = split.test.take(np.arange(2000))
    if copies == "a second later":
        test = replace(test, timestamps=test.timestamps + 1)
    split = with_rows(with_rows(split, test), split.train.interactions.take(np.arange(1)))
    if copies == "without times":
        rows = replace(split.train.interactions, timestamps=None)
        split = replace(split, train=replace(split.train, interactions=rows))
    (finding,) = AUDIT.inspect(split, claim).findings
    what = "same user, item and time" if copies == "whole" else "same user and item"
    assert finding == f"{2000 / len(split.test):.2%} of the test rows are also in train ({what})"


def test_copies_are_told_from_habits(filtered: Callable) -> None:
    """In a store people come back to items; only copies of whole rows are a leak."""
    dataset = filtered("purchases", "electronics")
    rows = dataset.interactions
    again = replace(dataset, interactions=rows.take(np.r_[np.arange(len(rows)), np.arange(100)]))
    later = again.interactions.timestamps.copy()
    later[len(rows) :] += 86_400
    again = replace(again, interactions=replace(again.interactions, timestamps=later))
    split, claim = split_of(again, "random", "split.exclude_seen=false")
    assert AUDIT.inspect(split, claim).findings == ()
    copied = replace(split, train=again.take(np.arange(len(later))))
    assert "of the test rows are also in train (same user, item and time)" in AUDIT.inspect(copied, claim).findings[0]


def test_rows_from_the_future_are_found(positive: Dataset) -> None:
    split, claim = split_of(positive, "temporal")
    newer = split.test.take(np.argsort(split.test.timestamps)[-3:])
    moved = replace(newer, items=(newer.items + 1) % newer.n_items)
    found = AUDIT.inspect(with_rows(split, moved), claim)
    assert found.findings[0] == "3 train rows are newer than the oldest target"
    assert found.metrics["older_than_train"] > 0.9
    unknown = AUDIT.inspect(with_rows(split, moved), None)  # of a split by files it is seen that it was meant so
    assert unknown.findings[0] == found.findings[0]
    assert AUDIT.inspect(split, None).findings == ()


def test_a_history_newer_than_the_question_is_found(positive: Dataset) -> None:
    split, _ = split_of(positive, "random")
    assert "of the targets are older than the user's newest history row" in AUDIT.inspect(split, "history").findings[0]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("random", (False, False)),
        ("leave_last", (False, True)),
        ("temporal", (True, True)),
    ],
)
def test_the_log_tells_only_of_order_that_a_split_claims(
    positive: Dataset, name: str, told: tuple[bool, bool], caplog: pytest.LogCaptureFixture
) -> None:
    split, claim = split_of(positive, name)
    with caplog.at_level(logging.INFO, "recexp"):
        found = AUDIT.inspect(split, claim)
    (line,) = [line for line in caplog.messages if line.startswith("audit: ") and "repeated_pairs" in line]
    assert ("older_than_train" in line, "older_than_history" in line) == told
    assert line.endswith("(this split does not separate past and future)") == (name == "random")
    assert {"older_than_train", "older_than_history"} <= set(found.metrics), "the run keeps them"


@pytest.mark.parametrize("name", ["random", "temporal", "leave_last"])
@pytest.mark.parametrize(
    ("statistic", "transform"), [("count", lambda n: n), ("count", np.log1p), ("mean", lambda n: n)]
)
def test_features_of_test_rows_are_found(ml100k: Dataset, name: str, statistic: str, transform: Callable) -> None:
    split, claim = split_of(ml100k, name)

    def computed(*parts: Interactions) -> Column:
        items, values = (np.concatenate([getattr(part, key) for part in parts]) for key in ("items", "values"))
        counts = np.bincount(items, minlength=ml100k.n_items)
        values = counts if statistic == "count" else np.bincount(items, values, ml100k.n_items) / np.maximum(counts, 1)
        return Column.numeric(transform(values.astype(float)))

    def of(*parts: Interactions) -> tuple[str, ...]:
        table = {**ml100k.items, "fame": computed(*parts)}
        return AUDIT.inspect(replace(split, train=replace(split.train, items=table)), claim).findings

    train = split.train.interactions
    (finding,) = of(train, split.test)
    word = "number" if statistic == "count" else "mean value"
    assert f"item column fame correlates with the {word} of train and test rows together (R2 1.000)" in finding
    assert of(train) == ()


COMPUTED = {
    "test rows": lambda train, test, noise: test,
    "in the test": lambda train, test, noise: test > 0,
    "steps of five": lambda train, test, noise: np.round((train + test) / 5),
    "all, 10 % noise": lambda train, test, noise: train + test + 0.1 * np.std(train + test) * noise,
}


def test_few_items_and_steep_popularity_are_no_leak() -> None:
    """Train counts of 200 items, the first with hundreds: to look at neighbours together is not enough."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        codes = rng.choice(200, 6000, p=(weights := 1 / np.arange(1, 201)) / weights.sum())
        train, test = np.split(codes, [4800])
        count = np.bincount(train, minlength=200).astype(float)
        honest = {"count": count, "steps": np.round(count / 5), "log": np.log1p(count), "other": rng.random(200)}
        assert telling_columns(honest, train, test, 200, "mixed") == {}
        assert set(telling_columns({"test": np.bincount(test, minlength=200)}, train, test, 200, "mixed")) == {"test"}


@pytest.mark.parametrize(
    ("side", "computed"), [("user", "test rows"), ("user", "steps of five"), *(("item", name) for name in COMPUTED)]
)
def test_features_that_tell_of_the_test_are_found(ml100k: Dataset, side: str, computed: str) -> None:
    """Test rows drawn at random, whoever and whatever they are of; the same of train rows alone is no leak."""
    rows, rng = ml100k.interactions, np.random.default_rng(4)
    held = rng.random(len(rows)) < 0.2
    split, _ = split_of(ml100k, "random")
    split = replace(split, train=ml100k.take(~held), test=rows.take(held))
    n = ml100k.n_users if side == "user" else ml100k.n_items
    codes = rows.users if side == "user" else rows.items
    train, test = (np.bincount(codes[part], minlength=n) for part in (~held, held))
    noise = rng.standard_normal(n)

    def of(train: np.ndarray, test: np.ndarray) -> tuple[str, ...]:
        values = COMPUTED[computed](train, test, noise).astype(float)
        table = {f"{side}s": {**getattr(ml100k, f"{side}s"), "fame": Column.numeric(values)}}
        found = AUDIT.inspect(replace(split, train=replace(split.train, **table)), "mixed")
        return tuple(finding for finding in found.findings if "column" in finding)

    (finding,) = of(train, test)
    assert f"{side} column fame" in finding
    assert of(train, np.zeros(n)) == ()
    other = rng.binomial(train, 0.25)  # another draw, of train's own rows
    assert of(train - other, other) == ()


def test_twins_are_found(positive: Dataset) -> None:
    """A twentieth of the users are there twice; half of the copies lack every thirtieth row."""
    rows, rng = positive.interactions, np.random.default_rng(0)
    sizes = np.bincount(rows.users)
    chosen = rng.permutation(np.flatnonzero(sizes >= 30))[:47]
    copy = np.full(positive.n_users, -1, np.int32)
    copy[chosen] = positive.n_users + np.arange(len(chosen))
    nearly = np.isin(rows.users, chosen[::2]) & (rng.random(len(rows)) < 1 / 30)
    at = np.flatnonzero((copy[rows.users] >= 0) & ~nearly)
    more = rows.take(at)
    columns = {
        name: np.concatenate([getattr(rows, name), getattr(more, name)]) for name in ("items", "values", "timestamps")
    }
    n_users = positive.n_users + len(chosen)
    columns["users"] = np.concatenate([rows.users, copy[more.users]])
    doubled = replace(
        positive, interactions=replace(rows, **columns, n_users=n_users), user_ids=np.arange(n_users), users={}
    )
    found = audited(doubled, "random")
    split, _ = split_of(doubled, "random")
    assert found.metrics["twin_users"] == pytest.approx(2 * len(chosen) / len(split.test.used_users))
    assert "of the test users have a near-duplicate in train" in found.findings[0]


def test_twins_are_those_of_the_definition() -> None:
    """All pairs compared one by one, on rows that have many near copies."""
    rng = np.random.default_rng(1)
    base = [rng.choice(200, size, replace=False) for size in rng.integers(10, 60, 40)]
    sets = [set(items.tolist()) for items in base]
    for items in base:
        for lost in (1, 2, 4):
            sets.append(set(items[lost:].tolist()) | {int(rng.integers(200))})
    users = np.repeat(np.arange(len(sets)), [len(s) for s in sets]).astype(np.int32)
    items = np.array([item for s in sets for item in sorted(s)], np.int32)
    rows = Interactions(
        users, items, np.ones(len(users), np.float32), len(sets), 200, timestamps=users.astype(np.int64)
    )
    dataset = Dataset("made", rows, np.arange(len(sets)), np.arange(200))
    split, claim = split_of(dataset, "leave_last")
    large = [(at, s) for at, s in enumerate(sets) if len(s) >= 10]
    expected = sum(any(len(s & t) >= 0.9 * len(s | t) for other, t in large if other != at) for at, s in large)
    assert 20 < expected < len(sets)
    found = AUDIT.inspect(split, claim)
    assert found.metrics["twin_users"] == pytest.approx(expected / len(sets))


def rated_by_all(ratings: np.ndarray, explicit: bool) -> Dataset:
    """Ratings, NaN for none, of users by items."""
    users, items = (part.astype(np.int32) for part in np.nonzero(~np.isnan(ratings)))
    values = ratings[users, items].astype(np.float32) if explicit else np.ones(len(users), np.float32)
    rows = Interactions(users, items, values, *ratings.shape, explicit=explicit)
    return Dataset("dense", rows, np.arange(len(ratings)), np.arange(ratings.shape[1]))


@pytest.mark.parametrize("explicit", [True, False])
@pytest.mark.parametrize("share", [1.0, 0.97, 0.6])
def test_users_of_a_dense_matrix_are_no_twins(share: float, explicit: bool) -> None:
    """300 users have most of 60 items, as of jokes; ten more are copies: where all have (nearly) all, ratings tell."""
    rng = np.random.default_rng(4)
    ratings = np.where(rng.random((300, 60)) < share, rng.integers(1, 6, (300, 60)).astype(float), np.nan)
    assert audited(rated_by_all(ratings, explicit), "random").findings == ()
    copied = np.vstack([ratings, ratings[:10]])
    found = audited(rated_by_all(copied, explicit), "random").metrics["twin_users"]
    assert found == pytest.approx(20 / 310 if explicit or share == 0.6 else 0)


def test_error_refuses(positive: Dataset) -> None:
    split, claim = split_of(positive, "random")
    strict = Audit(policy="error", similarity=0.9)
    assert strict.inspect(split, claim).findings == ()
    with pytest.raises(LeakageError, match=r"audit: .* are also in train .* audit\.policy=warn runs it anyway"):
        strict.inspect(with_rows(split, split.test), claim)
    assert Audit(policy="off", similarity=0.9).inspect(with_rows(split, split.test), claim) == AuditReport()


@pytest.fixture
def leaky(workplace: Path) -> tuple[str, ...]:
    """Files in which 30 of 100 test rows are in train as well; the overrides that use them."""
    rng = np.random.default_rng(0)
    pairs = [(user, item) for user in range(50) for item in rng.choice(40, 12, replace=False)]
    train, test = [p for i, p in enumerate(pairs) if i % 6], [p for i, p in enumerate(pairs) if i % 6 == 0]
    for name, rows in (("train", train + test[:30]), ("test", test)):
        lines = ["user_id,item_id", *(f"{user},{item}" for user, item in rows)]
        (workplace / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return (
        "dataset=files",
        "dataset.interactions=train.csv",
        "dataset.columns.rating=null",
        "dataset.columns.timestamp=null",
        "split=predefined",
        "split.test=test.csv",
        "algorithm=popularity",
    )


def test_error_leaves_no_run_behind(inside: Callable, runs: Callable, leaky: tuple[str, ...]) -> None:
    done = inside(*leaky, "audit.policy=error")
    assert done.returncode == 2, done.stderr
    assert "recexp: audit: 30.00% of the test rows are also in train (same user and item)" in done.stderr
    assert "Traceback" not in done.stderr
    assert runs() == []


def test_a_warning_stands_in_the_run(inside: Callable, runs: Callable, leaky: tuple[str, ...]) -> None:
    done = inside(*leaky)
    assert done.returncode == 0, done.stderr
    assert "audit: 30.00% of the test rows are also in train" in done.stderr
    (run,) = runs()
    assert run.data.metrics["audit/repeated_pairs"] == pytest.approx(0.3)
    note = run.data.tags["mlflow.note.content"]
    assert note.startswith("<table>"), "what is recommended comes first"
    assert "> **Warning:** leakage audit: 30.00% of the test rows are also in train" in note
    assert re.search(r"repeated_pairs[^|]*\|[^|]*30\.00%", note)


def test_runs_with_and_without_audit_compare(inside: Callable, runs: Callable) -> None:
    for policy in ("off", "error"):
        assert inside("dataset=electronics", "algorithm=popularity", f"audit.policy={policy}").returncode == 0
    first, second = (run.data for run in runs())
    for tag in ("recexp.protocol", "recexp.config", "recexp.split"):
        assert first.tags[tag] == second.tags[tag]
    audited = [any(name.startswith("audit/") for name in run.metrics) for run in (first, second)]
    assert sorted(audited) == [False, True]


def in_context(dataset: Dataset, **columns: Column) -> Dataset:
    return replace(dataset, interactions=replace(dataset.interactions, context=columns))


def test_context_that_is_the_rating_or_label_is_found_and_what_correlates_is_not(ml100k: Dataset) -> None:
    stars = ml100k.interactions.values
    likely = np.where(np.random.default_rng(0).random(len(stars)) < 0.999, stars, 1)
    columns = {
        "same": Column.numeric(stars),
        "words": Column.category([("", "awful", "bad", "fair", "good", "great")[int(star)] for star in stars]),
        "missing": Column.numeric(np.where(stars == 3, np.nan, -stars)),
        "likely": Column.numeric(likely),
        "row": Column.numeric(np.arange(len(stars))),
        "constant": Column.category(["web"] * len(stars)),
    }
    found = audited(in_context(ml100k, **columns), "random_rows")
    told = [f"context column {name} tells the rating or label" for name in ("same", "words", "missing")]
    assert [finding[: len(start)] for finding, start in zip(found.findings, told, strict=True)] == told
    assert found.metrics["leaking_features"] == 3
    labels = library.make("filter=clicks").apply(in_context(ml100k, **columns), seed=1)[0]
    assert len(audited(labels, "random_rows").findings) == 3, "stars tell labels, too"


def test_context_of_sound_data_tells_no_rating(electronics: Dataset) -> None:
    rated = library.make("filter=ratings").apply(electronics, seed=1)[0]
    assert rated.interactions.context
    assert not [finding for finding in audited(rated, "random_rows").findings if "context" in finding]
