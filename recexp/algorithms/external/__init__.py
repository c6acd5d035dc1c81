"""Answers of external systems."""
