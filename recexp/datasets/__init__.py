"""Datasets: where each comes from and how it is read. docs/add_a_dataset.md shows how to write a source."""

from recexp.datasets.base import Source

__all__ = ["Source"]
