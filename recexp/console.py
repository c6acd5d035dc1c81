"""Terminal output of a run: its log, and a table of results at the end."""

import logging.config
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from recexp import terminal
from recexp.errors import ConfigError
from recexp.metric_names import headlines, is_final, parsed, point, pretty

if TYPE_CHECKING:
    from recexp.runners.result import RunResult

NAMED = 5
"""So many jobs are named with a reason that they share."""
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


SWEEPING = ("recexp.sweeps", "recexp.tuning")
"""What is shown of a sweep that runs in this process, beside warnings: a line a job."""


def of_sweep(record: logging.LogRecord) -> bool:
    """Return whether a line of the log is about a whole sweep, or a warning."""
    return record.levelno != logging.INFO or record.name.startswith(SWEEPING)


def configure_logging(node: Any, *, quiet: bool = False) -> None:
    """Send recexp's log to stderr, and to a file where one is named, at the levels of the config's `logging` part.

    `quiet`: of a job of a sweep, whose log is in its run, stderr gets only what `of_sweep` says.
    """
    if not isinstance(node, dict):
        raise ConfigError(f"logging: must have level, levels and file (got {node!r})")
    if not isinstance(node.get("levels"), dict):
        raise ConfigError(
            f"logging.levels: must be levels by name, such as {{splits: debug}} (got {node.get('levels')!r})"
        )
    if not isinstance(node.get("file"), str | None):
        raise ConfigError(f"logging.file: must be a path or null (got {node.get('file')!r})")
    levels = {"": node.get("level"), **node["levels"]}
    for name, level in levels.items():
        if str(level).upper() not in LEVELS:
            raise ConfigError(
                f"logging level of {name or 'recexp'}: must be debug, info, warning, error or critical (got {level!r})"
            )
    handlers: dict[str, dict[str, Any]] = {"console": {"class": "logging.StreamHandler", "formatter": "line"}}
    if terminal.in_notebook():  # which shows what goes to stderr on red
        handlers["console"] |= {"formatter": "short", "stream": "ext://sys.stdout"}
    if quiet:
        handlers["console"]["filters"] = ["of_sweep"]
    if node.get("file"):
        handlers["file"] = {
            "class": "logging.FileHandler",
            "filename": node["file"],
            "delay": True,
            "formatter": "line",
        }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": terminal.VisibleFormatter,
                    "fmt": "%(asctime)s %(levelname).1s %(name)s: %(message)s",
                    "datefmt": "%H:%M:%S",
                },
                "short": {"()": terminal.VisibleFormatter, "fmt": "%(levelname).1s %(message)s"},
            },
            "filters": {"of_sweep": {"()": lambda: of_sweep}},
            "handlers": handlers,
            "loggers": {
                f"recexp.{name}".rstrip("."): {
                    "level": str(level).upper(),
                    "handlers": [] if name else list(handlers),
                    "propagate": bool(name),
                }
                for name, level in levels.items()
            },
        }
    )


def show(runs: "list[RunResult]") -> None:
    """Print each run's final metrics, with half their interval, its id and link."""
    from rich.table import Column, Table

    console = terminal.console()
    for run in runs:
        heads, rows = metric_table(run.metrics, run.intervals, run.final)
        table = Table(Column(heads[0], no_wrap=True), *heads[1:])
        for row in rows:
            table.add_row(*row)
        if rows:
            console.print(table)
        if run.shown:
            console.print("recommendations for the user set by show:")
        for item, name, score in run.shown:
            called = name if name == str(item) else f"{name} ({item})"
            console.print(f"  {called}: {score:.4f}", soft_wrap=True, highlight=False, markup=False)
        console.print(f"run {run.run_id}: {run.link}", soft_wrap=True, highlight=False)
    if len(runs) > 1:
        summarize("fold", {str(fold): [run] for fold, run in enumerate(runs)} | {"mean of folds": runs})
    if runs:
        leaderboard(runs[-1].leaderboard)


