"""The contract of data sources."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recexp.data import Dataset
from recexp.datasets.base import Source
from recexp.params import describe
from recexp.testing.checking import check_kind, expect, quiet, run_checks


@quiet()
def check_dataset(source: Source) -> None:
    """Load a dataset twice; raise if the source violates the contract of sources::

    check_dataset(MySource(name="mine", terms="my own", size="small", path="clicks.log"))
    """
    check_kind(source, Source)
    source.check()
    run_checks(source, CHECKS, Case(source, source.load()))


@dataclass(frozen=True)
class Case:
    """A source and the dataset it loaded."""

    source: Source
    dataset: Dataset


def it_loads_a_dataset(case: Case) -> None:
    """`load` returns a Dataset with rows and the name of the source."""
    data, name = case.dataset, case.source.name
    expect(isinstance(data, Dataset), f"load must return a Dataset (it returned {type(data).__name__})")
    expect(len(data.interactions), "the dataset has no rows; that is a DataError that says why")
    expect(data.name == name, f"the dataset is called {data.name!r}; it must be called as the source, {name!r}")


def ids_are_integers_or_text_each_once(case: Case) -> None:
    """`user_ids` and `item_ids` are int64, or object arrays of str, without duplicates."""
    for side in ("user_ids", "item_ids"):
        ids = getattr(case.dataset, side)
        text = ids.dtype == object and all(type(one) is str for one in ids)
        expect(ids.dtype == np.int64 or text, f"{side} must be int64, or object and all str (they are {ids.dtype})")
        expect(len(set(ids.tolist())) == len(ids), f"{side} has an id twice")


def values_are_numbers(case: Case) -> None:
    """Values are finite; only ratings may be missing (NaN)."""
    rows = case.dataset.interactions
    expect(not np.isinf(rows.values).any(), "values hold infinity")
    expect(rows.explicit or not np.isnan(rows.values).any(), "values hold NaN and are no ratings (explicit=False)")


def what_it_says_to_lack_is_not_there(case: Case) -> None:
    """The loaded data do not have what `lacks` names before reading."""
    there = sorted(need for need in case.source.lacks() if case.dataset.has(need))
    expect(not there, f"the source says to lack {', '.join(there)}, and its data have it")


def a_second_load_gives_the_same(case: Case) -> None:
    """Two loads give equal data: randomness is seeded by a field, and order depends on nothing else."""
    again = case.source.load()
    expect(again.fingerprint == case.dataset.fingerprint, "a second load gave other data")


def its_files_can_be_found(case: Case) -> None:
    """`files` names the files that `load` reads ({}: none, None: unknown); `location` is their path, or None."""
    files, place = case.source.files(), case.source.location()
    expect(files is None or isinstance(files, dict), f"files must return a dict or None (it returned {files!r})")
    for what, path in {**(files or {}), "location": place}.items():
        expect(path is None or isinstance(path, Path), f"{what} must be a Path (it is {path!r})")
    expect(isinstance(case.source.origin(), str), "origin must return text")


def it_can_be_described(case: Case) -> None:
    """Its fields are plain data, which serve as the key of cached data."""
    json.dumps(describe(case.source))


CHECKS = (
    it_loads_a_dataset,
    ids_are_integers_or_text_each_once,
    values_are_numbers,
    what_it_says_to_lack_is_not_there,
    a_second_load_gives_the_same,
    its_files_can_be_found,
    it_can_be_described,
)
