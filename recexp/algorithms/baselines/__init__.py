"""Baselines: no personalization."""
