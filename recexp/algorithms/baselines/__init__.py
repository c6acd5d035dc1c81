"""Baselines: no personalisation."""
