"""Preparation: from a source to filtered data to splits, each step made once."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from recexp.data import Dataset, Split
from recexp.datasets.base import Source
from recexp.errors import DataError
from recexp.filters.base import Effect, Filters
from recexp.prepared import keys
from recexp.prepared.cache import Cache
from recexp.splits.base import Splitter


@dataclass(frozen=True)
class Loaded:
    """Filtered data, what each filter did, and the fingerprint of the data before."""

    dataset: Dataset
    effects: list[Effect]
    source: str


class Preparation:
    """Loads, filters and splits; with `cache` what was made of the same content before is mapped from disk.

    To be used in a `with` block, whose end waits until all is stored. Arrays of a split lie in files of their own, so
    that no array of a train part is a window on test rows.
    """

    def __init__(self, source: Source, filters: Filters, splitter: Splitter, *, seed: int, cache: bool) -> None:
        self._source, self._filters, self._splitter, self._seed = source, filters, splitter, seed
        self._key: str | None = None
        self._use, self._cache = cache, Cache()

    def __enter__(self) -> "Preparation":
        return self

    def __exit__(self, *error: object) -> None:
        self._cache.close()

    def load(self) -> Loaded:
        """Return the filtered data; raises what source and filters raise."""

        def make() -> tuple[Dataset, list[Effect], str]:
            loaded = self._source.load()
            if not isinstance(loaded, Dataset):
                name = type(self._source).__name__
                raise DataError(f"{name}.load gave {type(loaded).__name__}; it must return a Dataset")
            dataset, effects = self._filters.apply(loaded, seed=self._seed)
            return dataset, effects, loaded.fingerprint

        self._key = self._data_key() if self._use else None
        return Loaded(*self._cache.obtain(self._key, make, valid=self._unchanged))

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
        made, given, shared = iter(self._splitter.split(loaded.dataset)), 0, _common(loaded.dataset)

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

    def _unchanged(self) -> bool:
        """Whether the files are still those that the key was made of, so that these are what was read."""
        return self._data_key() == self._key

    def _data_key(self) -> str | None:
        return keys.of_data(self._source, self._filters, self._seed)


def _common(dataset: Dataset) -> list[Any]:
    """Return what the parts of a split have of the dataset itself: ids, tables, links; never rows."""
    columns = [*dataset.users.values(), *dataset.items.values()]
    parts = (dataset.user_ids, dataset.item_ids, dataset.links, dataset.listed, *columns)
    return [value for value in parts if value is not None]
