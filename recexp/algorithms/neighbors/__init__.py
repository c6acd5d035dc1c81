"""Neighborhood models."""
