"""Compiled loops that algorithms share."""
