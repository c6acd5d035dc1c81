"""What holds for every split, found by its yaml."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from pydoc import locate
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import yaml

from recexp.config import options
from recexp.data import Dataset, Interactions, Split
from recexp.errors import ConfigError, DataError
from recexp.splits.base import Splitter
from recexp.splits.sizes import UserRowsSplitter
from recexp.testing import check_split
from recexp.testing.examples import repeated_rows

Make = Callable[..., Splitter]
CLASSES = {name: locate(yaml.safe_load(path.read_text())["_target_"]) for name, path in options("split").items()}
FIELDS = {name: {field.name for field in fields(found)} for name, found in CLASSES.items()}
FOUND = sorted(
    set(CLASSES) - {"parts"}
)  # a column tells what its rows are for: test_parts tries it on data that have one
RANDOM = [
    "random",
    "random_rows",
    "leave_random",
    "kfold",
    "user_holdout",
    "cold_users",
    "interview",
    "cold_items",
    "hashed",
]
NAMES = [*RANDOM, "temporal", "temporal_user", "leave_last", "sessions", "predefined"]


def having(*names: str) -> list[str]:
    """Return the splits that have all these fields."""
    return [name for name in FOUND if FIELDS[name].issuperset(names)]


VALIDATING = sorted({*having("validation_ratio"), *having("validation_n"), "predefined"})


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Files for split=predefined over `repeated_rows()`: some of its pairs again, and others."""
    rng = np.random.default_rng(5)
    for name in ("test", "validation"):
        lines = [
            f"{rng.integers(100, 130)},{rng.integers(500, 545)},{rng.integers(1, 6)},{5000 + n}" for n in range(60)
        ]
        (tmp_path / f"{name}.csv").write_text("\n".join(["user_id,item_id,rating,timestamp", *lines]))
    return {name: str(tmp_path / f"{name}.csv") for name in ("test", "validation")}


def with_validation(name: str, files: dict[str, str]) -> dict[str, Any]:
    if name == "predefined":
        return files
    if name not in VALIDATING:
        return {}
    return {"validation_ratio": 0.2} if "validation_ratio" in FIELDS[name] else {"validation_n": 1}


@pytest.fixture(params=FOUND)
def split_name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=[False, True], ids=["test", "validation"])
def splitter(make: Make, request: pytest.FixtureRequest, split_name: str, files: dict[str, str]) -> Splitter:
    settings = {"test": files["test"]} if split_name == "predefined" else {}
    return make(split_name, **(with_validation(split_name, files) if request.param else settings))


def ids(part: Dataset | Interactions) -> set[int]:
    rows = part.interactions if isinstance(part, Dataset) else part
    return set(rows.context["row"].values.astype(int))


def levels(split: Split) -> Iterator[Split]:
    yield split
    if split.validation is not None:
        yield split.validation


def test_all_promised_splits_are_there() -> None:
    assert set(NAMES) <= set(FOUND)


def test_it_keeps_what_every_split_promises(splitter: Splitter) -> None:
    check_split(splitter)


@pytest.mark.parametrize("split_name", [n for n in FOUND if n != "predefined"], indirect=True)  # its rows are elsewhere
def test_no_row_is_lost(splitter: Splitter, split_name: str) -> None:
    dataset = repeated_rows()
    tested = []
    for split in splitter.split(dataset):
        tested += sorted(ids(split.test))
        everything = ids(dataset)
        for part in levels(split):
            train, test, log = ids(part.train), ids(part.test), ids(part.queries.log)
            assert train | test | log == everything
            if split_name != "sessions":
                assert not log & test
            everything = train  # validation is made within train
    if split_name == "kfold":
        assert sorted(tested) == list(range(500))


@pytest.mark.parametrize("split_name", VALIDATING, indirect=True)
def test_what_validates_has_a_smaller_train_part_inside(make: Make, split_name: str, files: dict[str, str]) -> None:
    settings = with_validation(split_name, files)
    for split in make(split_name, **settings).split(repeated_rows()):
        assert len(split.validation.train.interactions) < len(split.train.interactions)
        if split_name != "predefined":
            assert ids(split.validation.train) < ids(split.train)


@pytest.mark.parametrize("split_name", [n for n in FOUND if n != "predefined"], indirect=True)  # its rows are elsewhere
def test_a_query_knows_the_context_of_the_one_row_that_it_asks_about(splitter: Splitter, split_name: str) -> None:
    """Data numbers its rows; where a query asks about several there is no context of one."""
    dataset = repeated_rows()
    for whole in splitter.split(dataset):
        for split in levels(whole):
            queries, rows = split.queries, dataset.interactions
            per_user = np.bincount(split.test.users, minlength=rows.n_users)
            if split_name != "sessions" and per_user.max() > 1:
                assert queries.context == {}
                continue
            assert split_name in ("leave_last", "leave_random", "sessions")
            row = queries.context["row"].values.astype(int)
            assert queries.context["fold"].values.tolist() == rows.context["fold"].values[row].tolist()
            assert queries.users.tolist() == rows.users[row].tolist()
            assert queries.timestamps.tolist() == rows.timestamps[row].tolist()
            assert split.target.indices.tolist() == rows.items[row].tolist(), "one item each, the row's"
            assert len(queries.take(slice(1, 3)).context["row"]) == 2
            bare = replace(split, queries=replace(queries, context={}))
            assert bare.fingerprint == split.fingerprint, "as digests were before queries had a context"


