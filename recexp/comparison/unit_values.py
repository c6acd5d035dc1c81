"""The values of each unit (user, episode), read from the runs' files, for intervals and paired tests."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recexp.comparison.rows import Row
from recexp.errors import DataError, StoreError
from recexp.history.archive import Archive, StoredRun
from recexp.io import to_numpy
from recexp.metric_names import point
from recexp.metrics.base import Metric
from recexp.statistics.bootstrap import Means
from recexp.tracking.tags import SPLIT

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Values:
    """The values of r rows' units. A unit may have several values (a user's queries) and appear in several splits.

    Attributes
    ----------
    means : of each row's values, to be resampled by unit; one column.
    by_split : float64 (r, s, u), the mean of each unit's values in each of s splits, NaN where there is none. Where
        the metric pools all values, it is their sum, in such a unit that the mean over units is that of all values.
    """

    means: list[Means]
    by_split: np.ndarray

    @property
    def n_units(self) -> int:
        """All units of any row."""
        return int(self.by_split.shape[2])

    def differences(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return float64 (u, c): each unit's mean difference over the splits common to c pairs of rows; NaN for none.

        `first` and `second` are int (c,), numbers of rows.
        """
        differences = np.empty((self.n_units, len(first)))
        for column, (a, b) in enumerate(zip(first, second)):
            apart = self.by_split[a] - self.by_split[b]
            n = (~np.isnan(apart)).sum(axis=0)
            differences[:, column] = np.where(n > 0, np.nansum(apart, axis=0) / np.maximum(n, 1), np.nan)
        return differences


def read(archive: Archive, rows: Sequence[Row], name: str, metric: Metric) -> Values:
    """Read the values behind a metric, `test/ndcg_at_10`, of all runs of `rows`.

    Those of a rating metric are the errors of its rows. Raises DataError for a run that has no such values.
    """
    codes: dict[Hashable, int] = {}
    owners: dict[str, np.ndarray] = {}
    splits = {split: index for index, split in enumerate({run.tags[SPLIT]: 0 for row in rows for run in row.runs})}
    found: list[list[tuple[int, np.ndarray, np.ndarray]]] = []
    for row in rows:
        parts = []
        for run in row.runs:
            split = run.tags[SPLIT]
            table = _table(archive, run, name, metric, with_ids=split not in owners)
            if split not in owners:
                owners[split] = _owners(table[f"{run.unit}_id"].to_pylist(), split, codes)
            values = metric.of_stored(*(to_numpy(table[column]) for column in metric.stored_columns(_named(name))))
            if len(values) != len(owners[split]):
                raise DataError(f"run {run.id} has values of {len(values)} queries, unlike others of its split")
            parts.append((splits[split], owners[split], values))
        found.append(parts)
    by_split = np.full((len(rows), len(splits), len(codes)), np.nan)
    for index, parts in enumerate(found):
        for split_index in {number for number, _, _ in parts}:
            of_split = [(owner, values) for number, owner, values in parts if number == split_index]
            joined, values = (np.concatenate(columns) for columns in zip(*of_split))
            by_split[index, split_index] = _by_unit(joined, values, len(codes), pooled=metric.pooled)
    means = [
        Means.of(np.concatenate([v for *_, v in parts])[:, None], np.concatenate([o for _, o, _ in parts]))
        for parts in found
    ]
    return Values(means, by_split)


def _by_unit(owners: np.ndarray, values: np.ndarray, n_units: int, *, pooled: bool) -> np.ndarray:
    """Return what `Values.by_split` holds of one split, float64 (u,)."""
    known = ~np.isnan(values)
    n = np.bincount(owners[known], minlength=n_units)
    sums = np.bincount(owners[known], weights=values[known], minlength=n_units)
    size = np.mean(n[n > 0]) if pooled and n.any() else np.maximum(n, 1)
    return np.where(n > 0, sums / size, np.nan)


def _table(archive: Archive, run: StoredRun, name: str, metric: Metric, *, with_ids: bool) -> "pa.Table":
    from pyarrow import lib, parquet

    file, columns = metric.stored_table(run.unit), metric.stored_columns(_named(name))
    if file is None:
        raise DataError(f"{name} has one value per run, not per {run.unit}")
    advice = "leave it out with --runs, or run it again"
    try:
        path = archive.file(run, file)
        ids = [f"{run.unit}_id"] if with_ids else []
        return parquet.read_table(path, columns=list(dict.fromkeys([*columns, *ids])))
    except StoreError as error:
        raise DataError(f"{error}: intervals and paired tests need the values of {run.unit}s; {advice}") from error
    except (lib.ArrowException, OSError, KeyError) as error:
        raise DataError(f"{file} of run {run.id} cannot be used ({error}); {advice}") from error


def _owners(ids: list[Hashable], split: str, codes: dict[Hashable, int]) -> np.ndarray:
    """Number the units, int64 (q,), the same in all splits; one without an id owns a single value."""
    keys = ((split, row) if unit is None else unit for row, unit in enumerate(ids))
    return np.array([codes.setdefault(key, len(codes)) for key in keys], np.int64)


def _named(name: str) -> str:
    """Return what a result is called in stored tables: the final part is not named, points of a curve are."""
    return name.rpartition("/")[2] if point(name) is None else name
