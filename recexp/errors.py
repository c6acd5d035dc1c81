"""Every error that recexp raises on purpose derives from RecexpError; `exit_code` is what the command line returns."""


class RecexpError(Exception):
    """Base of all errors meant for a person: the message says what was found, where, and what is allowed."""

    exit_code = 1


class InterruptedRunError(RecexpError):
    """Somebody pressed Ctrl-C: the message says how far it is, and what goes on from there."""

    exit_code = 130  # as a shell has it for what SIGINT ends


class ConfigError(RecexpError):
    """A configuration key, value or combination is wrong; nothing was run."""

    exit_code = 2


class MisfitError(ConfigError):
    """An algorithm and the data do not go together: it needs what they have not. A sweep passes over such a pair."""


class DataError(RecexpError):
    """Input data is missing, malformed, or leaves nothing to work with; nothing was run."""

    exit_code = 2


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
