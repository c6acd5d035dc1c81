"""The newest runs of an experiment, a row each: what ran, on what, how well, and what became of it."""

from collections.abc import Sequence
from datetime import datetime

from recexp.history.stored_run import StoredRun
from recexp.metric_names import headlines, is_final, pretty
from recexp.tracking.tags import HEADLINE, REPEATS, REPRODUCES

HEAD = ("run", "started", "state", "what", "on", "seed", "result", "belongs to")
NAME = 27
"""Letters that a name may have in a row; `recexp show` has all of it."""
ID_DIGITS = 8
"""So much of an id is shown: enough to name a run by."""


def rows(runs: Sequence[StoredRun], last: int) -> list[list[str]]:
    """Return the `last` newest of runs, given the oldest first, as cells of `HEAD`, the newest first."""
    made = [run for run in runs if "seed" in run.tags]  # a report that is kept in the store is no experiment
    return [_row(run) for run in reversed(made[-last:])]


def started(run: StoredRun) -> str:
    """Return the start of a run in local time."""
    return datetime.fromtimestamp(run.started / 1000).strftime("%Y-%m-%d %H:%M")


def state(run: StoredRun) -> str:
    """Return the state of a run: done, failed, killed, running."""
    if run.complete:
        return "done"
    return "not complete" if run.status == "FINISHED" else run.status.lower()


def headline(run: StoredRun) -> str | None:
    """Return the full name of the main metric, of the final part if possible; None: the run has no metric."""
    judged = headlines(run.metrics, run.final)
    named = [name for name in run.metrics if name.rpartition("/")[2] == run.tags.get(HEADLINE)]
    final = [name for name in named if is_final(name, run.final)]
    return next(iter(final or named or judged), None)


def shortened(name: str) -> str:
    """Return a name without its middle where it is too long for a column; its end may tell it from others."""
    half = (NAME - 3) // 2
    return name if len(name) <= NAME else f"{name[:half]}...{name[-half:]}"


def _row(run: StoredRun) -> list[str]:
    metric = headline(run)
    part = "" if metric is None or is_final(metric, run.final) else f"{metric.rpartition('/')[0]}/"
    result = "" if metric is None else f"{part}{pretty(metric)} {run.metrics[metric]:.4f}"
    belongs = run.tags.get("tuning") or run.tags.get("sweep") or ""
    for word, tag in (("repeats", REPEATS), ("reproduces", REPRODUCES)):
        if tag in run.tags:
            belongs = f"{belongs} {word} {run.tags[tag][:ID_DIGITS]}".strip()
    what = run.tags.get(run.subject[0], "")
    seed = run.tags["seed"] + (f" fold {run.tags['fold']}" if "fold" in run.tags else "")
    names = shortened(what), shortened(run.setting)
    return [run.id[:ID_DIGITS], started(run), state(run), *names, seed, result, belongs]
