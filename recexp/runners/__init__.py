"""Runners: kinds of experiment. A runner of one's own derives from `Runner`; docs/add_a_runner.md shows one."""

from recexp.evidence.evidence import Evidence, Units
from recexp.evidence.table import Table
from recexp.runners.base import Objective, Plan, Runner
from recexp.runners.context import RunContext
from recexp.runners.objective import SeedObjective

__all__ = ["Evidence", "Objective", "Plan", "RunContext", "Runner", "SeedObjective", "Table", "Units"]
