"""Every error that recexp raises on purpose derives from RecexpError; `exit_code` is what the command line returns."""

import difflib
import sysconfig
from pathlib import Path
from traceback import FrameSummary, extract_tb


class RecexpError(Exception):
    """Base of all errors meant for a person: the message says what was found, where, and what is allowed."""

    exit_code = 1


class InterruptedRunError(RecexpError):
    """Somebody pressed Ctrl-C: the message says how far it is, and what goes on from there."""

    exit_code = 130  # as a shell has it for what SIGINT ends


class ConfigError(RecexpError):
    """A configuration key, value or combination is wrong; nothing was run."""

    exit_code = 2


class IncompatibleError(ConfigError):
    """An algorithm and a dataset are incompatible: it needs what the dataset has not. A sweep skips such a pair."""


class DataError(RecexpError):
    """Input data is missing, malformed, or leaves nothing to work with; nothing was run."""

    exit_code = 2


class EmptyPartError(DataError):
    """A split leaves nothing to learn from, or nothing to ask for: there may have been enough before the filters."""


class LeakageError(RecexpError):
    """The leakage audit found something and its policy is error; nothing was fitted."""

    exit_code = 2


class StoreError(RecexpError):
    """The tracking store cannot be used (unwritable, locked, full, or from another MLflow version)."""

    exit_code = 2


class DiskFullError(StoreError):
    """The disk, a quota or a file size limit was used up while a run was being written."""

    exit_code = 1


class NotFittedError(RecexpError, AttributeError):
    """A learned attribute was asked for before `fit`; `hasattr` is False until then."""


class ModelError(RecexpError):
    """A saved model is missing, corrupt, or of a class that recexp may not load."""

    exit_code = 2


def unknown(where: str, name: str, allowed: list[str], what: str = "unknown") -> str:
    """Return the message about a name that is not among those allowed, with the nearest that is."""
    near = [option for option in allowed if name and option.startswith(name)]
    near = near or difflib.get_close_matches(name, allowed, n=1)
    hint = f"; did you mean {' or '.join(near)}?" if near else ";"
    message = f"{where}: {what} {name}" if what == "unknown option" else f"{where}{'.' if where else ''}{name}: {what}"
    return f"{message}{hint} allowed: {', '.join(allowed)}" if allowed else message


def one_line(error: Exception) -> str:
    """Return an error's text, whatever its lines, as one line."""
    return " ".join(str(error).split())


def error_message(error: Exception) -> str:
    """Return an error's message for a person; if not raised on purpose also its class, and the line in their code."""
    if isinstance(error, RecexpError):
        return str(error)
    lines: list[str] = []
    cause: BaseException | None = error
    while not lines and cause is not None:
        lines = [f" ({Path(f.filename).name}, line {f.lineno})" for f in extract_tb(cause.__traceback__) if _theirs(f)]
        cause = cause.__cause__ or cause.__context__
    return f"{type(error).__name__}: {error}{lines[-1] if lines else ''}"


def _theirs(frame: FrameSummary) -> bool:
    """Return whether a frame is of a person's own file: not of recexp, Python or a library."""
    path = Path(frame.filename)
    libraries = Path(__file__).parent, Path(sysconfig.get_path("stdlib"))
    installed = {"site-packages", "dist-packages"} & {*path.parts} or any(map(path.is_relative_to, libraries))
    return path.is_file() and not installed
