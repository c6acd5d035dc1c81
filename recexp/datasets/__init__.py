"""Datasets: where each comes from and how it is read."""
