"""Runners: kinds of experiment. Custom runners derive from `Runner`; docs/add_a_runner.md shows an example."""

from recexp.evidence.evidence import Evidence, Units
from recexp.evidence.table import Table
from recexp.runners.base import Objective, Plan, Runner
from recexp.runners.context import RunContext
from recexp.runners.objective import SeedObjective

__all__ = ["Evidence", "Objective", "Plan", "RunContext", "Runner", "SeedObjective", "Table", "Units"]
