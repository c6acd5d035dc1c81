"""Algorithms, by family."""
