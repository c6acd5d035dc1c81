"""The command line: its entry, its help, and a file for each command beside `run`."""

from recexp.cli.entry import main, run

__all__ = ["main", "run"]
