"""The words after a command's name: one parser reads them, and makes the help of what it reads."""

import argparse
import shutil
from collections.abc import Mapping, Sequence
from typing import NoReturn

from recexp.errors import ConfigError, unknown

STORE = {"tracking.uri=URI": "tracking store; default: MLFLOW_TRACKING_URI, else mlflow.db in this folder"}
MOVED = {"dataset.root=DIR": "new location of data that were moved; or dataset.interactions=FILE ..."}
"""Help text of overrides that several commands take."""


class _Format(argparse.RawDescriptionHelpFormatter):
    """A line an option, where the terminal is wide enough."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32, width=max(80, shutil.get_terminal_size((120, 24)).columns))


class Parser(argparse.ArgumentParser):
    """Reads options, words and overrides in any order; what is wrong is a ConfigError.

    Parameters
    ----------
    name : of the command.
    about : the first line of its file, `WORDS AND OPTIONS: what it does`.
    example : a whole command.
    words : how many words it takes, at least and at most.
    overrides : what is told of words that are key=value, by their form; None: there are none, such words are words.
    notes : lines between these and the example.
    trusts : whether classes may come from a model; those with overrides take --trust anyway.
    """

    def __init__(
        self,
        name: str,
        about: str,
        *,
        example: str,
        words: tuple[int, int] = (0, 0),
        overrides: Mapping[str, str] | None = None,
        notes: str = "",
        trusts: bool = False,
    ) -> None:
        takes, colon, _ = about.partition(": ")
        wide = max(map(len, overrides or ()), default=0)
        keys = [f"  {key:<{wide}}  {meaning}" for key, meaning in (overrides or {}).items()]
        parts = ["\n".join(["key=value:", *keys]) if keys else "", notes, f"example:\n  {example}"]
        super().__init__(
            prog=f"recexp {name}",
            usage=argparse.SUPPRESS,
            description=f"recexp {name}{' ' if colon else ': '}{about}",
            epilog="\n\n".join(filter(None, parts)),
            formatter_class=_Format,
            allow_abbrev=False,
            add_help=False,
        )
        self.takes = takes if colon else "no words"
        self._counts, self._keys = words, overrides is not None
        self.add_argument("words", nargs="*", help=argparse.SUPPRESS)
        self.add_argument("-h", "--help", action="store_true", help="this text")
        if self._keys:  # taken out before a command sees it
            self.add_argument("--config-dir", metavar="DIR", help="your own config folder; may be repeated")
        if self._keys or trusts:
            self.add_argument("--trust", metavar="NAME", help="package whose classes may be imported, such as your own")

    def add_runs(self) -> None:
        """Take --experiment and --runs, which say what runs are meant."""
        self.add_argument(
            "--experiment", metavar="NAME", help="experiment of the runs; default: tracking.experiment, recexp"
        )
        self.add_argument("--runs", metavar="ID,...", help="only these runs: ids, or the beginnings of ids")

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Return the options, and `words`, `overrides` and `arguments`: those that are neither, key=value, and all."""
        given, strange = self.parse_known_intermixed_args(list(arguments))
        options = [word for word in self._option_string_actions if word not in ("-h", "--help")]
        for word in strange:
            raise ConfigError(unknown("", word.partition("=")[0], options))
        if empty := [name for name, value in vars(given).items() if value == ""]:
            self.error(f"--{empty[0].replace('_', '-')} needs a value")
        given.overrides = [word for word in given.words if self._keys and ("=" in word or word.startswith("~"))]
        given.words = [word for word in given.words if word not in given.overrides]
        given.arguments = list(arguments)
        if not self._counts[0] <= len(given.words) <= self._counts[1]:
            self.error(f"got {' '.join(arguments) or 'nothing'}")
        return given

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{self.prog} takes {self.takes} ({message}); see {self.prog} --help")
