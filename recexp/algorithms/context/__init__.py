"""Algorithms that read the context of a query."""
