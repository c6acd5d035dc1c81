"""Evidence of a simulation: what was shown to whom, with which probability, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recexp import file_names
from recexp.data import Column
from recexp.evidence import run_files
from recexp.evidence.evidence import Evidence
from recexp.evidence.plots import Curves


@dataclass(frozen=True, kw_only=True)
class Simulated(Evidence):
    """What was found of a policy; `decisions` are arrays and columns of one length, a row an item that was shown."""

    decisions: Mapping[str, np.ndarray | Column]

    def write(self, folder: Path, unit: str, curves: Curves) -> None:
        """Write values of visitors, and decisions.parquet."""
        super().write(folder, unit, curves)
        run_files.write_columns(folder / file_names.DECISIONS, self.decisions)
