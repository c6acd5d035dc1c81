"""Preparation: from a source to filtered data to splits, each step made once."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import numpy as np

from recexp.data import Dataset, Interactions, Split
from recexp.datasets.base import Source
from recexp.errors import DataError, EmptyPartError
from recexp.filters.base import Effect, Filters, describe_effects
from recexp.io import lookup
from recexp.prepared import keys
from recexp.prepared.cache import Cache
from recexp.splits.base import Splitter


@dataclass(frozen=True)
class Loaded:
    """Filtered data.

    Attributes
    ----------
    dataset : the data.
    effects : what each filter did.
    source : the fingerprint of the data before.
    later, revised : numbers of filter steps, see `filters.base.Filtered`.
    unfiltered : the rows of its users and items before the filters, in its codes; None where these dropped nothing, or
        nobody asks, as the split does not go by time.
    """

    dataset: Dataset
    effects: list[Effect]
    source: str
    later: list[int] = field(default_factory=list)
    revised: list[int] = field(default_factory=list)
    unfiltered: Interactions | None = None


class Preparation:
    """Loads, filters and splits; with `cache` what was made of the same content before is mapped from disk.

    To be used in a `with` block, whose end waits until all is stored. Arrays of a split lie in files of their own, so
    that no array of a train part is a window on test rows.
    """

    def __init__(self, source: Source, filters: Filters, splitter: Splitter, *, seed: int, cache: bool) -> None:
        self._source, self._filters, self._splitter, self._seed = source, filters, splitter, seed
        self._key: str | None = None
        self._use, self._cache = cache, Cache()
        self._whole: Dataset | None = None

    def __enter__(self) -> "Preparation":
        return self

    def __exit__(self, *error: object) -> None:
        self._cache.close()

    def load(self, *, keep: bool = False) -> Loaded:
        """Return the filtered data; raises what source and filters raise. With `keep`, `whole` need not read again."""

        def make() -> tuple[Any, ...]:
            loaded = self._source.load()
            if not isinstance(loaded, Dataset):
                name = type(self._source).__name__
                raise DataError(f"{name}.load gave {type(loaded).__name__}; it must return a Dataset")
            self._whole = loaded if keep else None
            made = self._filters.prepare(loaded, seed=self._seed, by_time=self._splitter.finishes_parts)
            unfiltered = _rows_before(loaded, made.dataset) if self._splitter.finishes_parts else None
            return made.dataset, made.effects, loaded.fingerprint, made.later, made.revised, unfiltered

        self._key = self._data_key() if self._use else None
        return Loaded(*self._cache.obtain(self._key, make, valid=self._unchanged))

    def whole(self) -> Dataset:
        """Return the data before filters and let go of them; they are read anew where `load` found others on disk."""
        whole, self._whole = self._whole, None
        return self._source.load() if whole is None else whole

    def splits(self, loaded: Loaded) -> Iterator[Split]:
        """Yield the splits of the data, one a fold; raises what the splitter raises of any fold before the first."""
        splits = self._splits(loaded)
        first = next(splits)
        if first.fold is None:
            yield first
        elif self._key is None:
            yield from [first, *splits]  # held in memory, for each would be made twice otherwise
        else:
            for _ in splits:
                pass
            self._cache.close()
            yield from self._splits(loaded)

    def _splits(self, loaded: Loaded) -> Iterator[Split]:
        made, given, shared = iter(self._made(loaded)), 0, _common(loaded.dataset)

        def key(fold: int) -> str | None:
            return keys.of_fold(self._key, self._splitter, fold)

        for fold in count():
            name = key(fold)

            def make(fold: int = fold) -> Split | None:
                nonlocal given
                while given < fold:  # those came from the cache
                    next(made, None)
                    given += 1
                given += 1
                return next(made, None)

            def valid(fold: int = fold, name: str | None = name) -> bool:
                return self._unchanged() and key(fold) == name

            split = self._cache.obtain(name, make, valid=valid, shared=shared)
            if split is None:
                return
            yield split

    def _made(self, loaded: Loaded) -> Iterator[Split]:
        if not loaded.later:
            return _with_effects(self._splitter.split(loaded.dataset), loaded.effects)

        effects = [*loaded.effects]

        def finish(part: Dataset) -> Dataset:
            return self._filters.finish(part, loaded.later, seed=self._seed, effects=effects)

        return _with_effects(self._splitter.split_and_finish(loaded.dataset, finish), effects)

    def _unchanged(self) -> bool:
        """Whether the files are still those that the key was made of, so that these are what was read."""
        return self._data_key() == self._key

    def _data_key(self) -> str | None:
        return keys.of_data(self._source, self._filters, self._seed, by_time=self._splitter.finishes_parts)


def _with_effects(splits: Iterator[Split], effects: list[Effect]) -> Iterator[Split]:
    """Yield splits; where one leaves nothing for a part, the error says what filters took before."""
    try:
        yield from splits
    except EmptyPartError as error:
        raise EmptyPartError(f"{error}{describe_effects(effects)}") from error


def _rows_before(loaded: Dataset, filtered: Dataset) -> Interactions | None:
    """Return the rows of `loaded` whose user and item are in `filtered`, in its codes; None where it has them all."""
    if len(loaded.interactions) == len(filtered.interactions):
        return None
    rows = replace(loaded.interactions, events=None, sessions=None, context={})
    users, items = lookup(loaded.user_ids, filtered.user_ids), lookup(loaded.item_ids, filtered.item_ids)
    users, items = users[rows.users], items[rows.items]
    kept = np.flatnonzero((users >= 0) & (items >= 0))
    codes = {"users": users[kept].astype(np.int32), "items": items[kept].astype(np.int32)}
    return replace(rows.take(kept), **codes, n_users=filtered.n_users, n_items=filtered.n_items)


def _common(dataset: Dataset) -> list[Any]:
    """Return what the parts of a split have of the dataset itself: ids, tables, links; never rows."""
    columns = [*dataset.users.values(), *dataset.items.values()]
    parts = (dataset.user_ids, dataset.item_ids, dataset.links, dataset.listed, dataset.listed_users, *columns)
    return [value for value in parts if value is not None]
