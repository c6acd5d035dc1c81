"""Splits of real data: counts that others have found."""

import gzip
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recexp.data import Dataset
from recexp.splits.base import Splitter

Make = Callable[..., Splitter]
Of = Callable[..., Dataset]


@pytest.fixture(scope="module")
def ratings(ml100k: Dataset) -> pd.DataFrame:
    """MovieLens 100K in file order."""
    rows = ml100k.interactions
    users, items = ml100k.user_ids[rows.users], ml100k.item_ids[rows.items]
    return pd.DataFrame({"user": users, "item": items, "rating": rows.values, "time": rows.timestamps})


def coded(of: Of, table: pd.DataFrame) -> Dataset:
    users, items = (np.unique(table[side], return_inverse=True)[1] for side in ("user", "item"))
    return of(users, items, table["time"].to_numpy())


@pytest.mark.parametrize(("minimum", "known"), [(1, 109), (4, 91)])
def test_temporal_leaves_few_known_users(make: Make, of: Of, ratings: pd.DataFrame, minimum: int, known: int) -> None:
    """Of all ratings 109 test users are known, of those with at least 4 stars 91, counted here with pandas."""
    kept = ratings[ratings.rating >= minimum]
    point = np.sort(kept.time)[len(kept) - int(0.2 * len(kept))]
    before, after = kept[kept.time < point], kept[kept.time >= point]
    assert len(set(before.user) & set(after.user)) == known
    [split] = make("temporal").split(coded(of, kept))
    assert len(split.queries) == known
    assert (len(split.train.interactions), len(split.test)) == (len(before), len(after))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_split_has_the_sizes_of_the_reference(make: Make, of: Of, ratings: pd.DataFrame, seed: int) -> None:
    [split] = make("random", seed=seed).split(coded(of, ratings[ratings.rating >= 4]))
    assert (len(split.train.interactions), len(split.test)) == (44_679, 10_696)


@pytest.mark.skipif("RECEXP_DATA" not in os.environ, reason="these files cannot be fetched")
def test_ncf_lists_are_candidates(make: Make, of: Of, tmp_path: Path) -> None:
    """He et al. (2017): one test row for each of 6,040 users beside 99 items, 156 of them the test item itself."""
    folder = Path(os.environ["RECEXP_DATA"]) / "ncf-ml-1m"
    lines = ["user_id,item_id,candidates"]
    with gzip.open(folder / "ml-1m.test.negative.gz", "rt") as file:
        for line in file:
            pair, listed = line.rstrip("\n").split("\t", 1)
            lines.append(f"{pair.strip('()')},{listed.replace(chr(9), ' ')}")
    (tmp_path / "test.csv").write_text("\n".join(lines))
    train = pd.read_csv(folder / "ml-1m.train.rating.gz", sep="\t", names=["user", "item", "rating", "time"])
    items, codes = np.unique(train["item"], return_inverse=True)
    dataset = replace(of(train["user"], codes, train["time"]), item_ids=items)
    [split] = make("predefined", test=str(tmp_path / "test.csv")).split(dataset)
    assert len(split.queries) == 6040 and split.train.n_items == 3706
    listed = [set(line.split(",")[2].split()) | {line.split(",")[1]} for line in lines[1:]]
    assert np.diff(split.queries.candidates.indptr).tolist() == [len(names) for names in listed]
    itself = sum(line.split(",")[2].split().count(line.split(",")[1]) for line in lines[1:])
    assert itself == 156