def metric_table(
    metrics: Mapping[str, float], intervals: Mapping[str, tuple[float, float]], final: str
) -> tuple[list[str], list[list[str]]]:
    """Return heads and rows: a row a final metric or a point of a curve, a column a cut-off, with half the interval."""
    cells: dict[str, dict[int | None, str]] = {}
    for name, value in metrics.items():
        part, metric, k = parsed(name)
        if is_final(name, final) or point(name) is not None:
            low, high = intervals.get(name, (value, value))
            spread = f" ±{(high - low) / 2:.4f}" if high > low else ""
            cells.setdefault(f"{part}/{metric}", {})[k] = f"{value:.4f}{spread}"
    cutoffs = list(dict.fromkeys(cutoff for row in cells.values() for cutoff in row))
    heads = ["metric", *(f"at {cutoff}" if cutoff else "" for cutoff in cutoffs)]
    return heads, [[metric, *(row.get(cutoff, "") for cutoff in cutoffs)] for metric, row in cells.items()]


def leaderboard(link: str) -> None:
    """Print the address at which MLflow shows all runs side by side."""
    from recexp.tracking.view import base_link  # the package loads pydantic, which help does without

    hint = ", after `recexp ui`" if link.startswith(f"{base_link('')}/") else ""  # a server is up already
    say(f"leaderboard{hint}: {link}")


def _heading(metric: str, final: str) -> str:
    """Return a metric's name as short as it can be understood: `ndcg@10`; only another part than the final is named."""
    part, _, _ = parsed(metric)
    return pretty(metric) if part == final else f"{part}/{pretty(metric)}"


def distinct_words(commands: Iterable[str]) -> list[str]:
    """Return the words of each command that are not in all of them."""
    words = [shlex.split(command) for command in commands]
    shared = set(words[0]).intersection(*words) if words else set()
    return [" ".join(word for word in some if word not in shared) for some in words]


def summarize(what: str, rows: "Mapping[str, list[RunResult]]", states: Mapping[str, str] | None = None) -> None:
    """Print a line a row, each a `what`: its state if given, and the mean over its runs of the first metrics."""
    from rich.table import Column, Table

    found = [run for runs in rows.values() for run in runs if run.metrics]
    final = found[0].final if found else ""
    measured = dict.fromkeys(name for run in found for name in run.metrics)
    names = headlines(measured, final)[:3]
    if any(not {*names} & {*run.metrics} for run in found):  # trials, which have no final part
        first = names[0].rpartition("/")[2]
        elsewhere = [name for name in measured if name.rpartition("/")[2] == first and not is_final(name, final)]
        names = [*elsewhere[:1], *names[:2]]
    state = [] if states is None else [Column("state", no_wrap=True)]
    metrics = (Column(_heading(name, final), overflow="fold", min_width=6) for name in names)
    table = Table(Column(what, overflow="fold", min_width=12), *state, *metrics)
    for label, runs in rows.items():
        values = [[run.metrics[name] for run in runs if name in run.metrics] for name in names]
        cells = [] if states is None else [states[label]]
        table.add_row(label, *cells, *(f"{sum(some) / len(some):.4f}" if some else "" for some in values))
    terminal.console().print(table)


def reasons(state: str, rows: Mapping[str, str]) -> None:
    """Print why jobs of a sweep are in a state: each reason once, with the jobs it applies to."""
    alike: dict[str, list[str]] = {}
    for label, reason in rows.items():
        alike.setdefault(reason, []).append(label)
    for reason, labels in alike.items():
        more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
        say(f"{state}: {'; '.join(labels[:NAMED])}{more} ({reason})")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of text under their heads."""
    from rich.table import Column, Table

    found = Table(*(Column(head, overflow="fold") for head in heads))
    for row in rows:
        found.add_row(*row)
    terminal.console().print(found)


def say(text: str) -> None:
    """Print a line as it is."""
    terminal.console().print(text, soft_wrap=True, highlight=False, markup=False)
