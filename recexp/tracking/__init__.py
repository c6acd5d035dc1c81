"""Tracking: every run becomes one MLflow run that holds what is needed to compare it, trust it and repeat it."""

from recexp.tracking.names import flatten
from recexp.tracking.run import Input, Run
from recexp.tracking.store import CompleteRun, Store, Tracking
from recexp.tracking.view import leaderboard_link, run_link, ui_command, ui_link

__all__ = [
    "CompleteRun",
    "Input",
    "Run",
    "Store",
    "Tracking",
    "flatten",
    "leaderboard_link",
    "run_link",
    "ui_command",
    "ui_link",
]
