"""Filters: which interactions an experiment is about. docs/add_a_filter.md shows how to write one."""

from recexp.filters.base import Filter

__all__ = ["Filter"]
