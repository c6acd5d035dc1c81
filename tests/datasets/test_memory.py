"""Data in memory are a source like any other, known by their content."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

import recexp
from recexp.config.building import build
from recexp.data import Column, Dataset, Interactions
from recexp.datasets.base import Source
from recexp.datasets.memory import Memory
from recexp.errors import ConfigError
from recexp.filters.base import Filters
from recexp.identity import digest
from recexp.params import classes, describe, locations, ours
from recexp.prepared import keys
from recexp.testing import check_dataset


def dataset(values: list[float]) -> Dataset:
    users, items = np.array([0, 0, 1], np.int32), np.array([1, 0, 0], np.int32)
    rows = Interactions(users, items, np.array(values, np.float32), 2, 2, context={"hour": Column.numeric([1, 2, 3])})
    return Dataset("clicks", rows, np.array([5, 6]), np.array(["a", "b"], dtype=object))


def test_it_loads_what_it_was_given() -> None:
    data = dataset([1, 2, 3])
    source = Memory.of(data)
    check_dataset(source)
    assert source.load() is data
    assert (source.name, source.size) == ("clicks", "3 interactions, 2 users, 2 items")
    assert source.location() is None and source.origin() == "memory"


def test_content_identifies_it() -> None:
    one, equal, other = (Memory.of(dataset([1, 2, value])) for value in (3, 3, 4))
    assert digest(describe(one)) == digest(describe(equal)) != digest(describe(other))
    assert describe(one)["dataset"] == one.dataset.fingerprint
    assert locations(one) == [] and all(map(ours, classes(one)))


def test_what_is_prepared_of_it_is_found_by_its_content() -> None:
    found = [keys.of_data(Memory.of(dataset([1, 2, value])), Filters(steps=[]), 0) for value in (3, 3, 4)]
    assert None not in found and found[0] == found[1] != found[2]


def test_other_things_are_no_dataset() -> None:
    with pytest.raises(ValidationError, match="instance of Dataset"):
        replace(Memory.of(dataset([1, 2, 3])), dataset=[1, 2])
    node = {"_target_": "recexp.datasets.memory.Memory", "name": "x", "terms": "x", "size": "x"}
    with pytest.raises(ConfigError, match=r"dataset\.dataset: is missing"):
        build(node, Source, "dataset")


def test_a_run_of_it_says_where_its_data_were(workplace: Path, runs: Callable) -> None:
    users, items = (part.astype(np.int32) for part in np.nonzero(np.random.default_rng(0).random((40, 9)) < 0.5))
    rows = Interactions(users, items, np.ones(len(users), np.float32), 40, 9)
    clicks = Dataset("clicks", rows, np.arange(40), np.arange(9))
    words = ["algorithm=popularity", "filter=none", "tracking.log_model=false", "split.test_n=1"]
    first = recexp.run(*words, dataset=clicks)
    assert recexp.run(*words, "resume=true", dataset=clicks).run_id == first.run_id
    [run] = runs()
    assert [json.loads(found.dataset.source) for found in run.inputs.dataset_inputs] == [{"uri": "memory"}] * 3
    assert run.data.tags["recexp.data"] == clicks.compact().fingerprint
    assert run.data.tags["dataset"] == "clicks"
