"""What a run says on the terminal: its log, and a table at the end."""

import logging.config
from typing import TYPE_CHECKING, Any

from recexp.errors import ConfigError

if TYPE_CHECKING:
    from recexp.runners.base import Outcome

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def configure_logging(node: Any) -> None:
    """Send recexp's log to stderr, and to a file where one is named, at the levels of the config's `logging` part."""
    if not isinstance(node, dict):
        raise ConfigError(f"logging: must have level, levels and file (got {node!r})")
    levels = {"": node["level"], **node["levels"]}
    for name, level in levels.items():
        if str(level).upper() not in LEVELS:
            raise ConfigError(
                f"logging level of {name or 'recexp'}: must be debug, info, warning, error or critical (got {level!r})"
            )
    handlers = {"console": {"class": "logging.StreamHandler", "formatter": "line"}}
    if node["file"]:
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
                "line": {"format": "%(asctime)s %(levelname).1s %(name)s: %(message)s", "datefmt": "%H:%M:%S"}
            },
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


def show(outcomes: "list[Outcome]") -> None:
    """Print each outcome's test metrics, with half their 95 % interval, its run id and link."""
    from rich.console import Console
    from rich.table import Column, Table

    console = Console()
    for outcome in outcomes:
        cells: dict[str, dict[str, str]] = {}
        for name, value in outcome.metrics.items():
            metric, _, cutoff = name.partition("_at_")
            if name.startswith("test") and not name.endswith("/fallback_share"):
                low, high = outcome.intervals.get(name, (value, value))
                spread = f" ±{(high - low) / 2:.4f}" if high > low else ""
                cells.setdefault(metric, {})[cutoff] = f"{value:.4f}{spread}"
        cutoffs = list(dict.fromkeys(cutoff for row in cells.values() for cutoff in row))
        table = Table(Column("metric", no_wrap=True), *(f"at {cutoff}" if cutoff else "" for cutoff in cutoffs))
        for metric, row in cells.items():
            table.add_row(metric, *(row.get(cutoff, "") for cutoff in cutoffs))
        if cells:
            console.print(table)
        console.print(f"run {outcome.run_id}: {outcome.link}", soft_wrap=True, highlight=False)
    if outcomes:
        console.print(f"leaderboard, after `recexp ui`: {outcomes[-1].leaderboard}", soft_wrap=True, highlight=False)
