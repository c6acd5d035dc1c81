"""Data and splits, made once for the same content and shared by all processes on a machine."""

from recexp.prepared.preparation import Loaded, Preparation

__all__ = ["Loaded", "Preparation"]
