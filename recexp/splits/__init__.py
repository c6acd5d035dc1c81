"""Splits: which rows are for training and which are held out. docs/add_a_split.md shows how to write one."""

from recexp.splits.base import (
    TEST,
    TEST_HISTORY,
    TRAIN,
    VALIDATION,
    VALIDATION_HISTORY,
    RowSplitter,
    Splitter,
)

__all__ = ["TEST", "TEST_HISTORY", "TRAIN", "VALIDATION", "VALIDATION_HISTORY", "RowSplitter", "Splitter"]
