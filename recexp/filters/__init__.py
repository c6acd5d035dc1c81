"""Filters: which interactions an experiment is about."""
