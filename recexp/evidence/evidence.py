"""Evidence: what a runner found in one run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from recexp import file_names
from recexp.errors import DataError
from recexp.evidence import run_files
from recexp.evidence.plots import Curves, Plot, write, write_curves
from recexp.evidence.table import Table
from recexp.rng import generator
from recexp.statistics.bootstrap import Means, intervals

if TYPE_CHECKING:
    import pyarrow as pa

    from recexp.models.fitted import FittedModel
    from recexp.tracking import Input


@dataclass(frozen=True)
class Units:
    """The values behind the final metrics, one a unit (a user's query, an episode): what tests and intervals stand on.

    Attributes
    ----------
    ids : (n,), who or what each row is of; equal ids are one unit in paired tests. Integers, texts, or an Arrow array.
    values : float64 (n,) by metric, NaN where there is none.
    about : further columns, int64 (n,) by name.
    """

    ids: "np.ndarray | pa.Array"
    values: Mapping[str, np.ndarray]
    about: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was found.

    Attributes
    ----------
    metrics : values by full name, `test/ndcg_at_10`; those of the final part first, its headline at the very first.
    intervals : (low, high) by the same names, of those that have one.
    higher_is_better : which way metrics improve, by their names without part and cut-off; the headline's is known.
    units : the values behind the final metrics, or None.
    tables, warnings : what a person reads beside the metrics.
    plots : pictures by file name.
    inputs : the data that went in.
    model, shown : what was fitted, and (item id, name, score) of some of its recommendations.
    overview : HTML that the description begins with; see `evidence.overview`.
    """

    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    higher_is_better: Mapping[str, bool | None] = field(default_factory=dict)
    units: Units | None = None
    tables: Sequence[Table] = ()
    warnings: Sequence[str] = ()
    plots: Mapping[str, Plot] = field(default_factory=dict)
    inputs: "Sequence[Input]" = ()
    model: "FittedModel | None" = None
    shown: tuple[tuple[int | str, str, float], ...] = ()
    overview: str = ""

    @classmethod
    def of_units(
        cls,
        part: str,
        values: Mapping[str, np.ndarray],
        *,
        seed: int,
        ids: np.ndarray | None = None,
        resamples: int = 1000,
        confidence: float = 0.95,
        **more: Any,
    ) -> Self:
        """Return evidence whose metrics are means over units, with bootstrap percentile intervals.

        Parameters
        ----------
        part : the runner's final part.
        values : float64 (n,) by metric, the headline first.
        seed : of the run, by which the bootstrap draws.
        ids : (n,), see `Units`; None: the units are those of this seed alone.
        resamples, confidence : of the intervals.
        more : further attributes.

        Raises DataError for values that are no columns of numbers of one length, or other ids than values.
        """
        table = _columns(values)
        named = [f"{seed}-{n}" for n in range(len(table))] if ids is None else ids
        ids = np.asarray(named) if np.asarray(named).dtype.kind in "iu" else np.array(list(map(str, named)), object)
        if ids.shape != (len(table),):
            raise DataError(f"Evidence.of_units: {len(ids)} ids for {len(table)} values of each metric")
        _, owners = np.unique(ids, return_inverse=True)
        means = Means.of(table, owners)
        rng = generator(seed, "bootstrap", part)
        (bounds,) = intervals([means], len(means.users), resamples=resamples, confidence=confidence, rng=rng)
        names = [f"{part}/{name}" for name in values]
        return cls(
            metrics=dict(zip(names, means.values.tolist())),
            intervals=dict(zip(names, map(tuple, bounds.T.tolist()))),
            units=Units(ids, dict(zip(values, table.T))),
            **more,
        )

    def write(self, folder: Path, unit: str, curves: Curves) -> None:
        """Write the evidence's files into the run's folder: the values of its units, learning curves and plots."""
        if self.units is not None:
            run_files.write_units(folder, unit, self.units.ids, self.units.values, about=self.units.about)
        write_curves(folder / file_names.PLOTS, curves)
        for name, plot in self.plots.items():
            write(folder / file_names.PLOTS, name, plot.title, plot.picture)


def _columns(values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return float64 (n, c), a column a metric; raises DataError where they are none, or not of one length."""
    try:
        columns = {name: np.asarray(value, np.float64) for name, value in values.items()}
    except (TypeError, ValueError) as error:
        raise DataError(f"Evidence.of_units: values must be numbers ({error})") from error
    shapes = {name: column.shape for name, column in columns.items()}
    if len({*shapes.values()}) != 1 or any(len(shape) != 1 or not shape[0] for shape in shapes.values()):
        raise DataError(f"Evidence.of_units: all metrics need one value per unit (got shapes {shapes})")
    return np.stack([*columns.values()], axis=1)
