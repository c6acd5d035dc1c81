"""Unfinished trials of other machines; whether they are still running cannot be known."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from recexp.tuning.storage import local

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

log = logging.getLogger(__name__)

PATIENCE = timedelta(hours=3)
"""How long such a trial counts as running; to wait for less costs a trial more than was asked for, at the most."""


def foreign(trials: "Sequence[FrozenTrial]") -> "list[FrozenTrial]":
    """Return the running trials that were not started on this machine."""
    running = [trial for trial in trials if trial.state.name == "RUNNING"]
    return [trial for trial in running if not local(trial.user_attrs.get("worker", ""))]


def lost(trials: "Sequence[FrozenTrial]") -> "list[FrozenTrial]":
    """Return the trials of other machines whose deadline has passed; one that still finishes counts again."""
    now = datetime.now()  # Optuna's times are local too
    return [trial for trial in foreign(trials) if _deadline(trial) < now]


def _deadline(trial: "FrozenTrial") -> datetime:
    """Return the time until which to wait for a running trial."""
    return (trial.datetime_start or datetime.now()) + PATIENCE


def origin(trial: "FrozenTrial") -> str:
    """Return a text that says which process started the trial, and when."""
    host, _, process = trial.user_attrs.get("worker", "").partition(":")
    who = f"on {host} (process {process.partition(':')[0]})" if host else "by an unknown process"
    return f"trial {trial.number} was started {who} at {trial.datetime_start:%Y-%m-%d %H:%M}"


def log_foreign(study: str, trials: "Sequence[FrozenTrial]", *, total: int) -> None:
    """Log the unfinished trials of other machines, and what to do about them."""
    gone = [trial.number for trial in lost(trials)]
    for trial in foreign(trials):
        if trial.number in gone:
            log.warning("study %s: %s, has not finished, and is no longer counted", study, origin(trial))
        else:
            log.warning(
                "study %s: %s and has not finished. It counts as one of the %d trials until %s; if its process is "
                "dead, the same command starts another trial after that time, or now with tuning.trials=%d",
                study,
                origin(trial),
                total,
                f"{_deadline(trial):%Y-%m-%d %H:%M}",
                total + 1,
            )
