"""How a component is checked: one promise after the other, each named where it is broken."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from recexp.contract import mistakes
from recexp.data import Dataset, Interactions


@contextmanager
def quiet() -> Iterator[None]:
    """Show nothing of what recexp logs in the block: it would be about data that are made for the check."""
    logger = logging.getLogger("recexp")
    before = logger.handlers, logger.propagate
    logger.handlers, logger.propagate = [logging.NullHandler()], False
    try:
        yield
    finally:
        logger.handlers, logger.propagate = before


def expect(condition: Any, message: str) -> None:
    """Raise AssertionError with `message` unless the condition holds."""
    if not condition:
        raise AssertionError(message)


def check_kind(component: object, *bases: type) -> None:
    """Expect an instance of one of `bases` whose class keeps the contract that is checked when a config is built."""
    names = " or a ".join(base.__name__ for base in bases)
    if isinstance(component, type):
        raise AssertionError(f"{component.__name__} is a class; pass one that is built, {component.__name__}(...)")
    expect(isinstance(component, bases), f"{component!r} must be a {names}")
    cls: type = type(component)
    found = mistakes(cls)
    expect(not found, "\n".join(found))


def run_checks(component: object, checks: Iterable[Callable[..., None]], *case: Any) -> None:
    """Run the checks; what is raised gets a note with the promise that was looked at."""
    for check in checks:
        try:
            check(*case)
        except Exception as error:
            error.add_note(f"{type(component).__name__} must keep this: {check.__doc__}")
            raise


def equal_arrays(one: np.ndarray, other: np.ndarray, message: str, *, close: bool = False) -> None:
    """Expect arrays of equal values, or of nearly equal ones: within 1e-6 of each other, or of the largest of them."""
    one, other = np.asarray(one), np.asarray(other)
    expect(one.shape == other.shape, f"{message}: {one.shape} instead of {other.shape}")
    largest = np.max(np.abs(other), initial=1.0, where=np.isfinite(other)) if other.dtype.kind in "fiu" else 1.0
    off = ~np.isclose(one, other, rtol=0.0, atol=1e-6 * largest if close else 0.0, equal_nan=True)
    if off.any():
        such = f"such as {float(one[off][0]):.6g} instead of {float(other[off][0]):.6g}"
        raise AssertionError(f"{message}: {off.sum()} of {off.size} differ, {such}")


def row_numbers(part: Dataset | Interactions) -> np.ndarray | None:
    """Return int64 (m,): which row of the example data each row is; None for rows that are not from there."""
    rows = part.interactions if isinstance(part, Dataset) else part
    return rows.context["row"].values.astype(np.int64) if "row" in rows.context else None
