"""split=parts: rows are for what a column says, and no model sees the column."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from recexp.data import Column, Dataset
from recexp.errors import DataError
from recexp.splits.base import Splitter
from recexp.testing import check_split
from recexp.testing.examples import repeated_rows

Make = Callable[..., Splitter]
NAMES = np.array(["train", "train", "train", "validation", "test"], object)


def told(names: np.ndarray) -> Dataset:
    """Return rows with the parts `names`, as text, in the column fold."""
    data = repeated_rows(m=len(names))
    context = {**data.interactions.context, "fold": Column.category(list(names))}
    return replace(data, interactions=replace(data.interactions, context=context))


@pytest.mark.parametrize("validates", [True, False])
def test_rows_are_for_what_the_column_says(make: Make, validates: bool) -> None:
    names = np.random.default_rng(7).choice(NAMES if validates else NAMES[[0, 1, 2, 4]], 500)
    data = told(names)
    check_split(make("parts"), dataset=data)
    (split,) = make("parts", exclude_seen=False).split(data)
    assert split.test.context["row"].values.tolist() == np.flatnonzero(names == "test").tolist()
    assert split.train.interactions.context["row"].values.tolist() == np.flatnonzero(names != "test").tolist()
    assert "fold" not in split.test.context and "fold" not in split.train.interactions.context
    assert (split.validation is not None) == validates
    if split.validation is not None:
        inner = split.validation
        assert inner.test.context["row"].values.tolist() == np.flatnonzero(names == "validation").tolist()
        assert inner.train.interactions.context["row"].values.tolist() == np.flatnonzero(names == "train").tolist()


def test_what_the_column_must_say_is_told(make: Make) -> None:
    with pytest.raises(DataError, match="the column fold holds 'dev'; allowed: train, validation, test"):
        list(make("parts").split(told(np.array(["train", "dev", "test"] * 9, object))))
    data = repeated_rows()
    bare = replace(data, interactions=replace(data.interactions, context={}))
    with pytest.raises(DataError, match=r"says train, validation or test, .* dataset\.columns\.fold"):
        list(make("parts").split(bare))
