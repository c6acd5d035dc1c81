"""The stable names of classes in stored runs, saved models and configs; they survive moving a class to another file."""

STORED_NAMES = {
    "recexp.evaluation.evaluation.Evaluation": "recexp.evaluation.Evaluation",
    "recexp.filters.values.Binarize": "recexp.filters.values.Binarise",
}
"""Where a class lies now, and the name it was first stored under, for those that have moved or got another name since.

Digests are made of these names, and people's yaml, runs and models name them: a class that moves gets a line here.
"""
_CURRENT_NAMES = {stored: current for current, stored in STORED_NAMES.items()}


def stored_name(cls: type) -> str:
    """Return the dotted name under which a class is described, saved and configured."""
    name = f"{cls.__module__}.{cls.__qualname__}"
    return STORED_NAMES.get(name, name)


def current_name(name: str) -> str:
    """Return the dotted name from which a class can be imported now, given the one it is stored under."""
    return _CURRENT_NAMES.get(name, name)