def test_validation_does_not_change_what_is_tested(make: Make, split_name: str, files: dict[str, str]) -> None:
    alone = {"test": files["test"]} if split_name == "predefined" else {}
    without = list(make(split_name, **alone).split(repeated_rows()))
    with_it = list(make(split_name, **with_validation(split_name, files)).split(repeated_rows()))
    for a, b in zip(without, with_it, strict=True):
        assert a.test.fingerprint == b.test.fingerprint
        if split_name != "predefined":
            assert a.train.fingerprint == b.train.fingerprint


@pytest.mark.parametrize("split_name", [n for n in FOUND if n != "sessions"], indirect=True)  # its queries are prefixes
def test_targets_are_the_held_out_items_that_a_list_may_hold(splitter: Splitter, split_name: str) -> None:
    for whole in splitter.split(repeated_rows()):
        for split in levels(whole):
            queries, test = split.queries, split.test
            asked = {}
            for user, item, value in zip(test.users, test.items, test.values, strict=True):
                asked.setdefault(int(user), {}).setdefault(int(item), []).append(float(value))
            expected = {}
            for user, items in asked.items():
                known = set(queries.log.items[queries.log.users == user])
                best = {item: max(values) for item, values in items.items() if item not in known}
                if best and (known or getattr(CLASSES[split_name], "cold_users", False)):
                    expected[user] = best
            found = split.target.tocoo()
            told = {(int(queries.users[q]), int(i)): float(v) for q, i, v in zip(found.row, found.col, found.data)}
            assert told == {(user, item): value for user, items in expected.items() for item, value in items.items()}


def test_seen_items_are_asked_again_where_they_may_be_recommended(
    make: Make, split_name: str, files: dict[str, str]
) -> None:
    settings = {"test": files["test"]} if split_name == "predefined" else {}
    hidden, open_ = (
        next(make(split_name, **settings, exclude_seen=seen).split(repeated_rows())) for seen in (True, False)
    )
    assert open_.queries.exclude is None
    assert hidden.target.nnz <= open_.target.nnz
    if split_name in ("random", "temporal", "predefined", "sessions"):
        assert hidden.target.nnz < open_.target.nnz  # the data repeats pairs, so this must show


def test_the_seed_of_random_splits_decides(make: Make, split_name: str, files: dict[str, str]) -> None:
    settings = with_validation(split_name, files)

    def prints(seed: int) -> list[str]:
        return [split.fingerprint for split in make(split_name, **settings, seed=seed).split(repeated_rows())]

    if split_name in NAMES:  # what is promised of ours
        assert (prints(1) != prints(2)) == (split_name in RANDOM)


def test_splits_of_equal_size_and_other_rows_have_other_fingerprints(make: Make) -> None:
    one, two = (next(make("leave_random", seed=seed).split(repeated_rows())) for seed in (1, 2))
    assert len(one.test) == len(two.test) and len(one.train.interactions) == len(two.train.interactions)
    assert one.fingerprint != two.fingerprint


def test_a_split_is_the_same_however_scipy_holds_its_indices(make: Make) -> None:
    split = next(make("random").split(repeated_rows()))

    def wide(matrix: sp.csr_array) -> sp.csr_array:
        other = matrix.copy()
        other.indptr, other.indices = (array.astype(np.int64) for array in (matrix.indptr, matrix.indices))
        return other

    queries = replace(split.queries, exclude=wide(split.queries.exclude))
    assert replace(split, queries=queries, target=wide(split.target)).fingerprint == split.fingerprint


def test_rule_leaves_out_the_seed_alone(splitter: Splitter) -> None:
    usual = {"decimal": ".", "missing_user": "refuse", "derive": []}  # as files were read when there was no choice
    given = {f.name for f in fields(splitter) if getattr(splitter, f.name) not in (None, usual.get(f.name))} - {"seed"}
    rule = {name for name, value in splitter.rule().items() if value is not None} - {"class"}
    assert rule == given


@pytest.mark.parametrize("name", having("test_ratio", "validation_ratio"))
def test_shares_that_leave_no_train_are_refused(make: Make, name: str) -> None:
    with pytest.raises(ConfigError, match=r"^split: test_ratio \+ validation_ratio must be less than 1.*0\.7 \+ 0\.3"):
        make(name, test_ratio=0.7, validation_ratio=0.3)


@pytest.mark.parametrize("name", [n for n in having("test_n") if issubclass(CLASSES[n], UserRowsSplitter)])
def test_no_rows_a_user_is_no_test_rather_than_all_of_it(make: Make, name: str) -> None:
    with pytest.raises(ConfigError, match=r"split\.test_n: must be greater than or equal to 1 \(got 0\)"):
        make(name, test_n=0)
    [split] = make(name, test_n=2, validation_n=0).split(repeated_rows())
    assert split.validation is None
    assert np.bincount(split.test.users, minlength=30).tolist() == [2] * 30


@pytest.mark.parametrize("split_name", having("validation_ratio"), indirect=True)
def test_a_part_that_gets_nothing_is_an_error_not_silence(make: Make, split_name: str, files: dict[str, str]) -> None:
    with pytest.raises(DataError, match="validation"):
        list(make(split_name, validation_ratio=0.0001).split(repeated_rows()))
