"""Metrics: definitions with names."""
