"""Builders that the tests of splits share."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from recexp.config import options
from recexp.config.building import build
from recexp.data import Dataset, Interactions
from recexp.splits.base import Splitter


@pytest.fixture(scope="session")
def make() -> Callable[..., Splitter]:
    """Build a split from its yaml, some settings changed; the seed is 1 unless told."""

    def make(name: str, **settings: Any) -> Splitter:
        node = OmegaConf.load(options("split")[name])
        small = {"pool": 5} if "pool" in node else {}  # the data here have few items
        node.update({"seed": 1, **small, **settings})
        return build(OmegaConf.to_container(node, resolve=True), Splitter, "split")

    return make


@pytest.fixture(scope="session")
def of() -> Callable[..., Dataset]:
    """Build a dataset from codes of users and items and times; ids are codes."""

    def of(users: Any, items: Any, times: Any = None, **more: Any) -> Dataset:
        users, items = np.asarray(users, np.int32), np.asarray(items, np.int32)
        rows = Interactions(
            users=users,
            items=items,
            values=more.pop("values", np.ones(len(users), np.float32)),
            n_users=users.max() + 1,
            n_items=items.max() + 1,
            timestamps=None if times is None else np.asarray(times, np.int64),
            **more,
        )
        return Dataset("made", rows, np.arange(rows.n_users), np.arange(rows.n_items))

    return of
