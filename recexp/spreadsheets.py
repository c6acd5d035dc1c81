"""Cells of csv files that a spreadsheet must not take for formulas: they get an apostrophe, as text has there."""

from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(value: Any) -> Any:
    """Return a cell as it is written: text that a spreadsheet would run as a formula is prefixed with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and _runs(value) else value


def as_meant(text: str) -> str:
    """Return the original text of a cell that `harmless` wrote."""
    return text[1:] if text.startswith("'") and _runs(text[1:]) else text


def _runs(text: str) -> bool:
    """Whether it is a formula, apostrophes before it or not; a number is none."""
    if not text.lstrip("'").startswith(FORMULA):
        return False
    try:
        float(text)
    except ValueError:
        return True
    return False
