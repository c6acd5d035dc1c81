"""Runs the checks of a contract one by one, and names the one that fails."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from recexp.contract import mistakes
from recexp.data import Dataset, Interactions


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress recexp's log messages in the block: they would be about the data made for the check."""
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
    """Expect an instance of one of `bases` whose class passes the checks made when a config is built."""
    names = " or a ".join(base.__name__ for base in bases)
    if isinstance(component, type):
        raise AssertionError(f"{component.__name__} is a class; pass one that is built, {component.__name__}(...)")
    expect(isinstance(component, bases), f"{component!r} must be a {names}")
    cls: type = type(component)
    found = mistakes(cls)
    expect(not found, "\n".join(found))


def run_checks(component: object, checks: Iterable[Callable[..., None]], *case: Any) -> None:
    """Run the checks; an exception gets a note with the docstring of the check that raised it."""
    for check in checks:
        try:
            check(*case)
        except Exception as error:
            error.add_note(f"{type(component).__name__} must keep this: {check.__doc__}")
            raise


def equal_arrays(one: np.ndarray, other: np.ndarray, message: str, *, close: bool = False) -> None:
    """Expect equal arrays, or with `close` a tolerance of 1e-6, absolute or relative to the largest value."""
    one, other = np.asarray(one), np.asarray(other)
    expect(one.shape == other.shape, f"{message}: {one.shape} instead of {other.shape}")
    largest = np.max(np.abs(other), initial=1.0, where=np.isfinite(other)) if other.dtype.kind in "fiu" else 1.0
    off = ~np.isclose(one, other, rtol=0.0, atol=1e-6 * largest if close else 0.0, equal_nan=True)
    if off.any():
        such = f"such as {float(one[off][0]):.6g} instead of {float(other[off][0]):.6g}"
        raise AssertionError(f"{message}: {off.sum()} of {off.size} differ, {such}")


def row_numbers(part: Dataset | Interactions) -> np.ndarray | None:
    """Return int64 (m,): the row number in the example data of each row; None for rows from elsewhere."""
    rows = part.interactions if isinstance(part, Dataset) else part
    return rows.context["row"].values.astype(np.int64) if "row" in rows.context else None
